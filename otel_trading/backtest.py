"""Backtests: what is recorded inside a run carries `trading.mode=backtest`, so that it can never page.

::

    from otel_trading import backtest

    with backtest.run(strategy="momentum", timeframe="1h") as run:
        report = simulate(...)
        run.result(sharpe_ratio=report.sharpe, max_drawdown=report.drawdown, total_return=report.total, trades=report.n)

The mode holds for the code inside the block and for the asyncio tasks that it starts. A thread inherits nothing: give
it `run.wrap(function)`, also in a pool: `pool.map(run.wrap(simulate), parameters)`.

A run has trackers of its own. Orders, positions and P&L of two runs, or of a run and the live bot beside it, never
meet; those of a run leave once with its flush and end with it, whoever still holds a wrapped function. Counters,
histograms and the results stay.
"""

from __future__ import annotations

import contextvars
import threading
import time
import uuid
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from opentelemetry.metrics import get_meter_provider

from otel_trading import _context, events, instruments, spans, trackers
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded
from otel_trading._numbers import number
from otel_trading._timer import error_type
from otel_trading.errors import ConventionError
from otel_trading.semconv import attributes as a
from otel_trading.semconv import backtest as metrics
from otel_trading.semconv import events as happened
from otel_trading.semconv import spans as declared

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType

    from typing_extensions import Self

    from otel_trading._numbers import Number
    from otel_trading.semconv import Metric

__all__ = ["Run", "inside", "part", "result", "run"]

P = ParamSpec("P")
R = TypeVar("R")

#: Seconds that the end of a run may wait for an export.
BOUND: Final = 2.5
#: What a run sets as defaults for everything inside it.
_PLACE: Final = {"strategy": a.STRATEGY, "venue": a.VENUE, "account": a.ACCOUNT, "currency": a.CURRENCY}
_RUN: Final = Keywords("backtest.run", error=a.ERROR_TYPE, timeframe=a.TIMEFRAME, symbol=a.SYMBOL, **_PLACE)
#: Whether a run is open here.
_inside: Final[ContextVar[bool]] = ContextVar("otel_trading_inside_backtest", default=False)


def inside() -> bool:
    """Return whether a run is open here: what a library does then is a part of it, and no run of its own."""
    return _inside.get()


@contextmanager
def part() -> Generator[None, None, None]:
    """Do a part of a run that is open elsewhere: on a thread or in a process that inherited nothing of it."""
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)


class Run:
    """One backtest, while the `with` block of `backtest.run` is open.

    Emits the span `trading.backtest.run` and the event `trading.backtest.completed`, which carry its id.
    """

    def __init__(
        self,
        about: tuple[str | None, str | None],
        place: tuple[str | None, ...],
        *,
        flush: bool,
        context: contextvars.Context | None = None,
    ) -> None:
        self._words = (*about, *place)
        self._place = dict(zip((one.name for one in _PLACE.values()), place, strict=True))
        self._flush = flush
        #: Of this run alone; on its span and its event, never on a metric.
        self.id = uuid.uuid4().hex
        self._open = ExitStack()
        self._span: spans.Started | None = None
        self._context = context
        self._begin = 0.0

    def __enter__(self) -> Self:
        """Begin the run."""
        self._open.enter_context(_context.scope({**self._place, a.MODE.name: "backtest"}))
        self._open.enter_context(trackers.scope(trackers.Trackers()))
        self._open.enter_context(part())
        self._span = self._traced()
        self._context = contextvars.copy_context()
        self._begin = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the run, whatever happened."""
        with self._open:
            self._finish(time.perf_counter() - self._begin, error_type(kind))
            if self._flush:
                _flush()
        self._context = None

    @guarded
    def result(
        self,
        *,
        sharpe_ratio: Number | None = None,
        max_drawdown: Number | None = None,
        total_return: Number | None = None,
        win_rate: Number | None = None,
        trades: Number | None = None,
    ) -> None:
        """Take what the run came to; of each strategy and timeframe the latest run is shown.

        Args:
            sharpe_ratio: As your library reckons it.
            max_drawdown: Positive share of the peak: 0.12 is 12 %.
            total_return: Share of the initial equity: 0.5 is 50 %.
            win_rate: Share of the closed trades that won: 0.5 is every second one.
            trades: Number of closed trades.

        Emits: `trading.backtest.sharpe_ratio`, `.max_drawdown`, `.return`, `.win_rate`, `.trades`.
        """
        self._state(metrics.SHARPE_RATIO, sharpe_ratio, "sharpe_ratio")
        self._state(metrics.MAX_DRAWDOWN, max_drawdown, "max_drawdown", minimum=0)
        self._state(metrics.RETURN, total_return, "total_return")
        self._state(metrics.WIN_RATE, win_rate, "win_rate", minimum=0)
        self._state(metrics.TRADES, trades, "trades", minimum=0)

    def wrap(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return the function as one that runs inside this run, on whichever thread calls it.

        Args:
            function: Anything but a coroutine function: a task inherits the run by itself.

        Raises:
            ConventionError: Outside the `with` block: this is the program's structure, not recording.
        """
        context = self._context
        if context is None:
            message = "run.wrap() was called outside its run. Call it inside the `with backtest.run(...)` block."
            raise ConventionError(message)

        @wraps(function)
        def inside(*args: P.args, **kwargs: P.kwargs) -> R:
            return context.copy().run(function, *args, **kwargs)  # a copy, because only one thread may be in a context

        return inside

    @guarded
    def _traced(self) -> spans.Started:
        return spans.start(declared.BACKTEST, _RUN.find(None, *self._words), backtest_id=self.id).enter()

    @guarded
    def _finish(self, seconds: float, error: str | None) -> None:
        attributes = _RUN.resolve(error, *self._words)
        instruments.of(metrics.DURATION).record(seconds, attributes)
        events.emit(happened.BACKTEST_COMPLETED, attributes, backtest_id=self.id)
        if self._span is not None:
            self._span.close(error)

    def _state(self, metric: Metric, value: Number | None, what: str, minimum: float | None = None) -> None:
        stated = None if value is None else number(value, what, minimum=minimum)
        if stated is not None and self._context is not None:
            instruments.of(metric).record(stated, self._context.copy().run(_RUN.resolve, None, *self._words))


