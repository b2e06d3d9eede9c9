"""nautilus_trader: what its message bus carries; its compiled code is not touched.

| Read, from the bus of every `NautilusKernel`                        | Emitted                                       |
| ------------------------------------------------------------------- | --------------------------------------------- |
| `events.order.*`: submitted, pending update, pending cancel         | `trading.order.requests`                      |
| `events.order.*`: accepted, rejected, denied, canceled, expired ... | `trading.order.transitions`, `.rejections`    |
| `events.order.*`: filled                                            | `trading.execution.*`, `.position.*`, P&L     |
| `events.account.*`                                                  | `trading.account.balance`, `.margin.*`        |
| `events.risk`                                                       | `trading.kill_switch.status`                  |
| `data.quotes.*`, not in a backtest                                  | `trading.market_data.*`, marks of positions   |

The mode is that of the environment: backtest, paper in a sandbox, live. The venue is that of the instrument, in lower
case, the strategy its id; terms of contracts are taken from the instrument. Positions follow from the fills, to which
nautilus's reconciliation adds those of the time before; `events.position.*` says the same again and is left alone.

`BacktestEngine` and `TradingNode` make a kernel each; for one that was made before the instrumentation, or without the
launcher, call `listen(engine.kernel)`. For duration and results of a backtest put `backtest.run` around `engine.run()`:
orders and money of two runs are then kept apart too. In a backtest the clock is not the simulation's: durations between
order events are those of the computer. Of rejections only post-only has a reason, in newer versions; the others say it
in words, which are not recorded. Refused updates and cancels leave their order as it was and have no count. Trades,
bars and books are left alone: a subscriber more would keep nautilus from ending a feed. Tags, account numbers and
options are not recorded.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, ClassVar, Final

from otel_trading.instrumentation._hooks import LazyInstrumentor, quietly
from otel_trading.instrumentation.nautilus._listener import Listener
from otel_trading.semconv import execution, market_data, order, portfolio

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.semconv import Metric

__all__ = ["NautilusInstrumentor", "listen"]

_listeners: Final[weakref.WeakKeyDictionary[Any, Listener]] = weakref.WeakKeyDictionary()


@quietly
def listen(kernel: Any) -> None:
    """Listen to the message bus of a kernel; twice is once.

    Args:
        kernel: `engine.kernel` of a `BacktestEngine`, or `node.kernel` of a `TradingNode`.
    """
    if kernel not in _listeners:
        _listeners[kernel] = Listener(kernel.msgbus, kernel.cache, str(kernel.environment.value))


def _init(wrapped: Callable[..., Any], kernel: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    wrapped(*args, **kwargs)
    listen(kernel)


class NautilusInstrumentor(LazyInstrumentor):
    """Listens to the message bus of every kernel that is made while it is on."""

    versions = "nautilus_trader >= 1.212.0, < 2"
    tested = ("1.212.0", "1.221.0")
    emits: ClassVar[tuple[Metric, ...]] = (
        order.REQUESTS,
        order.TRANSITIONS,
        order.REJECTIONS,
        execution.FILLS,
        execution.TRADE_CLOSURES,
        portfolio.PNL,
        portfolio.BALANCE,
        portfolio.POSITION_QUANTITY,
        market_data.AGE,
    )
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
        "nautilus_trader.system.kernel": {"NautilusKernel.__init__": _init}
    }

    def _left(self, module: Any) -> None:
        super()._left(module)
        for listener in _listeners.values():
            listener.leave()
        _listeners.clear()
