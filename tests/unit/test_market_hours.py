"""Market hours against the real `exchange_calendars`: time zones, holidays, half days, lunch breaks."""

from __future__ import annotations

import math
import sys
from datetime import datetime, timedelta, timezone
from functools import cache
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_trading import meter
from otel_trading.errors import ConfigError
from otel_trading.trackers import market_hours as module
from otel_trading.trackers.market_hours import MarketHours

#: The package's own use of pandas; ours is none.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
exchange_calendars: Any = import_module("exchange_calendars")  # it ships no types


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


@cache
def hours(calendar: str, now: str = "2026-06-01") -> MarketHours:
    return MarketHours(calendar, utc(now))


@pytest.mark.parametrize(
    ("calendar", "opens", "closes"),
    [
        ("XNAS", "2026-10-30 13:30", "2026-10-30 20:00"),  # New York's summer time
        ("XNAS", "2026-11-02 14:30", "2026-11-02 21:00"),  # its winter time
        ("XLON", "2026-10-23 07:00", "2026-10-23 15:30"),  # London changes a week before
        ("XLON", "2026-10-26 08:00", "2026-10-26 16:30"),
        ("XNAS", "2026-11-27 14:30", "2026-11-27 18:00"),  # the half day after Thanksgiving
        ("XHKG", "2026-11-02 01:30", "2026-11-02 04:00"),  # until lunch
        ("XHKG", "2026-11-02 05:00", "2026-11-02 08:00"),  # and after it
    ],
)
def test_a_venue_opens_and_closes_to_the_second(calendar: str, opens: str, closes: str) -> None:
    ask = hours(calendar)

    assert ask(utc(opens) - 1) == ("closed", utc(opens))
    assert ask(utc(opens)) == ("open", utc(closes))
    assert ask(utc(closes) - 1) == ("open", utc(closes))
    assert ask(utc(closes))[0] == "closed"


def test_holidays_and_weekends_are_closed_until_the_next_session() -> None:
    ask = hours("XNAS")

    assert ask(utc("2026-11-26 16:00")) == ("closed", utc("2026-11-27 14:30"))  # Thanksgiving
    assert ask(utc("2026-11-28 16:00")) == ("closed", utc("2026-11-30 14:30"))  # a Saturday
    assert ask(utc("2026-12-25 16:00"))[0] == "closed"


@settings(max_examples=200, deadline=None)
@given(calendar=st.sampled_from(["XNAS", "XHKG", "CMES", "24/5"]), second=st.integers(0, 180 * 86_400))
def test_the_package_says_the_same_at_any_moment(calendar: str, second: int) -> None:
    now = utc("2026-06-01") + second
    theirs: Any = _theirs(calendar)
    moment = theirs.opens.iloc[0].fromtimestamp(now, tz=timezone.utc)

    status, until = hours(calendar)(now)

    assert (status == "open") is theirs.is_open_at_time(moment, side="left")
    assert until > now
    assert hours(calendar)(until)[0] != status


@cache
def _theirs(calendar: str) -> Any:
    return exchange_calendars.get_calendar(calendar, start="2026-05-20", end="2026-12-20")


def test_the_days_of_a_venue_that_never_rests_in_the_week_are_one_session() -> None:
    assert hours("24/5")(utc("2026-11-17 12:00")) == ("open", utc("2026-11-21"))


def test_a_venue_that_never_closes_needs_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)

    assert MarketHours("24/7", 0.0)(1e9) == ("open", math.inf)
    with pytest.raises(ConfigError, match=r"otel-trading\[calendars\]"):
        MarketHours("XNAS", 0.0)


def test_the_next_year_is_read_when_the_first_is_over_and_the_past_when_the_clock_falls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []
    load = module._load

    def counting(name: str, start: datetime, end: datetime) -> Any:
        read.append(name)
        return load(name, start, end)

    monkeypatch.setattr(module, "_load", counting)
    ask = MarketHours("XNAS", utc("2024-06-03 15:00"))

    assert [ask(utc(f"{year}-06-03 15:00"))[0] for year in (2024, 2025, 2026)] == ["open", "open", "open"]
    assert ask(utc("2024-06-04 15:00"))[0] == "open"
    assert ask(utc("2024-06-05 15:00"))[0] == "open"
    assert len(read) == 4


def test_beyond_what_the_calendar_knows_there_is_no_status() -> None:
    last = exchange_calendars.get_calendar("XSHG").bound_max()
    end = datetime(last.year, last.month, last.day, tzinfo=timezone.utc)
    ask = MarketHours("XSHG", (end - timedelta(days=30)).timestamp())

    assert ask((end - timedelta(days=20)).timestamp())[0] in {"open", "closed"}
    assert ask((end + timedelta(days=40)).timestamp()) == (None, math.inf)


@pytest.mark.parametrize(
    ("name", "says"), [("xnas", "Did you mean 'XNAS'"), ("kraken", "is not a calendar of exchange_calendars")]
)
def test_an_unknown_calendar_is_said_at_the_start(name: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        meter.watch_market_hours(venue="kraken", calendar=name)


def test_a_calendar_that_the_package_cannot_read_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        message = "implemented by subclasses"
        raise NotImplementedError(message)

    monkeypatch.setattr(exchange_calendars, "get_calendar", broken)

    with pytest.raises(ConfigError, match="implemented by subclasses"):
        MarketHours("XNAS", utc("2026-06-01"))


def test_hours_need_a_venue() -> None:
    with pytest.raises(ConfigError, match="Pass venue="):
        meter.watch_market_hours(calendar="24/7")
