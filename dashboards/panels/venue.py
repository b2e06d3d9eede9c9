"""Venue: is it slow or am I, and how much of its budget is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import _house as house
from dashboards import _promql as promql
from otel_trading.semconv import attributes as a
from otel_trading.semconv import venue

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import heatmap, timeseries

_BUDGET = (a.VENUE, a.RATE_LIMIT)


def latency() -> heatmap.Panel:
    """All calls, by duration."""
    expression = promql.buckets(venue.REQUEST_DURATION)
    description = f"{house.about(venue.REQUEST_DURATION)} Brighter is more calls."
    return house.heat("Call latency", description, house.SECONDS, expression)


def latency_by_operation() -> timeseries.Panel:
    """Which call is slow."""
    by = (a.VENUE, a.VENUE_OPERATION)
    query = house.query(promql.quantile(0.95, venue.REQUEST_DURATION, by), promql.legend(*by))
    title = "Call latency, p95 by operation"
    return house.lines(title, house.about(venue.REQUEST_DURATION), house.SECONDS, query).min(0)


def errors() -> timeseries.Panel:
    """Which call fails."""
    by = (a.VENUE, a.VENUE_OPERATION)
    calls = promql.rate(venue.REQUEST_DURATION, by, part="count")
    failed = promql.rate(venue.REQUEST_DURATION, by, where=promql.FAILED, part="count")
    query = house.query(promql.ratio(failed, calls), promql.legend(*by))
    return house.lines("Calls failed", "Share of calls to the venue that failed.", house.SHARE, query).min(0)


def budget_share() -> timeseries.Panel:
    """How near each budget is to its end."""
    query = house.query(promql.now(venue.RATE_LIMIT_UTILIZATION, _BUDGET, "max"), promql.legend(*_BUDGET))
    panel = house.lines("Rate limit: share used", house.about(venue.RATE_LIMIT_UTILIZATION), house.SHARE, query)
    return house.drawn_steps(panel, house.rising(0.8, 1)).min(0).max(1)


def budget() -> timeseries.Panel:
    """Each budget in requests."""
    used = house.query(promql.now(venue.RATE_LIMIT_USAGE, _BUDGET, "max"), f"used {promql.legend(*_BUDGET)}")
    size = house.query(promql.now(venue.RATE_LIMIT_LIMIT, _BUDGET, "min"), f"limit {promql.legend(*_BUDGET)}")
    description = house.about(venue.RATE_LIMIT_USAGE, venue.RATE_LIMIT_LIMIT)
    return house.dashed(house.lines("Rate limit: requests", description, house.COUNT, used, size), "/^limit/").min(0)


def refusals() -> timeseries.Panel:
    """What was refused for want of budget."""
    by = (*_BUDGET, a.ERROR_TYPE)
    query = house.query(promql.per_minute(venue.RATE_LIMIT_REJECTIONS, by), promql.legend(*by))
    return house.events("Rate limit: refused", house.about(venue.RATE_LIMIT_REJECTIONS), house.PER_MINUTE, query)


def clock_offset() -> timeseries.Panel:
    """Whose clock is wrong."""
    by = (promql.SERVICE, a.VENUE)
    query = house.query(promql.now(venue.CLOCK_OFFSET, by, "max"), promql.legend(*by))
    return house.lines("Clock offset", house.about(venue.CLOCK_OFFSET), house.SECONDS, query)
