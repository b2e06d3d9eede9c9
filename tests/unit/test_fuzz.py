"""Whatever a bot passes: no exception reaches it, the reader lives, what leaves can be encoded, a loss counts once."""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pytest
from fuzz_support import HELPERS, VALUES, calls
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData

from otel_trading import instruments, meter, trackers
from otel_trading.sdk.reader import SurvivingReader
from otel_trading.sdk.views import views

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

#: The long run: FUZZ_CALLS=1000000 pytest -m slow tests/unit/test_fuzz.py
_LONG: Final = int(os.environ.get("FUZZ_CALLS", "50000"))

_MOST: Final = 2_000
#: Of one point on the average; twice what the oddest values make it.
_BYTES: Final = 600


class _Encoding(MetricExporter):
    """Encodes each batch as OTLP, which one bad number would make impossible, and keeps how many there were."""

    def __init__(self) -> None:
        super().__init__()
        self.batches = 0
        self.exported = threading.Event()
        self.bytes = 0
        self.points: Counter[str] = Counter()

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        del timeout_millis, kwargs
        self.bytes = len(encode_metrics(metrics_data).SerializeToString())
        self.batches += 1
        self.exported.set()
        self.points.clear()
        for resource in metrics_data.resource_metrics:
            for one in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                self.points[one.name] += len(one.data.data_points)
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        del timeout_millis
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        del timeout_millis, kwargs


class _Said(logging.Handler):
    """What OpenTelemetry complained of, without the tracebacks, which hold a whole batch each."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.add(record.getMessage())


@pytest.mark.parametrize(
    "number",
    [pytest.param(2_000), pytest.param(_LONG, marks=[pytest.mark.slow, pytest.mark.timeout(30 + _LONG * 0.02)])],
)
def test_odd_values_through_every_helper(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRADING_STRICT", "0")
    exporter, said = _Encoding(), _Said()
    logging.getLogger("opentelemetry").addHandler(said)
    # What a long run has made takes seconds to collect: then less often, or it would do nothing else.
    reader = SurvivingReader(exporter, export_interval_millis=10 if number < _LONG else max(10, number // 30))
    provider = MeterProvider([reader], views=views(), shutdown_on_exit=False)
    bound, state = instruments.bind(provider), trackers.set_default(None)
    try:
        used = set(calls(number, number))
        lived = any(thread.name == "OtelPeriodicExportingMetricReader" for thread in threading.enumerate())
        before = exporter.batches
        provider.force_flush(timeout_millis=300_000)  # of a long run on a busy machine
    finally:
        trackers.set_default(state)
        instruments.restore(bound)
        provider.shutdown()
        logging.getLogger("opentelemetry").removeHandler(said)

    assert said.texts == set(), "an attribute that OpenTelemetry cannot encode is lost, and a line in the log each time"
    assert lived
    assert exporter.batches > before > 0, "what was collected last could be encoded"
    assert max(exporter.points.values()) <= _MOST, "no metric has more series than OpenTelemetry's SDK allows"
    assert exporter.bytes < min(_BYTES * exporter.points.total(), max(20_000_000, 30 * number))
    assert used == set(HELPERS)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    ("helper", "word", "metric"),
    [
        ("cache_hit", "name", "trading.cache.requests"),
        ("event_published", "type", "trading.event_bus.published.events"),
        ("rate_limited", "name", "trading.rate_limit.rejections"),
    ],
)
def test_a_call_is_recorded_or_is_one_loss(
    production: CapturingMeter, helper: str, word: str, metric: str, value: object
) -> None:
    getattr(meter, helper)(**{word: value})
    recorded = sum(sample.value for sample in production.samples(metric))
    lost = sum(sample.value for sample in production.samples("trading.sdk.dropped"))

    assert recorded + lost == 1
