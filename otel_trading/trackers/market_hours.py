"""Market hours from `exchange_calendars` (extra `calendars`), which knows the holidays and half days of exchanges."""

from __future__ import annotations

import bisect
import math
from datetime import datetime, timedelta, timezone
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from otel_trading.errors import ConfigError

if TYPE_CHECKING:
    from otel_trading.semconv import attributes as a

__all__ = ["MarketHours"]

ALWAYS: Final = "24/7"
_BEFORE: Final = timedelta(days=7)
_AHEAD: Final = timedelta(days=365)
#: Longer than any exchange rests, so that the next opening is always among those that were read.
_MARGIN: Final = timedelta(days=30)
#: Seconds until a calendar that ends is asked again.
_RETRY: Final = 86_400.0


class MarketHours:
    """When one venue is open and when it is closed: regular hours, without auctions before or after.

    A year is read at once, and the next one when that is over; about 1,000 moments are kept.

    Args:
        calendar: Name in `exchange_calendars`, mostly the ISO 10383 MIC, such as XNAS or CMES; 24/7 is always open and
            needs no package.
        now: Unix seconds; from then on the hours are read.

    Raises:
        ConfigError: When the package is not installed or does not have that calendar.
    """

    def __init__(self, calendar: str, now: float) -> None:
        self._calendar = calendar
        self._from = self._until = 0.0
        self._changes: list[float] = []  # open, closed, open, closed ...
        if calendar != ALWAYS:
            self._read(now)

    def __call__(self, now: float) -> tuple[a.TradingStatus | None, float]:
        """Return the status at a Unix time and when it changes; None and never beyond what the calendar knows."""
        if self._calendar == ALWAYS:
            return "open", math.inf
        if not self._from <= now < self._until:
            try:
                self._read(now)
            except ConfigError:  # a collection cannot complain; without a session, silence is an alarm again
                self._changes, self._from, self._until = [], now, now + _RETRY
        place = bisect.bisect_right(self._changes, now)
        if place in {0, len(self._changes)}:
            return None, math.inf
        return "open" if place % 2 else "closed", self._changes[place]

    def _read(self, now: float) -> None:
        moment = datetime.fromtimestamp(now, timezone.utc)
        calendar = _load(self._calendar, moment - _BEFORE, moment + _AHEAD + _MARGIN)
        opens = {*_seconds(calendar.opens), *_seconds(calendar.break_ends)}
        closes = {*_seconds(calendar.closes), *_seconds(calendar.break_starts)}
        # Where one session ends at the moment in which the next one begins, nothing changes.
        self._changes = sorted(opens ^ closes)
        known = min(now + _AHEAD.total_seconds(), max(self._changes, default=now))
        self._from, self._until = now - _BEFORE.total_seconds(), max(known, now + _RETRY)


def _seconds(moments: Any) -> list[float]:
    return [moment.timestamp() for moment in moments.dropna()]


def _load(name: str, start: datetime, end: datetime) -> Any:
    try:
        package = import_module("exchange_calendars")  # here, because it brings pandas: half a second
    except ImportError as error:
        message = "Market hours need the package exchange_calendars. Run pip install 'otel-trading[calendars]'."
        raise ConfigError(message) from error
    names: list[str] = package.get_calendar_names()
    if name not in names:
        import difflib  # noqa: PLC0415  2 ms at import that only a wrong name is worth

        near = difflib.get_close_matches(name.upper(), names, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "Use a name of exchange_calendars, such as XNAS, XLON or 24/7."
        message = f"calendar={name!r} is not a calendar of exchange_calendars. {hint}"
        raise ConfigError(message)
    try:
        return _open(package, name, start.date().isoformat(), end.date().isoformat())
    except Exception as error:
        message = f"exchange_calendars cannot read its calendar {name!r}: {error}. Try another release of pandas."
        raise ConfigError(message) from error


def _open(package: Any, name: str, start: str, end: str) -> Any:
    try:
        return package.get_calendar(name, start=start, end=end)
    except ValueError:  # the holidays of some are known to the end of the year only
        return package.get_calendar(name, start=start)
