"""Resilience: which health checks pass, in which state each circuit breaker is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading import events, instruments
from otel_trading.semconv import attributes as a
from otel_trading.semconv import events as happened
from otel_trading.semconv import resilience as metrics
from otel_trading.trackers._tables import States

if TYPE_CHECKING:
    from otel_trading._attributes import AttributeSet

__all__ = ["BreakerTracker", "HealthTracker"]


class HealthTracker:
    """The last result of each health check; observed as `trading.resilience.health_check.status`."""

    def __init__(self) -> None:
        self._states = States(metrics.HEALTH_CHECK_STATUS, a.HEALTH_STATE)

    def checked(self, attributes: AttributeSet, *, ok: bool, seconds: float | None = None) -> None:
        """Take a result.

        Args:
            attributes: Name of the check.
            ok: Whether it passed.
            seconds: How long it took, recorded as `trading.resilience.health_check.duration`.
        """
        self._states.set(attributes, "pass" if ok else "fail")
        if seconds is not None:
            instruments.of(metrics.HEALTH_CHECK_DURATION).record(seconds, attributes)


class BreakerTracker:
    """The state of circuit breakers that others implement; observed as `trading.resilience.circuit_breaker.status`.

    Emits `trading.resilience.circuit_breaker.transitions` and the event
    `trading.resilience.circuit_breaker.state_changed`.
    """

    def __init__(self) -> None:
        self._states = States(metrics.BREAKER_STATUS, a.BREAKER_STATE)

    def found(self, attributes: AttributeSet, state: str) -> None:
        """Take the state in which a breaker is when it is attached: nobody saw it change."""
        self._states.set(attributes, state)

    def changed(self, attributes: AttributeSet, state: str) -> None:
        """Enter a state; a breaker of which nothing is known yet was closed.

        Args:
            attributes: Name of the breaker, state excluded.
            state: closed, open or half_open.
        """
        before = self._states.set(attributes, state) or "closed"
        if state != before:
            entered = attributes.plus(a.BREAKER_STATE, state)
            instruments.of(metrics.BREAKER_TRANSITIONS).record(1, entered)
            events.emit(happened.BREAKER_STATE_CHANGED, entered)
