"""ib_async: Interactive Brokers, by the events of every `IB` object; its wire code is not touched.

| Read                                                        | Emitted                                               |
| ----------------------------------------------------------- | ----------------------------------------------------- |
| `placeOrder`, `cancelOrder`, `reqGlobalCancel`              | `trading.order.requests`, with `error.type`           |
| `orderStatusEvent`                                          | `trading.order.transitions`, `.active`, `.rejections` |
| `execDetailsEvent` with its `commissionReportEvent`         | `trading.execution.*`, P&L and round trips            |
| `positionEvent`, `accountValueEvent`, `pnlEvent`            | `trading.position.*`, `.portfolio.*`, `.account.*`    |
| `reqMktData`, `reqTickByTickData`, `reqMktDepth`, and ticks | `trading.market_data.*`, marks of positions           |
| `connectAsync`, codes 1100 to 1102 and 2103 to 2158         | `trading.connection.*`, `trading.venue.request.*`     |
| throttling by the library, code 100                         | `trading.rate_limit.wait.*`, `.rejections`            |

The venue is `ibkr`, the currency that of the contract. Several managed accounts are account1, account2 ... in the order
in which TWS lists them; of one account the alias is yours (`OTEL_TRADING_ACCOUNT`): its number is never recorded. Set
`OTEL_TRADING_MODE=paper` for a paper account.

A fill waits up to 2 s for its commission and is then booked without; the commission that comes later is a fee of its
own, a late rebate is lost. After a reconnect TWS replays the day: each execution counts once, by its id, and those that
happened while the connection was down are booked. Executions from before the process connected first are left out, and
so are orders that were open then, until they change. A position is stated 3 s after TWS told it, so that the fills that
made it come first. Of a combo the legs are booked. `Inactive` is `suspended`; `ValidationError` changes nothing. The
words of a rejection (201) choose its FIX reason and are not recorded. Requests for data have no duration: only
`connectAsync` has. An `IB` object made before the instrumentation was switched on is not seen.
"""

from __future__ import annotations

from otel_trading.instrumentation._ib import IBInstrumentor

__all__ = ["IbAsyncInstrumentor"]


class IbAsyncInstrumentor(IBInstrumentor):
    """Listens to every `IB` object of ib_async."""

    library = "ib_async"
    versions = "ib_async >= 1.0.1, < 3"
    tested = ("1.0.1", "2.1.0")
