"""Every view of the SDK, computed from the convention: which attributes stay, which buckets hold, what is dropped."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from opentelemetry.sdk.metrics.view import DropAggregation, ExplicitBucketHistogramAggregation, View

from otel_trading import environment, semconv
from otel_trading.semconv import Kind

if TYPE_CHECKING:
    from otel_trading.semconv import Metric

__all__ = ["views"]


def views() -> list[View]:
    """Return one view per metric of the convention."""
    disabled = environment.OTEL_TRADING_DISABLED_METRICS.get()
    dropped = environment.OTEL_TRADING_DROPPED_ATTRIBUTES.get()
    return [_view(metric, disabled, dropped) for metric in semconv.ALL]


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
