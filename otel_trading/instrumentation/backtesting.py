"""backtesting.py: each `Backtest.run` and each `Backtest.optimize` is one run, with what it came to.

| Read from the statistics that the user gets too          | Emitted                                                 |
| -------------------------------------------------------- | ------------------------------------------------------- |
| how long it took, the exception that ended it            | `trading.backtest.duration`; its count is that of runs  |
| Sharpe Ratio, Max. Drawdown [%], Return [%]              | `.sharpe_ratio`, `.max_drawdown`, `.return`             |
| Win Rate [%], # Trades                                   | `.win_rate`, `.trades`                                  |
| the run itself, its id                                   | span `trading.backtest.run`, and the event of its end   |

The strategy is the user's default, else the name of its class, and the timeframe follows from the distance of the bars;
parameters are recorded nowhere, so that a thousand of them are one series. An optimisation is one run too, whatever it
tries and on however many processes and threads: it lasts from the first trial to the last, and its result is that of
the best one. So is a `MultiBacktest.run`, without a result: it has one for each instrument. What the strategy records
by `meter` inside carries mode=backtest; nothing is recorded per bar, nor anything in the processes of a pool. A run
inside a `with otel_trading.backtest.run(...)` of the user's belongs to that one: its name and results are the user's to
say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from otel_trading import backtest
from otel_trading.instrumentation import _backtests
from otel_trading.instrumentation._backtests import finite
from otel_trading.instrumentation._hooks import LazyInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.semconv import Metric

__all__ = ["BacktestingInstrumentor"]


def _run(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _backtests.measured(lambda: wrapped(*args, **kwargs), lambda: _about(instance), _result)


def _part(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with backtest.part():
        return wrapped(*args, **kwargs)


def _run_many(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _backtests.measured(lambda: wrapped(*args, **kwargs), lambda: _about(instance), lambda _: {})


def _about(instance: Any) -> dict[str, str | None]:
    data = instance._dfs[0] if hasattr(instance, "_dfs") else instance._data  # noqa: SLF001  it keeps nothing in public
    name: str = instance._strategy.__name__  # noqa: SLF001  as above
    return {"strategy": _backtests.strategy(name), "timeframe": _backtests.timeframe(data.index)}


def _result(returned: Any) -> dict[str, float | None]:
    statistics = returned if hasattr(returned, "get") else returned[0]  # an optimisation's with its heatmap
    drawdown = finite(statistics.get("Max. Drawdown [%]"), percent=True)
    return {
        "sharpe_ratio": finite(statistics.get("Sharpe Ratio")),
        "max_drawdown": None if drawdown is None else abs(drawdown),
        "total_return": finite(statistics.get("Return [%]"), percent=True),
        "win_rate": finite(statistics.get("Win Rate [%]"), percent=True),
        "trades": finite(statistics.get("# Trades")),
    }


class BacktestingInstrumentor(LazyInstrumentor):
    """Looks at runs and optimisations, and keeps the trials of the latter out."""

    versions = "backtesting >= 0.6.3, < 0.7"
    tested = ("0.6.3", "0.6.6")
    emits: ClassVar[tuple[Metric, ...]] = _backtests.EMITS
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
        "backtesting.backtesting": {"Backtest.run": _run, "Backtest.optimize": _run, "Backtest._mp_task": _part},
        "backtesting.lib": {"MultiBacktest.run": _run_many, "MultiBacktest._mp_task_run": _part},
    }
