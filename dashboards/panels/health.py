"""Health and cache: what the bot checks and times itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import _house as house
from dashboards import _promql as promql
from otel_trading.semconv import attributes as a
from otel_trading.semconv import plumbing, resilience

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import statetimeline, timeseries

#: Worst first: the order in which `_promql.state` numbers them.
RESULTS = {"fail": house.RED, "pass": house.GREEN}


def checks() -> statetimeline.Panel:
    """Each health check over time."""
    by = (promql.SERVICE, a.HEALTH_CHECK)
    expression = promql.state(resilience.HEALTH_CHECK_STATUS, a.HEALTH_STATE, RESULTS, by)
    query = house.query(expression, promql.legend(*by))
    return house.timeline("Health checks", "Result of each health check over time.", RESULTS, query)


def check_duration() -> timeseries.Panel:
    """How long checks take."""
    by = (a.HEALTH_CHECK,)
    query = house.query(promql.quantile(0.95, resilience.HEALTH_CHECK_DURATION, by), promql.legend(*by))
    title = "Health check time, p95"
    return house.lines(title, house.about(resilience.HEALTH_CHECK_DURATION), house.SECONDS, query).min(0)


def operations() -> timeseries.Panel:
    """How long the user's own blocks take."""
    by = (a.OPERATION,)
    query = house.query(promql.quantile(0.95, resilience.OPERATION_DURATION, by), promql.legend(*by))
    title = "Timed operations, p95"
    return house.lines(title, house.about(resilience.OPERATION_DURATION), house.SECONDS, query).min(0)


def operations_failed() -> timeseries.Panel:
    """Which of them fail."""
    by = (a.OPERATION, a.ERROR_TYPE)
    failed = promql.per_minute(resilience.OPERATION_DURATION, by, where=promql.FAILED, part="count")
    return house.events(
        "Timed operations failed",
        "Failures of the blocks that the user timed, by error.",
        house.PER_MINUTE,
        house.query(failed, promql.legend(*by)),
    )


def cache_hits() -> timeseries.Panel:
    """How often the cache helps."""
    by = (a.CACHE, a.CACHE_LEVEL)
    hits = promql.rate(plumbing.CACHE_REQUESTS, by, {a.CACHE_OUTCOME: "hit"})
    query = house.query(promql.ratio(hits, promql.rate(plumbing.CACHE_REQUESTS, by)), promql.legend(*by))
    return house.lines("Cache hits", "Share of look-ups that the cache could answer.", house.SHARE, query).min(0).max(1)


def cache_requests() -> timeseries.Panel:
    """How often it is asked."""
    by = (a.CACHE, a.CACHE_OUTCOME)
    query = house.query(promql.rate(plumbing.CACHE_REQUESTS, by), promql.legend(*by))
    return house.lines("Cache look-ups", house.about(plumbing.CACHE_REQUESTS), house.PER_SECOND, query).min(0)
