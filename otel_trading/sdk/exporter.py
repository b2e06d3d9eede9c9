"""The OTLP exporter that says when a series ends.

A series that is no longer observed (a closed position) would live on in Prometheus for its lookback of five minutes.
One last point with the flag `NoRecordedValue` becomes a stale marker there and ends it with this export.
Source: https://opentelemetry.io/docs/specs/otel/metrics/data-model/#no-recorded-value
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.sdk.metrics.export import MetricExportResult

from otel_trading.sdk import bridge, trust

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    Series: TypeAlias = "tuple[str, str, bytes]"
    Point: TypeAlias = "tuple[metrics_pb2.ScopeMetrics, metrics_pb2.Metric, metrics_pb2.NumberDataPoint]"

__all__ = ["EndingExporter", "Endings"]

NO_RECORDED_VALUE: Final = metrics_pb2.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK


class Endings:
    """Remembers which state series were delivered last, and ends those that are missing now."""

    def __init__(self) -> None:
        # These points keep their request alive until the next one: cheaper than a copy of each at every export.
        self._delivered: dict[Series, Point] = {}
        self._current: dict[Series, Point] = {}

    def add_to(self, request: ExportMetricsServiceRequest) -> int:
        """Add one ending point for each series that vanished; returns how many there were."""
        self._current = dict(_state_series(request))
        gone = [series for series in self._delivered if series not in self._current]
        if gone:
            now = _latest(request)
            scopes = {scope.scope.name: scope for every in request.resource_metrics for scope in every.scope_metrics}
            for series in gone:
                scope, metric, point = self._delivered[series]
                if series[0] not in scopes:  # it was the only thing that its scope had
                    scopes[series[0]] = request.resource_metrics[0].scope_metrics.add(scope=scope.scope)
                _end(scopes[series[0]], _ending(metric, point, now))
        return len(gone)

    def delivered(self) -> None:
        """Note that the request arrived; until then the same endings are added again."""
        self._delivered = self._current


class EndingExporter(OTLPMetricExporter):
    """OTLP over HTTP with what the app's prometheus_client holds, and an ending for each state series that vanished."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**trust.options("metrics"), **options)
        self._endings = Endings()

    def _export_batch(self, export_request: ExportMetricsServiceRequest) -> MetricExportResult:
        bridge.add_to(export_request)
        self._endings.add_to(export_request)
        result = super()._export_batch(export_request)
        if result is MetricExportResult.SUCCESS:
            self._endings.delivered()
        return result


def _state_series(request: ExportMetricsServiceRequest) -> Iterator[tuple[Series, Point]]:
    for every in request.resource_metrics:
        for scope in every.scope_metrics:
            name = scope.scope.name
            for metric in scope.metrics:
                for point in _points(metric):
                    key = b"\0".join(sorted(pair.SerializeToString() for pair in point.attributes))
                    yield (name, metric.name, key), (scope, metric, point)


def _points(metric: metrics_pb2.Metric) -> list[metrics_pb2.NumberDataPoint]:
    """Return the points of what can vanish: gauges and non-monotonic sums."""
    if metric.HasField("gauge"):
        return list(metric.gauge.data_points)
    if metric.HasField("sum") and not metric.sum.is_monotonic:
        return list(metric.sum.data_points)
    return []


def _ending(metric: metrics_pb2.Metric, point: metrics_pb2.NumberDataPoint, now: int) -> metrics_pb2.Metric:
    """Return the metric with nothing but an ending of one of its points."""
    last = metrics_pb2.NumberDataPoint(
        attributes=point.attributes,
        start_time_unix_nano=point.start_time_unix_nano,
        time_unix_nano=now,
        flags=NO_RECORDED_VALUE,
    )
    made = metrics_pb2.Metric(name=metric.name, description=metric.description, unit=metric.unit)
    if metric.HasField("gauge"):
        made.gauge.data_points.append(last)
    else:
        made.sum.aggregation_temporality = metric.sum.aggregation_temporality
        made.sum.data_points.append(last)
    return made


def _end(scope: metrics_pb2.ScopeMetrics, ending: metrics_pb2.Metric) -> None:
    kind = "gauge" if ending.HasField("gauge") else "sum"
    for metric in scope.metrics:
        if metric.name == ending.name and metric.HasField(kind):
            getattr(metric, kind).data_points.extend(getattr(ending, kind).data_points)
            return
    scope.metrics.append(ending)


def _latest(request: ExportMetricsServiceRequest) -> int:
    times = [
        point.time_unix_nano
        for every in request.resource_metrics
        for scope in every.scope_metrics
        for metric in scope.metrics
        for point in getattr(metric, metric.WhichOneof("data") or "gauge").data_points
    ]
    return max(times, default=0)
