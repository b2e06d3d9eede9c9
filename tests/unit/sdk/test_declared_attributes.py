"""Whatever a bot attaches to a metric of ours, nothing that nobody declared leaves: views drop it, exemplars too."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING, Any, Final

import pytest
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData

from otel_trading import semconv
from otel_trading.sdk.prometheus import ScrapeReader
from otel_trading.sdk.reader import SurvivingReader
from otel_trading.sdk.views import views
from otel_trading.semconv import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opentelemetry.metrics import Meter
    from opentelemetry.sdk.metrics.export import MetricReader

ODD: Final[dict[str, Any]] = {
    "api_key": "PLANTED",
    "trading.account.number": "PLANTED",
    "Trading.Mode": "PLANTED",
    "trading.mode ": "PLANTED",
    "trading_mode": "PLANTED",
    "口座": "PLANTED",
    "PLANTED": 1,
    "numbers": [1, 2],
    "list": ["PLANTED"],
    "x" * 10_000: "PLANTED",
}


class _Keeping(MetricExporter):
    def __init__(self) -> None:
        super().__init__()
        self.kept: MetricsData | None = None

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        del timeout_millis, kwargs
        self.kept = metrics_data
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        del timeout_millis
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        del timeout_millis, kwargs


def _record(api: Meter, metric: semconv.Metric) -> None:
    """Measure once, with every declared attribute and the odd ones."""
    given = {**dict.fromkeys(metric.keys, "declared"), **ODD}

    def observe(options: CallbackOptions) -> Iterable[Observation]:
        del options
        return [Observation(1, given)]

    record: dict[Kind, Callable[[], object]] = {
        Kind.COUNTER: lambda: api.create_counter(metric.name).add(1, given),
        Kind.UP_DOWN_COUNTER: lambda: api.create_up_down_counter(metric.name).add(1, given),
        Kind.GAUGE: lambda: api.create_gauge(metric.name).set(1, given),
        Kind.HISTOGRAM: lambda: api.create_histogram(metric.name).record(1, given),
        Kind.OBSERVABLE_GAUGE: lambda: api.create_observable_gauge(metric.name, [observe]),
        Kind.OBSERVABLE_UP_DOWN_COUNTER: lambda: api.create_observable_up_down_counter(metric.name, [observe]),
    }
    record[metric.kind]()


def _provider(reader: MetricReader) -> MeterProvider:
    return MeterProvider([reader], views=views(), shutdown_on_exit=False, exemplar_filter=AlwaysOnExemplarFilter())


@pytest.mark.parametrize("scope", ["otel_trading", "of the bot"])
def test_only_declared_attributes_leave_on_every_metric(scope: str) -> None:
    exporter = _Keeping()
    provider = _provider(SurvivingReader(exporter, export_interval_millis=60_000))
    for metric in semconv.ALL:
        _record(provider.get_meter(scope), metric)
    provider.force_flush()
    provider.shutdown()

    assert exporter.kept is not None
    found = {
        metric.name: set(point.attributes or {})
        for every in exporter.kept.resource_metrics
        for held in every.scope_metrics
        if held.scope.name == scope
        for metric in held.metrics
        for point in metric.data.data_points
    }
    assert found == {metric.name: set(metric.keys) for metric in semconv.ALL}
    text = exporter.kept.to_json()
    assert "PLANTED" not in text
    assert '"filtered_attributes": null' in text, "there were exemplars"


def test_only_declared_attributes_are_served_on_the_scrape_road() -> None:
    reader = ScrapeReader("127.0.0.1", 0)
    provider = _provider(reader)
    for metric in semconv.ALL:
        _record(provider.get_meter("of the bot"), metric)
    with urllib.request.urlopen(reader.url, timeout=30) as answer:
        page = answer.read().decode()
    provider.shutdown()

    assert page.count('="declared"') >= len(semconv.ALL)
    assert "PLANTED" not in page
