"""Resilience: what the bot checks, guards, tries again and times itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading.semconv import attributes as a
from otel_trading.semconv import resilience

from .. import _house as house
from .. import _promql as promql

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import statetimeline, timeseries

#: Worst first: the order in which `_promql.state` numbers them.
RESULTS = {"fail": house.RED, "pass": house.GREEN}
BREAKER_STATES = {"open": house.RED, "half_open": house.ORANGE, "closed": house.GREEN}


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


def breakers() -> statetimeline.Panel:
    """Each circuit breaker over time."""
    by = (promql.SERVICE, a.BREAKER)
    expression = promql.state(resilience.BREAKER_STATUS, a.BREAKER_STATE, BREAKER_STATES, by)
    query = house.query(expression, promql.legend(*by))
    return house.timeline("Circuit breakers", "State of each circuit breaker over time.", BREAKER_STATES, query)


def breaker_transitions() -> timeseries.Panel:
    """How often they trip."""
    by = (a.BREAKER, a.BREAKER_STATE)
    query = house.query(promql.per_minute(resilience.BREAKER_TRANSITIONS, by), promql.legend(*by))
    title = "Circuit breaker changes"
    return house.events(title, house.about(resilience.BREAKER_TRANSITIONS), house.PER_MINUTE, query)


def breaker_calls() -> timeseries.Panel:
    """What became of the guarded calls."""
    by = (a.BREAKER, a.BREAKER_OUTCOME)
    query = house.query(promql.rate(resilience.BREAKER_CALL_DURATION, by, part="count"), promql.legend(*by))
    return house.lines("Guarded calls", "Calls behind circuit breakers, by outcome.", house.PER_SECOND, query).min(0)


def breaker_call_duration() -> timeseries.Panel:
    """How long guarded calls take."""
    by = (a.BREAKER,)
    query = house.query(promql.quantile(0.95, resilience.BREAKER_CALL_DURATION, by), promql.legend(*by))
    title = "Guarded call time, p95"
    return house.lines(title, house.about(resilience.BREAKER_CALL_DURATION), house.SECONDS, query).min(0)


def retries() -> timeseries.Panel:
    """What has to be tried again."""
    by = (a.OPERATION, a.ERROR_TYPE)
    query = house.query(promql.per_minute(resilience.RETRIES, by), promql.legend(*by))
    return house.events("Retries", house.about(resilience.RETRIES), house.PER_MINUTE, query)


def logged_errors() -> timeseries.Panel:
    """Who complains in the bot's log."""
    by = (a.LOGGER,)
    query = house.query(promql.per_minute(resilience.LOG_ERRORS, by), promql.legend(*by))
    return house.events("Errors logged", house.about(resilience.LOG_ERRORS), house.PER_MINUTE, query)
