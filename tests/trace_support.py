"""Spans and events in memory, under providers of the test's own."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_trading import events, spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry._logs import LogRecord
    from opentelemetry.sdk.trace.sampling import Sampler
    from opentelemetry.trace import SpanContext, Tracer

__all__ = ["Tracing", "tracing"]


class Tracing:
    """Reads what was traced, in the order in which it ended."""

    def __init__(self, sampler: Sampler | None = None) -> None:
        self._spans, self._logs = InMemorySpanExporter(), InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
        self.provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._spans))
        self.logs = LoggerProvider(shutdown_on_exit=False)
        self.logs.add_log_record_processor(SimpleLogRecordProcessor(self._logs))

    @property
    def tracer(self) -> Tracer:
        """A tracer of the bot's own."""
        return self.provider.get_tracer("bot")

    def spans(self, name: str = "") -> list[ReadableSpan]:
        """Return the spans that ended, or those of one name."""
        return [span for span in self._spans.get_finished_spans() if name in {"", span.name}]

    def span(self, name: str) -> ReadableSpan:
        """Return the only span of a name."""
        (found,) = self.spans(name)
        return found

    def events(self, name: str = "") -> list[LogRecord]:
        """Return the events, or those of one name."""
        records = [log.log_record for log in self._logs.get_finished_logs()]
        return [record for record in records if name in {"", record.event_name}]

    def event(self, name: str) -> LogRecord:
        """Return the only event of a name."""
        (found,) = self.events(name)
        return found


def context(span: ReadableSpan) -> SpanContext:
    """Return the context of a span that ended."""
    found = span.get_span_context()
    assert found is not None
    return found


@contextmanager
def tracing(sampler: Sampler | None = None) -> Iterator[Tracing]:
    """Trace and log in memory within the block."""
    made = Tracing(sampler)
    (tracer, _), logger = spans.bind(made.provider), events.bind(made.logs)
    try:
        yield made
    finally:
        spans.restore(tracer)
        events.restore(logger)
        made.provider.shutdown()
        made.logs.shutdown()
