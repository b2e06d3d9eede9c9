"""What a venue tells about itself: its request budgets, its clock, how long its credentials last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading.semconv import venue as metrics
from otel_trading.trackers._tables import Values

if TYPE_CHECKING:
    from otel_trading._attributes import AttributeSet

__all__ = ["VenueTracker"]


class VenueTracker:
    """The last known budgets, clock and credentials of each venue.

    Is observed as `trading.rate_limit.*`, `trading.venue.clock.offset` and `trading.venue.credential.expiry.time`.
    """

    def __init__(self) -> None:
        self._usage = Values(metrics.RATE_LIMIT_USAGE)
        self._limit = Values(metrics.RATE_LIMIT_LIMIT)
        self._utilization = Values(metrics.RATE_LIMIT_UTILIZATION)
        self._offset = Values(metrics.CLOCK_OFFSET)
        self._expiry = Values(metrics.CREDENTIAL_EXPIRY_TIME)

    def budget(self, attributes: AttributeSet, usage: float, limit: float | None) -> None:
        """Take the state of a request budget.

        Args:
            attributes: Venue and name of the budget.
            usage: Requests used in the venue's window.
            limit: Requests allowed in it, or None when it is as before.
        """
        self._usage.set(attributes, usage)
        if limit:
            self._limit.set(attributes, limit)
        known = self._limit.get(attributes)
        if known:
            self._utilization.set(attributes, usage / known)

    def limit(self, attributes: AttributeSet) -> float | None:
        """Return the last known size of a request budget, or None."""
        return self._limit.get(attributes)

    def expires(self, attributes: AttributeSet, moment: float) -> None:
        """Take the Unix time at which a credential ends."""
        self._expiry.set(attributes, moment)

    def clock(self, attributes: AttributeSet, offset: float) -> None:
        """Take the local clock minus the venue's, in seconds."""
        self._offset.set(attributes, offset)
