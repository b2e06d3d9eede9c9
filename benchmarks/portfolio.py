"""What the portfolio costs: fills over 200 symbols, one observation, and a curve over the number of symbols.

    python benchmarks/portfolio.py

Targets: 10,000 fills over 200 symbols in 0.5 s; observation of 1,000 positions in 5 ms, without the SDK's own part.
CPU time. Beside a fill and an observation stand their ratios to the bare SDK: to one `add` of a counter with the same
attributes, and to one collection of a gauge with a point per symbol. The
history costs nothing: a fill after 100,000 others is printed beside one after none.
"""

from __future__ import annotations

import json
import time
import tracemalloc

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from otel_trading import instruments
from otel_trading._attributes import AttributeSet
from otel_trading.sdk.views import views
from otel_trading.semconv import attributes as a
from otel_trading.trackers import PortfolioTracker
from otel_trading.trackers.portfolio import _picture

FILLS = 10_000


def symbols(count: int) -> list[AttributeSet]:
    common = {a.MODE.name: "live", a.CURRENCY.name: "USD", a.ACCOUNT.name: "bench"}
    return [AttributeSet({**common, a.SYMBOL.name: f"S{number:05}"}) for number in range(count)]


def fill(tracker: PortfolioTracker, keys: list[AttributeSet], fills: int = FILLS) -> float:
    begin = time.process_time()
    for number in range(fills):
        side = 2.0 if number // len(keys) % 3 else -3.0
        tracker.filled(keys[number % len(keys)], side, 100.0 + number % 17, 0.01)
    return time.process_time() - begin


def bare(keys: list[AttributeSet]) -> tuple[float, float]:
    """Seconds of one `add` and of one collection, by hand."""
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader], shutdown_on_exit=False).get_meter("bare")
    add, point = meter.create_counter("fills").add, meter.create_gauge("value").set
    for key in keys:
        point(1.0, dict(key.values))
    begin = time.process_time()
    reader.get_metrics_data()
    collected = time.process_time() - begin
    begin = time.process_time()
    for number in range(FILLS):
        add(1, keys[number % len(keys)].values)
    return (time.process_time() - begin) / FILLS, collected


def observe(tracker: PortfolioTracker) -> float:
    begin = time.process_time()
    for metric in _picture.METRICS:
        tracker._rows(metric)  # noqa: SLF001  what a collection reads, without the SDK around it
    return time.process_time() - begin


def keep(tracker: PortfolioTracker) -> tuple[float, float, int]:
    """Milliseconds of a snapshot and of going on from it, and its length as JSON."""
    begin = time.process_time()
    text = json.dumps(tracker.snapshot())
    written = time.process_time()
    PortfolioTracker().restore(text)
    return (written - begin) * 1e3, (time.process_time() - written) * 1e3, len(text)


def main() -> None:
    instruments.bind(MeterProvider(views=views(), shutdown_on_exit=False))
    for cost in ("average", "fifo"):
        seconds = min(fill(PortfolioTracker(cost=cost), symbols(200)) for _ in range(3))
        print(f"{FILLS:,} fills over 200 symbols, {cost}: {seconds:.3f} s")
    old = PortfolioTracker()
    first, keys = fill(old, symbols(200)), symbols(200)
    for _ in range(10):
        fill(old, keys)
    print(f"{FILLS:,} more after 100,000 others: {fill(old, keys):.3f} s beside {first:.3f} s")
    columns = (
        "us a fill",
        "of an add",
        "ms observed",
        "of a collect",
        "bytes a symbol",
        "ms snapshot",
        "ms restored",
        "bytes of it",
    )
    print(f"{'symbols':>8} " + " ".join(f"{column:>14}" for column in columns))
    for count in (10, 100, 1_000, 10_000):
        keys = symbols(count)
        tracker = PortfolioTracker()
        each = fill(tracker, keys) / FILLS * 1e6
        for key in keys:  # so that every position is open
            tracker.filled(key, 50.0, 100.0)
        observe(tracker)  # the first one derives the attribute sets
        seen = min(observe(tracker) for _ in range(5)) * 1e3
        add, collected = bare(keys)
        tracemalloc.start()
        second = PortfolioTracker()
        fill(second, keys, count)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        costs = f"{each:14.1f} {each / add / 1e6:14.2f} {seen:14.2f} {seen / collected / 1e3:14.2f}"
        figures = [f"{costs} {held / count:14.0f}", *(f"{cost:14,.1f}" for cost in keep(tracker))]
        print(f"{count:8,} {' '.join(figures)}")


if __name__ == "__main__":
    main()
