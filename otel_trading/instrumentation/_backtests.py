"""One run of a backtest library, as `otel_trading.backtest` knows it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, TypeVar

from otel_trading import _context, backtest
from otel_trading.instrumentation._hooks import quietly
from otel_trading.semconv import attributes as a
from otel_trading.semconv import backtest as metrics

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["EMITS", "finite", "measured", "strategy", "timeframe"]

R = TypeVar("R")

EMITS: Final = (
    metrics.DURATION,
    metrics.MAX_DRAWDOWN,
    metrics.RETURN,
    metrics.SHARPE_RATIO,
    metrics.TRADES,
    metrics.WIN_RATE,
)
_PERCENT: Final = 100.0
_UNITS: Final = ((604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_MONTH: Final = range(28 * 86_400, 31 * 86_400 + 1)
#: Bars that are looked at; more would not tell more of how long one is.
_SAMPLE: Final = 101


def measured(
    call: Callable[[], R], about: Callable[[], dict[str, str | None]], result: Callable[[R], dict[str, Any]]
) -> R:
    """Do what the user asked for, as one run; inside another run it is a part of that.

    Nothing waits for an export at its end: what it came to leaves with the next one.

    Args:
        call: What the user asked for.
        about: Gives what is known of the run before it, as keywords of `backtest.run`.
        result: Gives what it came to, as keywords of `Run.result`.
    """
    opened: list[backtest.Run] = []
    if not backtest.inside():
        _open(opened, about)
    if not opened:
        return call()
    with opened[0] as run:
        returned = call()
        _take(run, result, returned)
    return returned


@quietly
def _open(opened: list[backtest.Run], about: Callable[[], dict[str, Any]]) -> None:
    opened.append(backtest.run(flush=False, **about()))


@quietly
def _take(run: backtest.Run, result: Callable[[R], dict[str, Any]], returned: R) -> None:
    run.result(**result(returned))


def finite(value: object, *, percent: bool = False) -> float | None:
    """Return a figure of a library, or None where it has none: no trade, no ratio.

    Args:
        value: As the library gives it.
        percent: Whether 100 stands for the whole.
    """
    if value is None:
        return None
    number = float(value)  # type: ignore[arg-type]  # numpy's and Decimal's too
    return (number / _PERCENT if percent else number) if math.isfinite(number) else None


def strategy(name: str) -> str | None:
    """Return the name of a strategy's class, or None where the user has said how the strategy is called."""
    return None if a.STRATEGY.name in _context.current().values else name


def timeframe(index: Any) -> str | None:
    """Return how long a bar is, such as 1h or 1d: the usual distance of two; None for bars without a time.

    Args:
        index: Of pandas, with the time of each bar.
    """
    sample = index[:_SAMPLE]
    if getattr(sample, "dtype", None) is None or sample.dtype.kind not in "mM":
        return None
    seconds = int((sample[1:] - sample[:-1]).median().total_seconds()) if len(sample) > 1 else 0
    if seconds in _MONTH:
        return "1M"
    for unit, name in _UNITS:
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds // unit}{name}"
    return None
