"""The only event of a counter is an increase, whenever it happens beside a collection: else a ban would not be told."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Final

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics._internal import _view_instrument_match as births
from opentelemetry.sdk.metrics._internal import metric_reader_storage as collections
from opentelemetry.sdk.resources import Resource

from otel_trading.sdk.exporter import EndingExporter
from otel_trading.sdk.reader import SurvivingReader
from stack_support import prometheus_query, wait_until

if TYPE_CHECKING:
    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

_MS: Final = 10**6
#: How much later than the collection began, in nanoseconds, the event happened that this collection still takes.
_AFTER: Final = {
    "long-before": -300 * _MS,
    "a-millisecond-before": -_MS,
    "same-millisecond": 0,
    "same-millisecond-just-before": -1,
    "while-it-collects": 5 * _MS,
}


@pytest.mark.parametrize("after", _AFTER.values(), ids=_AFTER)
@pytest.mark.parametrize("kind", ["counter", "histogram"])
def test_one_event_is_an_increase(stack: Stack, monkeypatch: pytest.MonkeyPatch, kind: str, after: int) -> None:
    service = f"first-{uuid.uuid4().hex[:12]}"
    reader = SurvivingReader(
        EndingExporter(endpoint=f"{stack.otlp_endpoint}/v1/metrics"), export_interval_millis=3_600_000
    )
    provider = MeterProvider([reader], Resource({"service.name": service}), shutdown_on_exit=False)
    meter = provider.get_meter("bot")
    # In the middle of a millisecond, so that a nanosecond before is in the same one.
    began = time.time_ns() // _MS * _MS + _MS // 2
    monkeypatch.setattr(births, "time_ns", lambda: began + after)
    if kind == "counter":
        meter.create_counter("bans").add(1)
    else:
        meter.create_histogram("bans").record(0.5)
    with monkeypatch.context() as frozen:
        frozen.setattr(collections, "time_ns", lambda: began)
        provider.force_flush()
    series = f'{"bans_total" if kind == "counter" else "bans_count"}{{service_name="{service}"}}'
    wait_until(lambda: prometheus_query(stack, series), 15, "the first export")
    later = time.time_ns()
    provider.force_flush()
    arrived = f"timestamp({series}) * 1000 >= {later // _MS}"
    wait_until(lambda: prometheus_query(stack, arrived), 15, "the next export")
    try:
        (row,) = prometheus_query(stack, f"increase({series}[5m])")
        assert float(row["value"][1]) > 0.9, "nobody would hear of it"
        (row,) = prometheus_query(stack, f"resets({series}[5m])")
        assert row["value"][1] == "0", "nor of a second one that never was"
    finally:
        provider.shutdown()
