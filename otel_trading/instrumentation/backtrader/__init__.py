"""backtrader: each `Cerebro.run` on historical data is one backtest; on live data it is orders, feeds and connections.

| Read from a backtest                              | Emitted                                                          |
| ------------------------------------------------- | ---------------------------------------------------------------- |
| how long it took, the exception that ended it     | `trading.backtest.duration`, span and event                      |
| the broker's value at start, end and every bar    | `trading.backtest.return`, `.max_drawdown`                       |
| `notify_trade` of closed trades                   | `trading.backtest.trades`, `.win_rate`: profits net of fees      |
| the user's own `SharpeRatio` analyzer, if any     | `trading.backtest.sharpe_ratio`                                  |

| Read while a data feed is live                    | Emitted                                                          |
| ------------------------------------------------- | ---------------------------------------------------------------- |
| `buy`, `sell`, `cancel`, and what they raise      | `trading.order.requests`                                         |
| `notify_order`                                    | `trading.order.transitions`, `.rejections`; executions       |
| `notify_data`; IB's codes in `notify_store`       | `trading.connection.status`, `.reconnects`                       |
| bars while the feed says LIVE                     | `trading.market_data.messages`, `.age`                           |

It listens as an analyzer among those that observers add, so that `strategy.analyzers` holds the user's own and nothing
else. The strategy is the user's default, else the name of the class; the symbol is the name of the feed. Set
`OTEL_TRADING_VENUE` and `OTEL_TRADING_CURRENCY`: backtrader knows neither. An optimisation (`optstrategy`) is one run
on however many processes, without a result: backtrader gives it none. A run inside a
`with otel_trading.backtest.run(...)` of the user's belongs to that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

from otel_trading import backtest
from otel_trading.instrumentation import _backtests
from otel_trading.instrumentation._hooks import LazyInstrumentor, quietly
from otel_trading.instrumentation.backtrader import analyzers, live
from otel_trading.instrumentation.backtrader.names import symbol_of, timeframe_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.semconv import Metric

__all__ = ["BacktraderInstrumentor"]

#: The class that each is to find parameters for: Cerebro itself keeps an iterator that nobody else may look into.
_optimized: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def _run(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if not instance.datas or live.is_live(instance, kwargs):
        return wrapped(*args, **kwargs)
    return _backtests.measured(lambda: wrapped(*args, **kwargs), lambda: _about(instance), analyzers.result)


def _part(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with backtest.part():
        return wrapped(*args, **kwargs)


def _start(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    _listen(instance)
    return wrapped(*args, **kwargs)


@quietly
def _listen(strategy: Any) -> None:
    if live.is_live(strategy.cerebro, {}):
        strategy._addanalyzer_slave(analyzers.analyzer(analyzers.Live))  # noqa: SLF001  the user's are listed elsewhere
    elif not strategy.cerebro._dooptimize:  # noqa: SLF001  trials have no result
        strategy._addanalyzer_slave(analyzers.analyzer(analyzers.Result))  # noqa: SLF001  as above


def _optimize(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    returned = wrapped(*args, **kwargs)
    _remember(instance, *args[:1])
    return returned


@quietly
def _remember(cerebro: Any, strategy: Any) -> None:
    _optimized[cerebro] = strategy.__name__


def _about(cerebro: Any) -> dict[str, str | None]:
    names = [_optimized.get(cerebro) if cerebro._dooptimize else one[0][0].__name__ for one in cerebro.strats]  # noqa: SLF001  as above
    data = cerebro.datas[0]
    return {
        "strategy": _backtests.strategy("+".join(filter(None, names)) or "Strategy"),
        "timeframe": timeframe_of(data),
        "symbol": symbol_of(data) if len(cerebro.datas) == 1 else None,
    }


class BacktraderInstrumentor(LazyInstrumentor):
    """Looks at runs, and listens to each strategy that starts."""

    versions = "backtrader >= 1.9.77, < 2"
    tested = ("1.9.77.123", "1.9.78.123")
    emits: ClassVar[tuple[Metric, ...]] = (*_backtests.EMITS, *live.EMITS)
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
        "backtrader.cerebro": {
            "Cerebro.run": _run,
            "Cerebro.optstrategy": _optimize,
            "Cerebro.__call__": _part,
            "Cerebro._notify_data": live.data_notified,
            "Cerebro._notify_store": live.store_notified,
        },
        "backtrader.strategy": {
            "Strategy._start": _start,
            "Strategy.buy": live.sent,
            "Strategy.sell": live.sent,
            "Strategy.cancel": live.canceled,
        },
    }
