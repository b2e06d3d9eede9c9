"""What a hook adds to a library's hot call: the same call with and without it, by turns in one run.

Each file of this folder names one library's call and runs in its own environment: `nox -s cost`, and at its end one
table of all. It is processor time, so that other work on the machine slows no side alone: of the whole process, the
server included, and of the calling thread by itself where the server has another one. What a hook leaves to the next
collection is made up for after every few calls and counts as added. Figures are quartiles and medians over short rounds
in which the sides, each a process of its own (`sides`), alternate. Beside it stands what the same records would cost
when somebody made them by hand with OpenTelemetry's SDK alone, and what all adds that `otel-trading run` switches on:
traces, which are encoded and then dropped, and OpenTelemetry's own instrumentation of requests and aiohttp.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import by_hand
import sides
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from otel_trading import instruments, meter, spans, trackers
from otel_trading.sdk.redaction import SpanRedaction
from otel_trading.sdk.sampling import sampler
from otel_trading.sdk.views import views

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    #: Seconds of the whole process and of the calling thread.
    Took = tuple[float, float]

__all__ = ["clock", "compare", "compare_async", "compare_timed"]

clock: Final = time.process_time
_TABLE: Final = "OTEL_TRADING_COST_TABLE"
_BY_HAND: Final = "by hand"
_WARM: Final = 0.5


class _Dropping(SpanExporter):
    """Does what an exporter does before it sends."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        encode_spans(spans).SerializeToString()
        return SpanExportResult.SUCCESS


def _provider() -> MeterProvider:
    return MeterProvider([InMemoryMetricReader()], views=views(), shutdown_on_exit=False)


def _traces(metrics: MeterProvider) -> TracerProvider:
    """Trace as `otel-trading run` does, OpenTelemetry's own instrumentation of the imported clients included."""
    provider = TracerProvider(sampler=sampler(), shutdown_on_exit=False)
    provider.add_span_processor(SpanRedaction())
    provider.add_span_processor(BatchSpanProcessor(_Dropping(), schedule_delay_millis=3_600_000))
    if "requests" in sys.modules:
        from opentelemetry.instrumentation.requests import RequestsInstrumentor  # noqa: PLC0415  only where it is used

        RequestsInstrumentor().instrument(tracer_provider=provider, meter_provider=metrics)
    if "aiohttp" in sys.modules:
        from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor  # noqa: PLC0415  as above

        AioHttpClientInstrumentor().instrument(tracer_provider=provider, meter_provider=metrics)
    spans.bind(provider)
    return provider


_asked: Final = sides.asked()
_metrics: Final = _provider()
#: Before the file makes its clients: OpenTelemetry's own hook is on sessions that are made later.
_traced: Final = _traces(_metrics) if _asked and _asked.side in {sides.TRACED, sides.TRACED_WITHOUT} else None


def compare(name: str, call: Callable[[], Any], instrumentor: Any, *, rounds: int = 200, calls: int = 10) -> None:
    """Print what the instrumentor adds to one call, in microseconds and as a ratio.

    Args:
        name: What is called.
        call: Does it once, on the real library.
        instrumentor: Is switched on at two of the sides.
        rounds: Measurements of each side.
        calls: Per measurement.
    """

    async def once() -> Took:
        begin, own = clock(), time.thread_time()
        for _ in range(calls):
            call()
        return (clock() - begin) / calls, (time.thread_time() - own) / calls

    measuring = _compare(name, once, instrumentor, rounds=rounds, calls=calls)
    try:
        measuring.send(None)  # in no loop, as the library may run one of its own
    except StopIteration:
        return


async def compare_async(
    name: str, call: Callable[[], Awaitable[Any]], instrumentor: Any, *, rounds: int = 200, calls: int = 10
) -> None:
    """Do the same for a coroutine, in the loop that runs; arguments as for `compare`."""

    async def once() -> Took:
        begin, own = clock(), time.thread_time()
        for _ in range(calls):
            await call()
        return (clock() - begin) / calls, (time.thread_time() - own) / calls

    await _compare(name, once, instrumentor, rounds=rounds, calls=calls)


