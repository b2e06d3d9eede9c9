"""Trading sessions: whether a venue trades now."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

from otel_trading import trackers
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded, lose
from otel_trading._numbers import number
from otel_trading.errors import ConfigError
from otel_trading.semconv import attributes as a
from otel_trading.trackers.market_hours import MarketHours

if TYPE_CHECKING:
    from otel_trading._numbers import Number

__all__ = ["venue_session", "watch_market_hours"]

_SESSION: Final = Keywords("venue_session", status=a.TRADING_STATUS, venue=a.VENUE)
_WATCH: Final = Keywords("watch_market_hours", venue=a.VENUE)
#: Whoever is told of it: a venue that one strategy saw closed does not stay closed beside another one's word.
_NOT_OF_VENUE: Final = (a.TRADING_STATUS, a.STRATEGY, a.ACCOUNT)


@guarded
def venue_session(*, status: a.TradingStatus, until: Number | None = None, venue: str | None = None) -> None:
    """Take the trading status of a whole venue, as it tells it (FIX 340); for one halted symbol this is not the place.

    Where `watch_market_hours` knows the venue's calendar, the status holds until that opens or closes the venue.

    Args:
        status: pre_open, open, auction, halted, suspended or closed.
        until: Unix time of its next change, where the venue tells it; from then on nothing is known without a calendar.
        venue: ccxt id, ISO 10383 MIC or broker id; the same as that of its feeds.

    Emits: the event `trading.instrument.status_changed`; feeds `trading.venue.session.status`.
    """
    attributes = _SESSION.resolve(status, venue)
    if attributes.get(a.VENUE) is None:
        lose("invalid_value", "venue_session does not know the venue. Pass venue=, or set its default.")
        return
    stated = attributes.values[a.TRADING_STATUS.name]
    end = None if until is None else number(until, "until")
    trackers.default().sessions.stated(attributes.without(*_NOT_OF_VENUE), stated, math.inf if end is None else end)


def watch_market_hours(*, venue: str | None = None, calendar: str | None = None) -> None:
    """Let a calendar tell whether a venue is open, so that its silence at night and on holidays is no alarm.

    Needs the extra `calendars`. Regular hours only: a lunch break is closed, a half day ends early, pre-open and
    auctions are for `venue_session`, which has the last word until the next opening or closing. Call it once, at start.

    Args:
        venue: The venue of the feeds; mostly an ISO 10383 MIC, such as xnas.
        calendar: Name in `exchange_calendars`, such as XNAS or CMES; the venue in upper case when left out. 24/7 is
            always open and needs no package.

    Raises:
        ConfigError: Without a venue, without the package, or for an unknown calendar: this is configuration.

    Emits: nothing by itself; feeds `trading.venue.session.status`.
    """
    attributes = _WATCH.resolve(venue)
    name = attributes.get(a.VENUE)
    if name is None:
        message = "watch_market_hours does not know the venue. Pass venue=, or set its default."
        raise ConfigError(message)
    hours = MarketHours(calendar or name.upper(), time.time())
    trackers.default().sessions.watched(attributes.without(*_NOT_OF_VENUE), hours)