def run(
    *,
    strategy: str | None = None,
    timeframe: str | None = None,
    symbol: str | None = None,
    venue: str | None = None,
    account: str | None = None,
    currency: str | None = None,
    flush: bool = True,
) -> Run:
    """Open a backtest, as a `with` block; an exception in it becomes `error.type` and is raised on.

    Args:
        strategy: Name of the strategy; needed for results unless it is a default already.
        timeframe: Length of a bar, such as 1h.
        symbol: What is traded, where it is one thing.
        venue: Default inside the run.
        account: Default inside the run.
        currency: Default inside the run.
        flush: Whether the end waits until the metrics have left, at most 2.5 s; False for thousands of short runs.

    Emits: `trading.backtest.duration`; its count is the number of runs.
    """
    known_venue = None if venue is None else str(venue).lower()
    return Run((timeframe, symbol), (strategy, known_venue, account, currency), flush=flush)


@guarded
def result(
    *,
    strategy: str | None = None,
    timeframe: str | None = None,
    sharpe_ratio: Number | None = None,
    max_drawdown: Number | None = None,
    total_return: Number | None = None,
    win_rate: Number | None = None,
    trades: Number | None = None,
) -> None:
    """State what a run that is over came to, where that is reckoned later.

    Args:
        strategy: Name of the strategy; needed unless it is a default already.
        timeframe: Length of a bar, as of the run.
        sharpe_ratio: As for `Run.result`.
        max_drawdown: As for `Run.result`.
        total_return: As for `Run.result`.
        win_rate: As for `Run.result`.
        trades: As for `Run.result`.

    Emits: `trading.backtest.sharpe_ratio`, `.max_drawdown`, `.return`, `.win_rate`, `.trades`.
    """
    with _context.scope({a.STRATEGY.name: strategy, a.MODE.name: "backtest"}):
        over = Run((timeframe, None), (strategy, None, None, None), flush=False, context=contextvars.copy_context())
        over.result(
            sharpe_ratio=sharpe_ratio,
            max_drawdown=max_drawdown,
            total_return=total_return,
            win_rate=win_rate,
            trades=trades,
        )


class _Flushing:
    thread: threading.Thread | None = None


@guarded
def _flush() -> None:
    """Send what was recorded; a Collector that does not answer is waited for once, not at the end of every run."""
    force = getattr(get_meter_provider(), "force_flush", None)
    if force is None or (_Flushing.thread is not None and _Flushing.thread.is_alive()):
        return
    _Flushing.thread = threading.Thread(target=guarded(force), name="otel-trading-flush", daemon=True)
    _Flushing.thread.start()
    _Flushing.thread.join(BOUND)
