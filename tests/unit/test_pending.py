"""What waits for a collection: nothing is lost, nothing counts twice, and what begins a series begins it at once."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from otel_trading import instruments, meter, spans, trackers
from otel_trading.instruments import Recorder
from otel_trading.sdk.views import views
from otel_trading.trackers import _pending

if TYPE_CHECKING:
    from collections.abc import Generator

    from opentelemetry.sdk.metrics.export import NumberDataPoint

    from otel_trading.testing import CapturingMeter

REQUESTS = "trading.order.requests"
TOOK = "trading.venue.request.duration"


def _send(number: int = 1) -> None:
    for _ in range(number):
        meter.order_sent(symbol="BTC/USD", side="buy", type="limit", venue="kraken")


def _call(number: int = 1) -> None:
    for _ in range(number):
        with meter.venue_call(operation="fetch_ticker", venue="kraken"):
            pass


def test_what_counts_is_recorded_once_per_collection(capmeter: CapturingMeter) -> None:
    _send()
    with patch.object(Recorder, "record", autospec=True, side_effect=Recorder.record) as record:
        _send(100)
        assert not record.called
        assert capmeter.value(REQUESTS, venue="kraken") == 101
        assert capmeter.value(REQUESTS, venue="kraken") == 101
    assert [call.args[1] for call in record.call_args_list if call.args[0].metric.name == REQUESTS] == [100]


def test_every_duration_is_a_value_of_its_own(capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 1.0, 10.0, 12.0, 20.0, 23.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(now))

    _call(3)

    (sample,) = capmeter.samples(TOOK)
    assert (sample.value, sample.sum) == (3, 1 + 2 + 3)


def test_a_series_begins_when_its_first_event_happened() -> None:
    reader = InMemoryMetricReader()
    before, known = instruments.bind(MeterProvider([reader], views=views())), trackers.set_default(None)
    try:
        _send()
        begun = time.time_ns()
        _send()
        (point,) = _points(reader)
        assert point.start_time_unix_nano < begun
        assert point.value == 2
    finally:
        trackers.set_default(known)
        instruments.restore(before)


def _points(reader: InMemoryMetricReader) -> list[NumberDataPoint]:
    data = reader.get_metrics_data()
    assert data is not None
    every = [one for resource in data.resource_metrics for scope in resource.scope_metrics for one in scope.metrics]
    return [point for one in every if one.name == REQUESTS for point in one.data.data_points]  # type: ignore[misc]


def test_what_there_is_no_room_for_is_recorded_at_once(capmeter: CapturingMeter) -> None:
    number = _pending.MAX_VALUES + 100
    _call(number + 1)

    with patch.object(Recorder, "record", autospec=True, side_effect=Recorder.record) as record:
        assert capmeter.value(TOOK) == number + 1
    assert sum(call.args[0].metric.name == TOOK for call in record.call_args_list) == _pending.MAX_VALUES


def test_threads_and_collections_lose_nothing(capmeter: CapturingMeter) -> None:
    def trade() -> None:
        for _ in range(500):
            _send()
            _call()

    threads = [threading.Thread(target=trade) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        capmeter.samples()
    for thread in threads:
        thread.join(10)
    assert capmeter.value(REQUESTS) == capmeter.value(TOOK) == 2000


def test_other_trackers_take_over_without_a_loss(capmeter: CapturingMeter) -> None:
    _send(3)
    trackers.set_default(trackers.Trackers())
    _send(2)
    with trackers.scope(trackers.Trackers()):
        _send(4)

    assert capmeter.value(REQUESTS) == 9


@pytest.fixture
def traced() -> Generator[TracerProvider]:
    provider = TracerProvider()
    before, _ = spans.bind(provider)
    yield provider
    spans.restore(before)
    provider.shutdown()


def test_what_a_trace_leads_to_keeps_its_trace(traced: TracerProvider) -> None:
    reader = InMemoryMetricReader()
    before, known = instruments.bind(MeterProvider([reader], views=views())), trackers.set_default(None)
    try:
        _send(2)
        with traced.get_tracer("bot").start_as_current_span("mine") as span:
            _send(1)
        (point,) = _points(reader)
        assert point.value == 3
        assert [exemplar.trace_id for exemplar in point.exemplars] == [span.get_span_context().trace_id]
    finally:
        trackers.set_default(known)
        instruments.restore(before)


def test_what_no_sampler_keeps_is_added_up(capmeter: CapturingMeter) -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF)
    _send()
    with (
        provider.get_tracer("bot").start_as_current_span("mine"),
        patch.object(Recorder, "record", autospec=True, side_effect=Recorder.record) as record,
    ):
        _send(50)
        assert capmeter.value(REQUESTS) == 51
    assert sum(call.args[0].metric.name == REQUESTS for call in record.call_args_list) == 1
    provider.shutdown()
