"""When a trading session begins: a time of day in a zone, safe over changes of the clocks."""

from __future__ import annotations

from datetime import date, datetime, time, timezone, tzinfo
from typing import Final

from otel_trading.errors import ConfigError

__all__ = ["Session"]

_FRIDAY: Final = 4
_CALENDAR_DAYS: Final = 365
_TRADING_DAYS: Final = 252


class Session:
    """The daily reset of session P&L and the sampling of returns: one session per day.

    Where clocks go forward over the reset, it comes with the jump; where they go back over it, the first one counts.

    Args:
        zone: IANA name, for instance America/New_York.
        at: Local time of the reset, HH:MM.
        weekends: Whether sessions begin on Saturday and Sunday too; else those days belong to Friday's.

    Raises:
        ConfigError: For a zone or a time that does not exist.
    """

    def __init__(self, zone: str = "UTC", at: str = "00:00", *, weekends: bool = True) -> None:
        self._zone = _zone(zone)
        self._at = _time(at)
        self._weekends = weekends
        self._known = (0, 0.0, 0.0)  # session, begin, end: the answer to nearly every question

    @property
    def per_year(self) -> int:
        """Sessions in a year, for annualisation: 365, or 252 without weekends; holidays count as flat sessions."""
        return _CALENDAR_DAYS if self._weekends else _TRADING_DAYS

    def day(self, now: float) -> int:
        """Return the ordinal of the date on which the session that runs at this Unix time began."""
        day, begin, end = self._known
        if not begin <= now < end:
            local = datetime.fromtimestamp(now, self._zone).toordinal()
            day = next(day for day in (local + 1, local, local - 1) if self._begin(day) <= now)
            self._known = (day, self._begin(day), self._begin(day + 1))
        if not self._weekends:
            return day - max(date.fromordinal(day).weekday() - _FRIDAY, 0)
        return day

    def _begin(self, day: int) -> float:
        # fold=0: the first of two equal times; a time that does not exist becomes that of the jump.
        return datetime.combine(date.fromordinal(day), self._at, self._zone).timestamp()


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return timezone.utc
    from zoneinfo import ZoneInfo  # noqa: PLC0415  3 ms at import that only another zone is worth

    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        message = f"Session zone {name!r} is unknown. Use an IANA name such as America/New_York; on Windows add tzdata."
        raise ConfigError(message) from error


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError as error:
        message = f"Session time {text!r} is no time of day. Use HH:MM, for instance 17:00."
        raise ConfigError(message) from error