async def compare_timed(
    name: str, once: Callable[[], Awaitable[float]], instrumentor: Any, *, rounds: int = 60, calls: int = 50
) -> None:
    """Do the same for what takes its own time, such as the messages of a connection that it opens.

    Args:
        name: What is called.
        once: Does it some times and returns the seconds of one by `clock`.
        instrumentor: Is switched on at two of the sides.
        rounds: Measurements of each side.
        calls: How often `once` does it.
    """

    async def both() -> Took:
        took = await once()
        return took, took

    await _compare(name, both, instrumentor, rounds=rounds, calls=calls)


async def _compare(
    name: str, once: Callable[[], Awaitable[Took]], instrumentor: Any, *, rounds: int, calls: int
) -> None:
    if _asked is None:
        _report(name, rounds)
    elif _asked.name == name:
        await _answer(_asked, once, instrumentor, calls)


async def _answer(asked: sides.Asked, once: Callable[[], Awaitable[Took]], instrumentor: Any, calls: int) -> None:
    """Take one side until nobody asks any more."""
    instruments.bind(_metrics)
    meter.defaults(mode="live", venue="here", strategy="bench", currency="USD")
    if asked.side in {sides.HOOKED, sides.TRACED}:
        instrumentor.instrument()
    begin, done = clock(), 0
    while done < 3 or clock() - begin < _WARM:  # noqa: PLR2004  CPython specialises what ran a few times
        await once()
        done += 1
        _collected()
    for command in asked.commands:
        if command.strip() == _BY_HAND:
            with by_hand.noting() as notes:
                await once()
            asked.tell(by_hand.seconds(notes, _provider()) / calls)
        else:
            asked.tell([*await once(), _collected() / calls])


def _collected() -> float:
    """Return the seconds that a collection and an export take for what waits for them."""
    begin = clock()
    trackers.default().flush()
    trackers.default().venues.unread.read()
    if _traced is not None:
        _traced.force_flush()
    return clock() - begin


def _report(name: str, rounds: int) -> None:
    turns = sides.Turns(name)
    answers: dict[str, list[list[float]]] = {side: [] for side in sides.SIDES}
    for _ in range(rounds):
        for side in sides.SIDES:
            answers[side].append(turns.ask(side))
    records = turns.ask(sides.HOOKED, _BY_HAND)
    turns.end()
    _say(name, {side: list(zip(*rows, strict=True)) for side, rows in answers.items()}, records)


def _say(name: str, took: dict[str, list[tuple[float, ...]]], records: float) -> None:
    def low(side: str, *kinds: int) -> float:
        """Return the lower quartile of the sum of whole, own and later."""
        sums = [sum(values) for values in zip(*(took[side][kind] for kind in kinds), strict=True)]
        return statistics.quantiles(sums, n=4)[0]

    whole, own, later = 0, 1, 2
    alone, client = low(sides.BARE, whole), low(sides.BARE, own)
    added = low(sides.HOOKED, whole, later) - alone
    pairs = zip(took[sides.BARE][whole], took[sides.HOOKED][whole], took[sides.HOOKED][later], strict=True)
    middle = statistics.median((hooked + after) / bare - 1 for bare, hooked, after in pairs)
    everything, others = (low(side, whole, later) - alone for side in (sides.TRACED, sides.TRACED_WITHOUT))
    microseconds = [alone, client, added, low(sides.HOOKED, later), records, everything, others]
    ratios = f"{added / alone:+.1%} ({middle:+.1%}) | {added / client:+.1%}"
    row = f"| {name} | {' | '.join(f'{one * 1e6:.1f}' for one in microseconds)} | {ratios} |"
    print(row)
    if table := os.environ.get(_TABLE):
        with Path(table).open("a", encoding="utf-8") as file:
            file.write(f"{row}\n")
