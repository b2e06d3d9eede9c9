"""Every view of the SDK, computed from the convention: which attributes stay, which buckets hold, what is dropped."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.metrics.view import DropAggregation, ExplicitBucketHistogramAggregation, View

from otel_trading import environment, semconv
from otel_trading.semconv import Kind

if TYPE_CHECKING:
    from otel_trading.semconv import Metric

__all__ = ["views"]

#: Histograms of OpenTelemetry's own convention whose instrumentation names no buckets: the SDK's begin at five seconds.
_WITHOUT_BUCKETS: Final = {"db.client.operation.duration": semconv.venue.REQUEST_DURATION.boundaries}


def views() -> list[View]:
    """Return one view per metric of the convention, and buckets for what others leave without."""
    disabled = environment.OTEL_TRADING_DISABLED_METRICS.get()
    dropped = environment.OTEL_TRADING_DROPPED_ATTRIBUTES.get()
    others = [
        View(instrument_name=name, aggregation=ExplicitBucketHistogramAggregation(boundaries))
        for name, boundaries in _WITHOUT_BUCKETS.items()
    ]
    return [*(_view(metric, disabled, dropped) for metric in semconv.ALL), *others]


def _view(metric: Metric, disabled: tuple[str, ...], dropped: tuple[str, ...]) -> View:
    if _matches(metric.name, disabled):
        return View(instrument_name=metric.name, aggregation=DropAggregation())
    return View(
        instrument_name=metric.name,
        attribute_keys={key for key in metric.keys if not _matches(key, dropped)},
        aggregation=(ExplicitBucketHistogramAggregation(metric.boundaries) if metric.kind is Kind.HISTOGRAM else None),
    )


def _matches(name: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)
