"""Resilience: circuit breakers, health checks, retries, logged errors and the user's own timed operations."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import _boundaries as bounds
from otel_trading.semconv import attributes as a
from otel_trading.semconv._model import Family, Kind, Unit

_metric = Family(("resilience", "operation", "log"), a.COMMON).metric

BREAKER_STATUS: Final = _metric(
    "trading.resilience.circuit_breaker.status",
    Kind.OBSERVABLE_UP_DOWN_COUNTER,
    Unit("1"),
    "State of a circuit breaker: 1 for the current state, 0 for the others.",
    (a.required(a.BREAKER), a.required(a.BREAKER_STATE)),
)
BREAKER_TRANSITIONS: Final = _metric(
    "trading.resilience.circuit_breaker.transitions",
    Kind.COUNTER,
    Unit("{transition}"),
    "States that a circuit breaker entered.",
    (a.required(a.BREAKER), a.required(a.BREAKER_STATE)),
    note="The state is the one entered; in which a breaker was found when it was attached does not count.",
)
BREAKER_CALL_DURATION: Final = _metric(
    "trading.resilience.circuit_breaker.call.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Time of a call that a circuit breaker guards.",
    (a.required(a.BREAKER), a.required(a.BREAKER_OUTCOME), a.conditional(a.ERROR_TYPE)),
    bounds.LATENCY,
    note="Its count by outcome is the number of successes, of failures and of calls that an open breaker refused.",
)
HEALTH_CHECK_STATUS: Final = _metric(
    "trading.resilience.health_check.status",
    Kind.OBSERVABLE_UP_DOWN_COUNTER,
    Unit("1"),
    "Result of a health check: 1 for the current state, 0 for the other.",
    (a.required(a.HEALTH_CHECK), a.required(a.HEALTH_STATE)),
)
HEALTH_CHECK_DURATION: Final = _metric(
    "trading.resilience.health_check.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Time of a health check.",
    (a.required(a.HEALTH_CHECK),),
    bounds.LATENCY,
)
RETRIES: Final = _metric(
    "trading.resilience.retries",
    Kind.COUNTER,
    Unit("{retry}"),
    "Attempts after the first.",
    (a.required(a.OPERATION), a.conditional(a.ERROR_TYPE)),
    note="`error.type` is what the attempt before failed with.",
)
OPERATION_DURATION: Final = _metric(
    "trading.operation.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Time of a block that the user timed.",
    (a.required(a.OPERATION), a.conditional(a.ERROR_TYPE)),
    bounds.ITERATION,
)
LOG_ERRORS: Final = _metric(
    "trading.log.errors",
    Kind.COUNTER,
    Unit("{record}"),
    "Log records of severity ERROR or above.",
    (a.required(a.LOGGER),),
    note="Counted where a logger lets them through, whether or not a handler writes them.",
)
