"""What a hook adds to a library's hot call: the same call with and without it, by turns in one run.

Each file of this folder names one library's call and runs in its own environment: `nox -s cost`.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from otel_trading import instruments, meter
from otel_trading.sdk.views import views

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["compare", "compare_async", "compare_timed"]


def _prepare() -> None:
    instruments.bind(MeterProvider([InMemoryMetricReader()], views=views(), shutdown_on_exit=False))
    meter.defaults(mode="live", venue="here", strategy="bench", currency="USD")


def compare(name: str, call: Callable[[], Any], instrumentor: Any, *, rounds: int = 60, calls: int = 50) -> None:
    """Print what the instrumentor adds to one call, as a ratio and in microseconds.

    Args:
        name: What is called.
        call: Does it once, on the real library.
        instrumentor: Is switched on and off between rounds.
        rounds: Pairs of measurements.
        calls: Per measurement.
    """

    def once() -> float:
        begin = time.perf_counter()
        for _ in range(calls):
            call()
        return (time.perf_counter() - begin) / calls

    _prepare()
    once()
    _say(name, [_pair(once, instrumentor) for _ in range(rounds)])


async def compare_async(
    name: str, call: Callable[[], Awaitable[Any]], instrumentor: Any, *, rounds: int = 60, calls: int = 50
) -> None:
    """Do the same for a coroutine, in the loop that runs; arguments as for `compare`."""

    async def once() -> float:
        begin = time.perf_counter()
        for _ in range(calls):
            await call()
        return (time.perf_counter() - begin) / calls

    await compare_timed(name, once, instrumentor, rounds=rounds)


async def compare_timed(
    name: str, once: Callable[[], Awaitable[float]], instrumentor: Any, *, rounds: int = 60
) -> None:
    """Do the same for what takes its own time, such as the messages of a connection that it opens.

    Args:
        name: What is called.
        once: Does it some times and returns the seconds of one.
        instrumentor: Is switched on and off between rounds.
        rounds: Pairs of measurements.
    """
    _prepare()
    await once()
    pairs = []
    for _ in range(rounds):
        bare = await once()
        instrumentor.instrument()
        hooked = await once()
        instrumentor.uninstrument()
        pairs.append((bare, hooked))
        await asyncio.sleep(0)
    _say(name, pairs)


def _pair(once: Callable[[], float], instrumentor: Any) -> tuple[float, float]:
    bare = once()
    instrumentor.instrument()
    hooked = once()
    instrumentor.uninstrument()
    return bare, hooked


def _say(name: str, pairs: list[tuple[float, float]]) -> None:
    bare = statistics.median(one for one, _ in pairs)
    added = statistics.median(hooked - one for one, hooked in pairs)
    low, _, high = statistics.quantiles((hooked / one for one, hooked in pairs), n=4)
    print(
        f"{name}: {added * 1e6:+.1f} us on {bare * 1e6:.0f} us, {added / bare:+.1%} "
        f"(middle half of the rounds: {low - 1:+.1%} to {high - 1:+.1%})"
    )
