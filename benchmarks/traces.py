"""What a span and an event cost a helper: without an SDK, where they must cost nothing, and with one.

python benchmarks/traces.py
"""

from __future__ import annotations

import timeit
from typing import TYPE_CHECKING

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, InMemoryLogRecordExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_trading import events, semconv, spans
from otel_trading._attributes import AttributeSet
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 10_000
FILL = AttributeSet({a.MODE.name: "live", a.VENUE.name: "kraken", a.SYMBOL.name: "BTC/USD", a.ORDER_SIDE.name: "buy"})


def span() -> None:
    with spans.start(semconv.spans.EXECUTION, FILL, client_id="c-1"):
        pass


def event() -> None:
    events.emit(semconv.events.EXECUTION_FILLED, FILL, client_id="c-1")


def microseconds(call: Callable[[], None]) -> float:
    return min(timeit.repeat(call, number=CALLS, repeat=7)) / CALLS * 1e6


def main() -> None:
    off = [microseconds(call) for call in (span, event)]
    tracer, logger = TracerProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False)
    tracer.add_span_processor(BatchSpanProcessor(InMemorySpanExporter()))
    logger.add_log_record_processor(BatchLogRecordProcessor(InMemoryLogRecordExporter()))
    spans.bind(tracer)
    events.bind(logger)
    on = [microseconds(call) for call in (span, event)]
    print(f"{'':6} {'no SDK us':>10} {'SDK us':>8}")
    for name, without, having in zip(("span", "event"), off, on, strict=True):
        print(f"{name:6} {without:10.2f} {having:8.2f}")
    tracer.shutdown()
    logger.shutdown()


if __name__ == "__main__":
    main()
