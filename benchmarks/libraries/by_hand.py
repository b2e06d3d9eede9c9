"""What records cost when somebody makes them by hand with OpenTelemetry's SDK alone."""

from __future__ import annotations

import statistics
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from otel_trading import instruments
from otel_trading.instruments import Recorder
from otel_trading.semconv import Kind, Metric, market_data
from otel_trading.trackers import FeedTracker
from otel_trading.trackers._pending import Pending

if TYPE_CHECKING:
    from collections.abc import Generator

    from opentelemetry.sdk.metrics import MeterProvider

    from otel_trading._attributes import AttributeSet

    #: Value and attributes, by metric.
    Note = tuple[Metric, float, dict[str, str]]

__all__ = ["noting", "seconds"]


@contextmanager
def noting() -> Generator[list[Note], None, None]:
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


def seconds(notes: list[Note], provider: MeterProvider) -> float:
    """Return the seconds that all the records take."""
    own, made = provider.get_meter("bare"), {}
    for metric, _, _ in notes:
        if metric.kind is Kind.COUNTER:
            made[metric] = own.create_counter(metric.name, str(metric.unit)).add
        elif metric.kind is Kind.HISTOGRAM:
            made[metric] = own.create_histogram(metric.name, str(metric.unit)).record
    records = [(made[metric], value, attributes) for metric, value, attributes in notes if metric in made]

    def once() -> float:
        begin = time.process_time()
        for record, value, attributes in records:
            record(value, attributes)
        return time.process_time() - begin

    return statistics.median(once() for _ in range(30)) if records else 0.0
