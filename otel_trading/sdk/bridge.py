"""What an app's prometheus_client registries hold, as OTLP; see `otel_trading.instrumentation.prometheus_client`.

Source: https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
"""

from __future__ import annotations

import itertools
import logging
import math
import re
import time
from collections import defaultdict
from copy import copy
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1 import metrics_pb2

from otel_trading import _guard
from otel_trading.instrumentation import prometheus_client as app
from otel_trading.sdk.redaction import clean_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from prometheus_client import CollectorRegistry
    from prometheus_client import Metric as Family
    from prometheus_client.samples import Sample

    Labels: TypeAlias = frozenset[tuple[str, str]]

__all__ = ["add_to"]

_CUMULATIVE: Final = metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE
_TRACE: Final = {"trace_id": 32, "span_id": 16}
_log: Final = logging.getLogger("otel_trading")


def add_to(request: ExportMetricsServiceRequest) -> None:
    """Add what the app's registries hold now; a collector of the app that raises costs its registry the rest."""
    metrics = list(_metrics(int(time.time() * 1e9)))
    if metrics and request.resource_metrics:
        scope = InstrumentationScope(name="prometheus_client")
        request.resource_metrics[0].scope_metrics.add(scope=scope).metrics.extend(metrics)


def _metrics(now: int) -> Iterator[metrics_pb2.Metric]:
    said: set[app.Series] = set()
    for family in itertools.chain.from_iterable(map(_families, app.registries())):
        # Two registries may share a collector or have series of one name, and a series is sent once.
        left = copy(family)  # a collector of the app may hand out the same one each time
        left.samples = [sample for sample in app.own(family) if app.series(sample) not in said]
        said.update(map(app.series, left.samples))
        yield from _converted(left, now)


def _converted(family: Family, now: int) -> list[metrics_pb2.Metric]:
    """Return the family as OTLP, or nothing of one that OTLP cannot say: it must not cost the bot's other metrics."""
    try:
        return [metric for metric in _CONVERT.get(family.type, _gauges)(family, now) if _has_points(metric)]
    except Exception:  # noqa: BLE001  buckets that fall, a count that is no number, a label that is no text
        _guard.count("internal_error")
        _log.debug("A prometheus_client metric could not be sent and is left out.", exc_info=True)
        return []


def _has_points(metric: metrics_pb2.Metric) -> bool:
    return bool(getattr(metric, metric.WhichOneof("data") or "gauge").data_points)


def _families(registry: CollectorRegistry) -> Iterator[Family]:
    try:
        yield from registry.collect()
    except Exception:  # noqa: BLE001  a callback of the app
        _guard.count("internal_error")
        _log.debug("A prometheus_client registry could not be read; the rest of it is left out.", exc_info=True)


def _counter(family: Family, now: int) -> Iterator[metrics_pb2.Metric]:
    metric = _metric(f"{family.name}_total", family)
    metric.sum.aggregation_temporality, metric.sum.is_monotonic = _CUMULATIVE, True
    for labels, of in _by_labels(family).items():
        if total := of.get("_total"):
            point = metric.sum.data_points.add(as_double=total.value, **_times(of, now))
            point.attributes.extend(_attributes(labels))
            _add_exemplar(point, total)
    yield metric


def _histogram(family: Family, now: int) -> Iterator[metrics_pb2.Metric]:
    metric = _metric(family.name, family)
    metric.histogram.aggregation_temporality = _CUMULATIVE
    rest = _by_labels(family)
    for labels, buckets in _buckets(family, "le").items():
        of = rest.get(labels, {})
        counts = [int(sample.value) for _, sample in buckets]
        point = metric.histogram.data_points.add(
            count=counts[-1],
            explicit_bounds=[bound for bound, _ in buckets if bound < math.inf],
            bucket_counts=[count - before for count, before in zip(counts, [0, *counts], strict=False)],
            **_times(of, now),
        )
        if "_sum" in of:  # there is none when a bucket is negative
            point.sum = of["_sum"].value
        point.attributes.extend(_attributes(labels))
        for _, sample in buckets:
            _add_exemplar(point, sample)
    yield metric


def _summary(family: Family, now: int) -> Iterator[metrics_pb2.Metric]:
    metric = _metric(family.name, family)
    quantiles = _buckets(family, "quantile")
    for labels, of in _by_labels(family).items():
        if "_count" in of and "_sum" in of:
            point = metric.summary.data_points.add(
                count=int(of["_count"].value), sum=of["_sum"].value, **_times(of, now)
            )
            point.attributes.extend(_attributes(labels))
            for quantile, sample in quantiles.get(labels, ()):
                point.quantile_values.add(quantile=quantile, value=sample.value)
    yield metric


def _gauges(family: Family, now: int) -> Iterator[metrics_pb2.Metric]:
    """Make a gauge of each name: info, state set and unknown have no kind of their own in OTLP."""
    made: dict[str, metrics_pb2.Metric] = {}
    for sample in family.samples:
        metric = made.setdefault(sample.name, _metric(sample.name, family))
        point = metric.gauge.data_points.add(as_double=sample.value, time_unix_nano=now)
        point.attributes.extend(_attributes(sample.labels.items()))
    yield from made.values()


_CONVERT: Final[dict[str, Callable[[Family, int], Iterator[metrics_pb2.Metric]]]] = {
    "counter": _counter,
    "histogram": _histogram,
    "summary": _summary,
}


def _metric(name: str, family: Family) -> metrics_pb2.Metric:
    return metrics_pb2.Metric(name=name, description=family.documentation, unit=family.unit)


def _by_labels(family: Family) -> dict[Labels, dict[str, Sample]]:
    """Return the lines of each series by what follows the family's name; not its buckets and quantiles."""
    found: dict[Labels, dict[str, Sample]] = defaultdict(dict)
    for sample in family.samples:
        if not {"le", "quantile"} & sample.labels.keys():
            found[frozenset(sample.labels.items())][sample.name.removeprefix(family.name)] = sample
    return found


def _buckets(family: Family, label: str) -> dict[Labels, list[tuple[float, Sample]]]:
    found: dict[Labels, list[tuple[float, Sample]]] = defaultdict(list)
    for sample in family.samples:
        if label in sample.labels:
            labels = frozenset(pair for pair in sample.labels.items() if pair[0] != label)
            found[labels].append((float(sample.labels[label]), sample))
    return {labels: sorted(every, key=lambda one: one[0]) for labels, every in found.items()}


def _times(of: dict[str, Sample], now: int) -> dict[str, int]:
    created = of.get("_created")
    return {"time_unix_nano": now, "start_time_unix_nano": int(created.value * 1e9) if created else 0}


def _attributes(labels: Iterable[tuple[str, str]]) -> list[KeyValue]:
    cleaned = clean_labels(dict(sorted(labels)))
    return [KeyValue(key=name, value=AnyValue(string_value=value)) for name, value in cleaned.items()]


def _add_exemplar(point: Any, sample: Sample) -> None:
    if sample.exemplar is None:
        return
    labels = dict(sample.exemplar.labels)
    seen = float(sample.exemplar.timestamp or 0)
    made = point.exemplars.add(as_double=sample.exemplar.value, time_unix_nano=int(seen * 1e9))
    for name, digits in _TRACE.items():
        if re.fullmatch(rf"[0-9a-f]{{{digits}}}", labels.get(name, "")):
            setattr(made, name, bytes.fromhex(labels.pop(name)))
    made.filtered_attributes.extend(_attributes(labels.items()))
