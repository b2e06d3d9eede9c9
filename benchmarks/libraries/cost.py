"""What a hook adds to a library's hot call: the same call with and without it, by turns in one run.

Each file of this folder names one library's call and runs in its own environment: `nox -s cost`, and at its end one
table of all. It is the processor time of the whole process, that of the server and of the waiting loop included, and
each figure is the median over short rounds in which the two sides alternate, so that a busy machine slows both. Beside
it stands what the same records would cost when somebody made them by hand with OpenTelemetry's SDK alone.
"""

from __future__ import annotations

import os
import statistics
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from otel_trading import instruments, meter, trackers
from otel_trading.instruments import Recorder
from otel_trading.sdk.views import views
from otel_trading.semconv import Kind, Metric, market_data
from otel_trading.trackers import FeedTracker
from otel_trading.trackers._pending import Pending

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from otel_trading._attributes import AttributeSet

    #: Value and attributes, by metric.
    Note = tuple[Metric, float, dict[str, str]]

__all__ = ["clock", "compare", "compare_async", "compare_timed"]

clock: Final = time.process_time
_TABLE: Final = "OTEL_TRADING_COST_TABLE"


def _provider() -> MeterProvider:
    return MeterProvider([InMemoryMetricReader()], views=views(), shutdown_on_exit=False)


def _prepare() -> None:
    instruments.bind(_provider())
    meter.defaults(mode="live", venue="here", strategy="bench", currency="USD")


def compare(name: str, call: Callable[[], Any], instrumentor: Any, *, rounds: int = 200, calls: int = 10) -> None:
    """Print what the instrumentor adds to one call, in microseconds and as a ratio.

    Args:
        name: What is called.
        call: Does it once, on the real library.
        instrumentor: Is switched on and off between rounds.
        rounds: Pairs of measurements.
        calls: Per measurement.
    """

    async def once() -> float:
        begin = clock()
        for _ in range(calls):
            call()
        return (clock() - begin) / calls

    measuring = compare_timed(name, once, instrumentor, rounds=rounds, calls=calls)
    try:
        measuring.send(None)  # in no loop, as the library may run one of its own
    except StopIteration:
        return


async def compare_async(
    name: str, call: Callable[[], Awaitable[Any]], instrumentor: Any, *, rounds: int = 200, calls: int = 10
) -> None:
    """Do the same for a coroutine, in the loop that runs; arguments as for `compare`."""

    async def once() -> float:
        begin = clock()
        for _ in range(calls):
            await call()
        return (clock() - begin) / calls

    await compare_timed(name, once, instrumentor, rounds=rounds, calls=calls)


async def compare_timed(
    name: str, once: Callable[[], Awaitable[float]], instrumentor: Any, *, rounds: int = 60, calls: int = 50
) -> None:
    """Do the same for what takes its own time, such as the messages of a connection that it opens.

    Args:
        name: What is called.
        once: Does it some times and returns the seconds of one by `clock`.
        instrumentor: Is switched on and off between rounds.
        rounds: Pairs of measurements.
        calls: How often `once` does it.
    """
    _prepare()
    await once()
    pairs = []
    for _ in range(rounds):
        bare = await once()
        instrumentor.instrument()
        hooked = await once()
        instrumentor.uninstrument()
        pairs.append((bare, hooked + _collected() / calls))
    instrumentor.instrument()
    with _noting() as notes:
        await once()
    instrumentor.uninstrument()
    _say(name, pairs, _by_hand(notes) / calls)


def _collected() -> float:
    """Return the seconds that a collection takes to record what waits for it."""
    begin = clock()
    trackers.default().flush()
    return clock() - begin


@contextmanager
def _noting() -> Generator[list[Note], None, None]:
    """Note what is recorded or added up, instead of doing it."""
    notes: list[Note] = []
    take = FeedTracker.received

    def note(recorder: Recorder, value: float, attributes: AttributeSet, *_: object) -> None:
        notes.append((recorder.metric, value, recorder.restrict(attributes) or {}))

    def add(_: Pending, metric: Metric, attributes: AttributeSet, value: float = 1, *__: object, **___: object) -> None:
        note(instruments.of(metric), value, attributes)

    def record(_: Pending, metric: Metric, value: float, attributes: AttributeSet, *__: object) -> None:
        note(instruments.of(metric), value, attributes)

    def received(feeds: FeedTracker, attributes: AttributeSet, **keywords: Any) -> None:
        note(instruments.of(market_data.MESSAGES), 1, attributes)
        take(feeds, attributes, **keywords)

    with (
        patch.object(Recorder, "record", note),
        patch.object(Pending, "add", add),
        patch.object(Pending, "record", record),
        patch.object(FeedTracker, "received", received),
    ):
        yield notes


def _by_hand(notes: list[Note]) -> float:
    """Return the seconds that all the records take."""
    own, made = _provider().get_meter("bare"), {}
    for metric, _, _ in notes:
        if metric.kind is Kind.COUNTER:
            made[metric] = own.create_counter(metric.name, str(metric.unit)).add
        elif metric.kind is Kind.HISTOGRAM:
            made[metric] = own.create_histogram(metric.name, str(metric.unit)).record
    records = [(made[metric], value, attributes) for metric, value, attributes in notes if metric in made]

    def once() -> float:
        begin = clock()
        for record, value, attributes in records:
            record(value, attributes)
        return clock() - begin

    return statistics.median(once() for _ in range(30)) if records else 0.0


def _say(name: str, pairs: list[tuple[float, float]], by_hand: float) -> None:
    bare, hooked = (statistics.quantiles(side, n=4)[0] for side in zip(*pairs, strict=True))
    middle = statistics.median(with_it / without - 1 for without, with_it in pairs)
    row = (
        f"| {name} | {bare * 1e6:.1f} | {(hooked - bare) * 1e6:+.1f} | {hooked / bare - 1:+.1%} ({middle:+.1%}) "
        f"| {by_hand * 1e6:.1f} |"
    )
    print(row)
    if table := os.environ.get(_TABLE):
        with Path(table).open("a", encoding="utf-8") as file:
            file.write(f"{row}\n")
