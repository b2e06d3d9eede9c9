"""The trading convention as data: the single source of every name in otel-trading.

Each family is a module of `Metric` records; everything else (instruments, views, Prometheus names, panels, rules,
reference) is derived from them. `spans` and `events` say what traces and logs hold.
"""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import (
    attributes,
    backtest,
    events,
    execution,
    market_data,
    order,
    plumbing,
    portfolio,
    resilience,
    risk,
    sdk,
    spans,
    strategy,
    venue,
)
from otel_trading.semconv._model import Attribute, Cardinality, Kind, Level, Metric, Unit, Use
from otel_trading.semconv._signals import Event, Severity, Span, SpanKind

__all__ = [
    "ALL",
    "BY_NAME",
    "BY_SERIES",
    "FAMILIES",
    "Attribute",
    "Cardinality",
    "Event",
    "Kind",
    "Level",
    "Metric",
    "Severity",
    "Span",
    "SpanKind",
    "Unit",
    "Use",
    "attributes",
    "events",
    "find",
    "spans",
]

#: The families in the order of the reference.
FAMILIES: Final = (order, execution, portfolio, risk, market_data, venue, strategy, backtest, resilience, plumbing, sdk)
#: Every metric of the convention.
ALL: Final[tuple[Metric, ...]] = tuple(
    value for family in FAMILIES for value in vars(family).values() if isinstance(value, Metric)
)
#: By OpenTelemetry name.
BY_NAME: Final[dict[str, Metric]] = {metric.name: metric for metric in ALL}
#: By each name under which Prometheus holds it, `_bucket`, `_sum` and `_count` included.
BY_SERIES: Final[dict[str, Metric]] = {series: metric for metric in ALL for series in metric.series}


def find(name: str) -> Metric | None:
    """Return the metric of an OpenTelemetry name, a Prometheus name or one of its series, or None."""
    if name in BY_NAME:
        return BY_NAME[name]
    by_base = {metric.prometheus: metric for metric in ALL}
    return by_base.get(name) or BY_SERIES.get(name)
