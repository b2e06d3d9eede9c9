"""vectorbt: each simulation of a `Portfolio` is one run, with the results that the user asks it for.

| Read from `Portfolio`                                           | Emitted                                            |
| --------------------------------------------------------------- | -------------------------------------------------- |
| `from_signals`, `from_orders`, `from_order_func` and what calls | `trading.backtest.duration`, span and event        |
| them; the exception that ended it                               |                                                    |
| what `total_return`, `sharpe_ratio`, `max_drawdown` and `stats` | `trading.backtest.return`, `.sharpe_ratio`,        |
| return to the user                                              | `.max_drawdown`, `.win_rate`, `.trades` (closed)   |

Nothing is reckoned that the user did not ask for: the first time it would compile for seconds. A portfolio of several
columns, such as one for each combination of parameters, is one run without a result, however many they are. The
strategy is the user's default (`OTEL_TRADING_STRATEGY`, `meter.scope`), else `vectorbt`, which knows no name of one;
the timeframe follows from the distance of the bars. Simulations inside a `with otel_trading.backtest.run(...)` of the
user's belong to that one: its results are the user's to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from otel_trading import backtest
from otel_trading.instrumentation import _backtests
from otel_trading.instrumentation._backtests import finite
from otel_trading.instrumentation._hooks import LazyInstrumentor, quietly

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.semconv import Metric

__all__ = ["VectorbtInstrumentor"]

_NAME: Final = "vectorbt"


def _simulate(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    close = args[0] if args else kwargs.get("close")
    return _backtests.measured(lambda: wrapped(*args, **kwargs), lambda: _about(close), lambda _: {})


def _ask(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    returned = wrapped(*args, **kwargs)
    if not (args or kwargs or backtest.inside()):  # the plain question; others are about a column, a part, a grouping
        _answer(instance, wrapped.__name__, returned)
    return returned


@quietly
def _answer(portfolio: Any, asked: str, returned: Any) -> None:
    if portfolio.wrapper.get_ndim() == 1:
        answers: dict[str, Any] = {
            "total_return": lambda: {"total_return": finite(returned)},
            "sharpe_ratio": lambda: {"sharpe_ratio": finite(returned)},
            "max_drawdown": lambda: {"max_drawdown": _positive(finite(returned))},
            "stats": lambda: _statistics(returned),
        }
        backtest.result(**_about(portfolio.wrapper), **answers[asked]())


def _statistics(told: Any) -> dict[str, float | None]:
    return {
        "total_return": finite(told.get("Total Return [%]"), percent=True),
        "sharpe_ratio": finite(told.get("Sharpe Ratio")),
        "max_drawdown": _positive(finite(told.get("Max Drawdown [%]"), percent=True)),
        "win_rate": finite(told.get("Win Rate [%]"), percent=True),
        "trades": finite(told.get("Total Closed Trades")),
    }


def _positive(drawdown: float | None) -> float | None:
    return None if drawdown is None else abs(drawdown)


def _about(indexed: Any) -> dict[str, str | None]:
    index = getattr(indexed, "index", None)
    bars = None if index is None else _backtests.timeframe(index)
    return {"strategy": _backtests.strategy(_NAME), "timeframe": bars}


class VectorbtInstrumentor(LazyInstrumentor):
    """Looks at each simulation, and at what the user asks of a portfolio."""

    versions = "vectorbt >= 0.28, < 2"
    tested = ("0.28.0", "1.2.0")
    emits: ClassVar[tuple[Metric, ...]] = _backtests.EMITS
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
        "vectorbt.portfolio.base": {
            **{f"Portfolio.from_{what}": _simulate for what in ("signals", "orders", "order_func")},
            **{f"Portfolio.{what}": _ask for what in ("total_return", "sharpe_ratio", "max_drawdown", "stats")},
        }
    }
