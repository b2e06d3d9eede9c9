from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from unit_support import Clock, attributes, losses, series

from otel_trading import meter
from otel_trading.errors import ConventionError
from otel_trading.semconv import attributes as a
from otel_trading.trackers import SessionTracker
from otel_trading.trackers import sessions as module
from trace_support import tracing

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

STATUS = "trading.venue.session.status"
VENUE = attributes(venue="xnas")
OPEN, CLOSE = 1_000.0, 2_000.0


def hours(now: float) -> tuple[a.TradingStatus | None, float]:
    """One session, from 1,000 to 2,000."""
    if now < OPEN:
        return "closed", OPEN
    return ("open", CLOSE) if now < CLOSE else ("closed", math.inf)


def status(captured: CapturingMeter) -> str | None:
    found = [value for value, on in series(captured, STATUS, a.TRADING_STATUS.name).items() if on]
    assert len(found) <= 1
    return found[0] if found else None


@pytest.fixture
def clock() -> Clock:
    return Clock(0.0)


@pytest.fixture
def sessions(capmeter: CapturingMeter, clock: Clock) -> SessionTracker:
    del capmeter  # it has to be there first
    return SessionTracker(clock)


def test_the_calendar_tells_at_each_collection(
    sessions: SessionTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    sessions.watched(VENUE, hours)
    told = []
    for clock.now in (999.0, 1_000.0, 1_999.0, 2_000.0):
        told.append(status(capmeter))

    assert told == ["closed", "open", "open", "closed"]
    assert set(series(capmeter, STATUS, a.TRADING_STATUS.name)) == set(a.TRADING_STATUS.values)
    capmeter.assert_conforms()


def test_what_the_venue_says_holds_until_the_calendar_changes(
    sessions: SessionTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    sessions.watched(VENUE, hours)
    clock.now = 900
    sessions.stated(VENUE, "pre_open")
    assert status(capmeter) == "pre_open"
    clock.now = 1_000
    assert status(capmeter) == "open"
    sessions.stated(VENUE, "halted")
    clock.now = 1_999
    assert status(capmeter) == "halted"
    clock.now = 2_000
    assert status(capmeter) == "closed"


def test_without_a_calendar_the_last_word_stands(
    sessions: SessionTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    sessions.stated(VENUE, "halted")
    clock.now = 1e9

    assert status(capmeter) == "halted"


def test_what_was_stated_holds_no_longer_than_the_venue_said(
    sessions: SessionTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    sessions.stated(VENUE, "closed", until=1_000)
    clock.now = 999
    assert status(capmeter) == "closed"
    clock.now = 1_000
    assert status(capmeter) is None  # nobody asked since: silence is an alarm again
    clock.now = 900
    sessions.watched(VENUE, hours)
    sessions.stated(VENUE, "halted", until=950)
    assert status(capmeter) == "halted"
    clock.now = 950
    assert status(capmeter) == "closed"


def test_what_nobody_knows_is_no_series(sessions: SessionTracker, capmeter: CapturingMeter) -> None:
    sessions.watched(VENUE, lambda now: (None, now))

    assert capmeter.samples(STATUS) == []


def test_the_table_of_venues_is_bounded(production: CapturingMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_VENUES", 1)
    sessions = SessionTracker()
    sessions.stated(VENUE, "open")
    sessions.stated(attributes(venue="xlon"), "open")
    sessions.watched(VENUE, lambda now: ("closed", now))

    assert status(production) == "closed"
    assert losses(production) == {"series_limit": 1}


def test_the_helpers_speak_of_the_same_venue(capmeter: CapturingMeter) -> None:
    meter.defaults(strategy="one")
    meter.watch_market_hours(venue="Kraken", calendar="24/7")
    assert status(capmeter) == "open"

    with meter.scope(strategy="two", account="second"):
        meter.venue_session(venue="kraken", status="halted")

    assert status(capmeter) == "halted"
    assert [row.value for row in capmeter.samples(STATUS)].count(1) == 1
    assert {row.attributes[a.VENUE.name] for row in capmeter.samples(STATUS)} == {"kraken"}
    capmeter.assert_conforms()


def test_a_status_is_an_event_when_the_venue_tells_what_is_new(sessions: SessionTracker, clock: Clock) -> None:
    sessions.watched(VENUE, hours)
    clock.now = 1_500
    with tracing() as traced:
        for told in ("open", "halted", "halted", "open"):
            sessions.stated(VENUE, told)

    events = traced.events("trading.instrument.status_changed")
    assert [dict(event.attributes or {})[a.TRADING_STATUS.name] for event in events] == ["halted", "open"]


def test_a_session_needs_a_venue() -> None:
    with pytest.raises(ConventionError, match="Pass venue="):
        meter.venue_session(status="open")
