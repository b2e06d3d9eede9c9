"""ccxt, of any venue, sync and async and pro: orders, fills, calls, budgets, clocks, feeds and connections.

| Read from                                             | Emitted                                              |
| ----------------------------------------------------- | ---------------------------------------------------- |
| every request, by the unified method that makes it    | `trading.venue.request.duration`                     |
| a further request after a failed one                  | `trading.resilience.retries`                         |
| `create_order(s)`, `edit_order`, `cancel_order`,      | `trading.order.requests`, `.request.duration`,       |
| `cancel_all_orders`, `fetch_order`, and their `_ws`   | `.transitions`, `.acknowledgement.duration`          |
| ccxt's exception for a new order                      | `trading.order.rejections`, by the reason of FIX 103 |
| every order and own trade that ccxt reads, in replies | `trading.order.transitions`, `.fill.duration`,       |
| and on streams                                        | `trading.execution.*`, and what follows from fills   |
| the throttle, where it waits                          | `trading.rate_limit.wait.duration`                   |
| headers of replies, and status 418 or 429             | `trading.rate_limit.*`                               |
| `Date`, and more exactly `fetch_time`                 | `trading.venue.clock.offset`                         |
| `watch_*` of market data, each update that a bot gets | `trading.market_data.messages`, `.age`, `.delay`     |
| `ChecksumError` of a book, and the next good one      | `trading.market_data.gaps`, `.resyncs`               |
| WebSockets, named by their host                       | `trading.connection.*`                               |

The venue is the id of the exchange, the symbol is ccxt's, the currency that of the price. `error.type` is ccxt's class
of exception. An order that failed in a way that leaves it open whether the venue has it (a timeout, a 503) is not
rejected: it stays unacknowledged until a report says more. An execution counts once, by its id, whether a reply, a
stream or the sum of an order told of it first. A cancel that a venue accepts without a status counts as canceled.
Of a feed with more than ten updates a second the delay is that of a sample.

The methods of ccxt's own classes are hooked, on the first instance of each: a subclass of yours stays as it is, and
what it calls of ccxt is seen. No parameter, header, URL or text of an exception is recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from otel_trading.instrumentation import _replies
from otel_trading.instrumentation._hooks import LazyInstrumentor, put, take_off
from otel_trading.instrumentation._orders import EMITS
from otel_trading.instrumentation.ccxt._base import BASE
from otel_trading.instrumentation.ccxt._unified import dress_all, undress
from otel_trading.semconv import market_data, resilience, venue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.semconv import Metric

__all__ = ["CcxtInstrumentor"]

_FIRST: Final = "ccxt.base.exchange"
#: Newer versions divide the base class.
_OWNERS: Final = ("BaseExchange", "Exchange", "Client")


class CcxtInstrumentor(LazyInstrumentor):
    """Hooks the base classes of ccxt, and on the first instance of a venue its unified methods."""

    versions = "ccxt >= 4.5.22, < 5"
    tested = ("4.5.22", "4.5.90")
    emits: ClassVar[tuple[Metric, ...]] = (
        *_replies.EMITS,
        venue.REQUEST_DURATION,
        venue.RATE_LIMIT_WAIT_DURATION,
        resilience.RETRIES,
        *EMITS,
        market_data.MESSAGES,
        market_data.AGE,
        market_data.DELAY,
        market_data.GAPS,
        market_data.RESYNCS,
        market_data.CONNECTION_STATUS,
        market_data.CONNECTION_RECONNECTS,
        market_data.CONNECTION_UPTIME,
    )
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = BASE

    def _arrived(self, module: Any) -> None:
        for name, hook in self.hooks[module.__name__].items():
            put(module, f"{_owner(module)}.{name}", hook)
        if module.__name__ == _FIRST:
            dress_all(getattr(module, _owner(module)))

    def _left(self, module: Any) -> None:
        for name in self.hooks[module.__name__]:
            take_off(module, f"{_owner(module)}.{name}")
        if module.__name__ == _FIRST:
            undress()


def _owner(module: Any) -> str:
    """Return the class that holds what is hooked: some modules of ccxt import one of the same name."""
    return next(name for name in _OWNERS if getattr(getattr(module, name, None), "__module__", "") == module.__name__)
