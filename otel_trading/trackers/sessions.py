"""Trading sessions of venues: open, closed or halted, by a calendar, by the venue's word, or by both."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from otel_trading import events, instruments
from otel_trading._guard import lose
from otel_trading.semconv import attributes as a
from otel_trading.semconv import events as happened
from otel_trading.semconv import venue as metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from otel_trading._attributes import AttributeSet

    #: From Unix seconds to the status then, None where it is not known, and the Unix time of its next change.
    Hours: TypeAlias = "Callable[[float], tuple[a.TradingStatus | None, float]]"

__all__ = ["SessionTracker"]

_MAX_VENUES: Final = 1000


@dataclass(slots=True)
class _Session:
    hours: Hours | None = None
    stated: str | None = None
    until: float = math.inf

    def status(self, now: float) -> str | None:
        if self.stated is not None and now < self.until:
            return self.stated
        return None if self.hours is None else self.hours(now)[0]


class SessionTracker:
    """The status of each venue, bounded to 1,000; observed as `trading.venue.session.status`.

    Emits the event `trading.instrument.status_changed` for what is stated.

    The last word wins: what was stated holds until the calendar opens or closes the venue the next time, so that a halt
    ends at the close. Where no calendar is watched it holds until the moment that was stated with it, and is then not
    known any more; for good where there was none.

    Args:
        clock: Unix seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._sessions: dict[AttributeSet, _Session] = {}
        instruments.observe(metrics.SESSION_STATUS, self._observe)

    def stated(self, attributes: AttributeSet, status: str, until: float = math.inf) -> None:
        """Take the status that the venue tells.

        Args:
            attributes: The venue.
            status: What it says.
            until: Unix seconds of its next change.
        """
        session = self._session(attributes)
        if session is None:
            return
        now = self._clock()
        before = session.status(now)
        session.until = until if session.hours is None else min(until, session.hours(now)[1])
        session.stated = status
        if status != before:
            events.emit(happened.INSTRUMENT_STATUS_CHANGED, attributes.plus(a.TRADING_STATUS, status))

    def watched(self, attributes: AttributeSet, hours: Hours) -> None:
        """Let a calendar tell the status from now on."""
        session = self._session(attributes)
        if session is not None:
            session.hours, session.stated = hours, None

    def _session(self, attributes: AttributeSet) -> _Session | None:
        if len(self._sessions) >= _MAX_VENUES and attributes not in self._sessions:
            lose("series_limit", f"Over {_MAX_VENUES} venues have a session. State it once per venue.")
            return None
        return self._sessions.setdefault(attributes, _Session())

    def _observe(self) -> Iterator[tuple[AttributeSet, float]]:
        now = self._clock()
        for attributes, session in list(self._sessions.items()):
            current = session.status(now)
            for status in a.TRADING_STATUS.values if current is not None else ():
                yield attributes.plus(a.TRADING_STATUS, status), float(status == current)
