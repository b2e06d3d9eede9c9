"""alpaca-py: orders, fills, calls and retries of `TradingClient`, and the streams of trade updates and of data.

| Read                                                        | Emitted                                              |
| ----------------------------------------------------------- | ---------------------------------------------------- |
| submit, replace, cancel, close: before and after the call   | `trading.order.requests`, `.request.duration`,       |
|                                                             | `.transitions`, `.acknowledgement.duration`          |
| an APIError of an order whose status is the venue's no      | `trading.order.rejections` by FIX reason             |
| trade_updates, and orders that the bot fetches              | `trading.order.transitions`, `.fill.duration`,       |
|                                                             | `trading.execution.*`, `trading.position.*`, P&L     |
| every other call, of data too                               | `trading.venue.request.duration` by operation        |
| 429 and 504 that alpaca-py tries again                      | `trading.resilience.retries`                         |
| get_clock                                                   | `trading.venue.session.status`                       |
| both kinds of streams: open, lost, stopped                  | `trading.connection.*`                               |
| subscriptions, and each message with data                   | `trading.market_data.age`, `.messages` by kind       |
| times of trades, quotes, books and trade_updates            | `trading.market_data.delay`                          |

An execution counts once by its id, and what a stream missed counts when the order's sum says so. Orders that others
sent are left alone but for their fills. The age of data is that of its kind on its stream: the five seconds after which
alpaca-py looks up and goes on waiting do not renew it, and one symbol that is silent among others is not seen. Where
`data_timeout` makes alpaca-py connect again, that is a reconnect. Stocks are silent while the market is closed: a bot
that asks `get_clock` tells so, another one calls `meter.watch_market_hours(venue="alpaca", calendar="XNYS")`. Budgets
and clock are read by `otel_trading.instrumentation.requests`. No key and no text of an error is recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from otel_trading.instrumentation import _links
from otel_trading.instrumentation._hooks import LazyInstrumentor
from otel_trading.instrumentation.alpaca import _rest, _streams
from otel_trading.semconv import execution, order, portfolio, resilience, venue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.semconv import Metric

__all__ = ["AlpacaInstrumentor"]


class AlpacaInstrumentor(LazyInstrumentor):
    """Hooks `RESTClient`, `TradingClient`, `TradingStream` and `DataStream`; subclasses keep what they override."""

    versions = "alpaca-py >= 0.33.1, < 0.45"
    tested = ("0.33.1", "0.44.0")
    emits: ClassVar[tuple[Metric, ...]] = (
        execution.FILLS,
        execution.NOTIONAL,
        order.ACKNOWLEDGEMENT_DURATION,
        order.FILL_DURATION,
        order.REJECTIONS,
        order.REQUEST_DURATION,
        order.REQUESTS,
        order.TRANSITIONS,
        portfolio.PNL,
        portfolio.POSITION_QUANTITY,
        resilience.RETRIES,
        venue.SESSION_STATUS,
        *_links.EMITS,
    )
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
        "alpaca.common.rest": _rest.CALLS,
        "alpaca.trading.client": _rest.ORDERS_OF_CLIENT,
        "alpaca.trading.stream": _streams.TRADING,
        "alpaca.data.live.websocket": _streams.DATA,
    }

    def _instrument(self, **kwargs: Any) -> None:
        _links.begin(_streams.NAME)
        super()._instrument(**kwargs)

    def _uninstrument(self, **kwargs: Any) -> None:
        super()._uninstrument(**kwargs)
        _links.end(_streams.NAME)
