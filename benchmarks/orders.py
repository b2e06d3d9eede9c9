"""What the tables behind orders, executions and intents take: bytes per row and microseconds per report.

    python benchmarks/orders.py [--rows 10000]

Bytes are those of tracemalloc after the rows were entered through the trackers, ids included, attributes shared as
they are between the orders of one symbol.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from typing import TYPE_CHECKING

from opentelemetry.sdk.metrics import MeterProvider

from otel_trading import instruments
from otel_trading._attributes import AttributeSet
from otel_trading.sdk.views import views
from otel_trading.semconv import attributes as a
from otel_trading.trackers import ExecutionTracker, IntentTracker, OrderTracker

if TYPE_CHECKING:
    from collections.abc import Callable

OF_EACH = AttributeSet({
    a.MODE.name: "live", a.VENUE.name: "kraken", a.STRATEGY.name: "bench", a.SYMBOL.name: "BTC/USD",
    a.ORDER_SIDE.name: "buy", a.ORDER_TYPE.name: "limit", a.ACCOUNT.name: "acct",
})  # fmt: skip


def steps() -> dict[str, Callable[[int], object]]:
    orders, executions, intents = OrderTracker(), ExecutionTracker(), IntentTracker()
    return {
        "order sent": lambda number: orders.sent(f"order-{number:08}", OF_EACH, 1.0),
        "order acknowledged": lambda number: orders.moved(f"order-{number:08}", OF_EACH, "new"),
        "order replaced": lambda number: orders.asked("replace", f"again-{number:08}", f"order-{number:08}", 2.0),
        "fill followed": lambda number: executions.filled(OF_EACH, 1.0, 100.0 + number),
        "execution remembered": lambda number: executions.repeated(OF_EACH, f"exec-{number:08}"),
        "intent created": lambda number: intents.created(f"intent-{number:08}", OF_EACH, "created", "pending"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    rows = parser.parse_args().rows
    instruments.bind(MeterProvider(views=views(), shutdown_on_exit=False))
    timed, measured = steps(), steps()
    print(f"{'step':22} {'us':>8} {'bytes':>8}")
    for name in timed:
        begin = time.perf_counter()
        for number in range(rows):
            timed[name](number)
        each = (time.perf_counter() - begin) / rows * 1e6
        tracemalloc.start()
        for number in range(rows):
            measured[name](number)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        print(f"{name:22} {each:8.2f} {held / rows:8.0f}")


if __name__ == "__main__":
    main()
