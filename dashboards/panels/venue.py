"""Venue: is it slow or am I, and how much of its budget is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading.semconv import attributes as a
from otel_trading.semconv import venue

from .. import _house as house
from .. import _promql as promql

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import heatmap, statetimeline, timeseries

_BUDGET = (a.VENUE, a.RATE_LIMIT)
#: Worst first: the order in which `_promql.state` numbers them.
SESSIONS = {
    "suspended": house.RED,
    "halted": house.ORANGE,
    "closed": house.GREY,
    "auction": house.PURPLE,
    "pre_open": house.SKY,
    "open": house.GREEN,
}


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


def waits() -> timeseries.Panel:
    """How much time goes into staying within the budget."""
    query = house.query(promql.rate(venue.RATE_LIMIT_WAIT_DURATION, _BUDGET, part="sum"), promql.legend(*_BUDGET))
    description = f"{house.about(venue.RATE_LIMIT_WAIT_DURATION)} In seconds per second: 1 is one call always waiting."
    return house.lines("Rate limit: waiting", description, "suffix:s/s", query).decimals(2).min(0)


def session() -> statetimeline.Panel:
    """When each venue traded."""
    by = (a.VENUE,)
    expression = promql.state(venue.SESSION_STATUS, a.TRADING_STATUS, SESSIONS, by)
    description = "Trading status of each venue; while it is closed, silence of its feeds is no alarm."
    return house.timeline("Trading session", description, SESSIONS, house.query(expression, promql.legend(*by)))


def credentials() -> timeseries.Panel:
    """Which key ends soon."""
    by = (promql.SERVICE, a.VENUE, a.ACCOUNT)
    query = house.query(promql.left(venue.CREDENTIAL_EXPIRY_TIME, by), promql.legend(*by))
    description = "Time until a key or a certificate of a venue ends; below zero it has ended."
    return house.lines("Credentials last", description, house.SECONDS, query)
