"""An app's registries beside the bot's own metrics: odd ones cost nobody else anything, none is sent twice."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import HistogramMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from otel_trading.instrumentation import prometheus_client as app
from otel_trading.sdk import bridge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.testing import CapturingMeter


class _Odd(Collector):
    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterator[Metric]:
        yield self._family


def _summary() -> Metric:
    return SummaryMetricFamily("odd", "No number.", count_value=math.nan, sum_value=1)  # type: ignore[arg-type]


def _falling() -> Metric:
    return HistogramMetricFamily("odd", "Falls.", buckets=[("1", 5), ("+Inf", 3)], sum_value=1)


def _labelled(value: Any) -> Metric:
    family = Metric("odd", "Label.", "gauge")
    family.add_sample("odd", {"of": value}, 1)
    return family


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> CollectorRegistry:
    made = CollectorRegistry(auto_describe=False)
    monkeypatch.setattr(app, "registries", lambda: [made])
    return made


def _sent() -> dict[str, list[float]]:
    request = ExportMetricsServiceRequest()
    request.resource_metrics.add()
    bridge.add_to(request)
    return {
        metric.name: [point.as_double for point in metric.sum.data_points]
        for scope in request.resource_metrics[0].scope_metrics
        for metric in scope.metrics
    }


@pytest.mark.parametrize("family", [_summary(), _falling(), _labelled(7), _labelled("\ud800")])
def test_a_metric_that_otlp_cannot_say_costs_no_other(
    registry: CollectorRegistry, production: CapturingMeter, family: Metric
) -> None:
    registry.register(_Odd(family))
    Counter("good", "Good.", registry=registry).inc(2)

    assert _sent() == {"good_total": [2]}
    assert production.value("trading.sdk.dropped", reason="internal_error") == 1


def test_registries_may_have_series_of_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = CollectorRegistry(), CollectorRegistry()
    shared = Counter("orders", "Orders.", ["bot"], registry=one)
    shared.labels("a").inc(1)
    other.register(shared)
    Counter("orders", "Orders.", registry=CollectorRegistry()).inc(5)
    third = CollectorRegistry()
    Counter("orders", "Orders.", ["bot"], registry=third).labels("b").inc(7)
    monkeypatch.setattr(app, "registries", lambda: [one, other, third])
    request = ExportMetricsServiceRequest()
    request.resource_metrics.add()
    bridge.add_to(request)
    (scope,) = request.resource_metrics[0].scope_metrics

    assert sorted(point.as_double for metric in scope.metrics for point in metric.sum.data_points) == [1, 7]


def test_what_a_collector_hands_out_stays_as_it_is(registry: CollectorRegistry) -> None:
    family = _labelled("x")
    registry.register(_Odd(family))
    _sent()

    assert [sample.value for sample in family.samples] == [1]
