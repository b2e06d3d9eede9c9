"""The scrape road: the in-process Prometheus endpoint with the same series names and labels as the OTLP road."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics.export import ExponentialHistogram, Gauge, MetricsData
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from otel_trading import _guard, _locks
from otel_trading.errors import ConfigError
from otel_trading.instrumentation.prometheus_client import leave_out
from otel_trading.sdk.redaction import clean_metrics
from otel_trading.sdk.resource import PROMOTED, job_and_instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.metrics.export import Metric, ResourceMetrics, ScopeMetrics
    from prometheus_client import Metric as PrometheusMetric

__all__ = ["ScrapeReader"]

#: Which line of a series comes last, by kind.
_CUMULATIVE: Final = {"counter": "_total", "histogram": "_sum"}
_LABELS: Final = frozenset((*PROMOTED, "job", "instance"))
_log: Final = logging.getLogger("otel_trading")


class ScrapeReader(PrometheusMetricReader):
    """Serves /metrics for a Prometheus that scrapes with `honor_labels: true`.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.

    Raises:
        ConfigError: When the port is taken.
    """

    def __init__(self, host: str = "localhost", port: int = 9464) -> None:
        inner, registry = CollectorRegistry(), CollectorRegistry()
        super().__init__(scope_info_enabled=False, resource_attribute_filter=_LABELS.__contains__, registry=inner)
        registry.register(_OneAtATime(inner))
        leave_out(inner, registry)
        self._said: set[str] = set()
        try:
            self._server, self._thread = start_http_server(port=port, addr=host, registry=registry)
        except OSError as error:
            message = (
                f"The Prometheus endpoint cannot listen on {host}:{port} ({error.strerror or error}). "
                f"Set OTEL_EXPORTER_PROMETHEUS_PORT to a free port, or end the process that holds this one."
            )
            raise ConfigError(message) from error
        self.url = f"http://{host}:{self._server.server_port}/metrics"

    def _receive_metrics(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> None:
        if metrics_data:
            adapted = MetricsData([self._adapt(one) for one in clean_metrics(metrics_data).resource_metrics])
            super()._receive_metrics(adapted, timeout_millis, **kwargs)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Do nothing: a scrape collects by itself, and would show what was collected before it as well."""
        del timeout_millis
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """End the endpoint."""
        super().shutdown(timeout_millis, **kwargs)
        self._server.shutdown()
        self._server.server_close()

    def release(self) -> None:
        """Let go of the port in a forked child: it would keep the parent's open, and never answer."""
        self._server.socket.close()

    def _adapt(self, one: ResourceMetrics) -> ResourceMetrics:
        attributes = {key: str(value) for key, value in one.resource.attributes.items()}
        labelled = Resource({**attributes, **job_and_instance(attributes)})
        return dataclasses.replace(one, resource=labelled, scope_metrics=[self._scope(s) for s in one.scope_metrics])

    def _scope(self, scope: ScopeMetrics) -> ScopeMetrics:
        kept = [metric for metric in scope.metrics if self._exportable(metric)]
        return dataclasses.replace(scope, metrics=[_named(metric) for metric in kept])

    def _exportable(self, metric: Metric) -> bool:
        """Keep out what makes the exporter fail the whole scrape; counted each time, said once."""
        if not isinstance(metric.data, ExponentialHistogram):
            return True
        _guard.count("export_failed")
        if metric.name not in self._said:
            self._said.add(metric.name)
            _log.warning("%s is an exponential histogram, which this endpoint cannot show; use OTLP.", metric.name)
        return False


class _OneAtATime(Collector):
    """Lets one scrape collect at a time, and says since when each series counts.

    Of two at once, as a pair of Prometheus servers makes them, the exporter would give one nothing and the other
    everything twice.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._created: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
        self._last = time.time()

    def collect(self) -> list[PrometheusMetric]:
        with self._lock, _locks.inside:
            families = list(self._registry.collect())
            for family in families:
                if family.type in _CUMULATIVE:
                    family.samples = [one for sample in family.samples for one in self._with_created(family, sample)]
            self._last = time.time()
            return families

    def _with_created(self, family: PrometheusMetric, sample: Sample) -> Iterator[Sample]:
        """Say since when a series counts, so that its first event is an increase from zero.

        A series that is new was zero at the last scrape. The exporter leaves this line out.
        """
        yield sample
        if sample.name == family.name + _CUMULATIVE[family.type]:
            key = (family.name, frozenset(sample.labels.items()))
            yield Sample(f"{family.name}_created", sample.labels, self._created.setdefault(key, self._last))


def _named(metric: Metric) -> Metric:
    """A gauge of unit 1 is `_ratio` on the OTLP road; this exporter leaves that out."""
    if isinstance(metric.data, Gauge) and metric.unit == "1":
        name = metric.name if metric.name.endswith("_ratio") else f"{metric.name}.ratio"
        return dataclasses.replace(metric, name=name, unit="")
    return metric
