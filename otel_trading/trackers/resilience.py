"""Health checks: which pass now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading import instruments
from otel_trading.semconv import attributes as a
from otel_trading.semconv import resilience as metrics
from otel_trading.trackers._tables import States

if TYPE_CHECKING:
    from otel_trading._attributes import AttributeSet

__all__ = ["HealthTracker"]


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
