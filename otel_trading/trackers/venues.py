"""What a venue tells about itself: its request budgets, its clock, how long its credentials last."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from otel_trading import _guard
from otel_trading.semconv import venue as metrics
from otel_trading.trackers._tables import Values

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from otel_trading._attributes import AttributeSet

__all__ = ["Unread", "VenueTracker"]

_MAX_UNREAD: Final = 1000


class Unread:
    """Replies that nobody has read yet, by whose they are: of several only what the last one tells will be seen.

    An object of its own, since the tables of the tracker hold it: in a circle they would outlive a backtest.
    """

    def __init__(self) -> None:
        self._replies: dict[Hashable, Callable[[], None]] = {}

    def get(self, key: Hashable) -> Callable[[], None] | None:
        """Return what is left there, or None."""
        return self._replies.get(key)

    def leave(self, key: Hashable, reply: Callable[[], None]) -> None:
        """Leave replies to the next collection: a call that has no time to lose cannot spare what reading takes.

        Args:
            key: Whose; another function under the same key takes this one's place.
            reply: Tells the tracker's `budget` and `clock`.
        """
        self._replies[key] = reply
        if len(self._replies) > _MAX_UNREAD:
            self.read()

    def read(self) -> None:
        """Read all."""
        with suppress(KeyError):  # no more
            while True:
                _, reply = self._replies.popitem()
                try:
                    reply()
                except Exception:  # noqa: BLE001  headers are foreign text
                    _guard.count("internal_error")


class VenueTracker:
    """The last known budgets, clock and credentials of each venue.

    Is observed as `trading.rate_limit.*`, `trading.venue.clock.offset` and `trading.venue.credential.expiry.time`.
    """

    def __init__(self) -> None:
        self.unread = Unread()
        self._usage = Values(metrics.RATE_LIMIT_USAGE, self.unread.read)
        self._limit = Values(metrics.RATE_LIMIT_LIMIT, self.unread.read)
        self._utilization = Values(metrics.RATE_LIMIT_UTILIZATION, self.unread.read)
        self._offset = Values(metrics.CLOCK_OFFSET, self.unread.read)
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
        self.unread.read()
        return self._limit.get(attributes)

    def expires(self, attributes: AttributeSet, moment: float) -> None:
        """Take the Unix time at which a credential ends."""
        self._expiry.set(attributes, moment)

    def clock(self, attributes: AttributeSet, offset: float) -> None:
        """Take the local clock minus the venue's, in seconds."""
        self._offset.set(attributes, offset)
