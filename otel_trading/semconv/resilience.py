"""Resilience: health checks and the user's own timed operations."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import _boundaries as bounds
from otel_trading.semconv import attributes as a
from otel_trading.semconv._model import Family, Kind, Unit

_metric = Family(("resilience", "operation"), a.COMMON).metric

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
OPERATION_DURATION: Final = _metric(
    "trading.operation.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Time of a block that the user timed.",
    (a.required(a.OPERATION), a.conditional(a.ERROR_TYPE)),
    bounds.ITERATION,
)
