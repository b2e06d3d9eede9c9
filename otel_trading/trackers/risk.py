"""Risk limits as telemetry: usage, limit and what share of it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading.semconv import risk as metrics
from otel_trading.trackers._tables import Values

if TYPE_CHECKING:
    from otel_trading._attributes import AttributeSet

__all__ = ["LimitTracker"]


class LimitTracker:
    """The last known usage of each limit; observed as `trading.risk.usage`, `.limit` and `.utilization`."""

    def __init__(self) -> None:
        self._usage = Values(metrics.USAGE)
        self._limit = Values(metrics.LIMIT)
        self._utilization = Values(metrics.UTILIZATION)

    def set(self, attributes: AttributeSet, usage: float | None, limit: float | None) -> None:
        """Take what is known now; the other figure stays as it was.

        Args:
            attributes: Name, unit and currency of the limit.
            usage: How much is used, in the limit's unit.
            limit: The limit in force, in the same unit.
        """
        if limit is not None:
            self._limit.set(attributes, limit)
        if usage is not None:
            self._usage.set(attributes, usage)
        known, used = self._limit.get(attributes), self._usage.get(attributes)
        if known and used is not None:
            self._utilization.set(attributes, used / known)
        else:  # of nothing there is no share: an old one would say that there is room
            self._utilization.end(attributes)
