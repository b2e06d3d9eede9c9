"""When sessions begin, whatever the clocks of a zone do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit_support import Clock, attributes

from otel_trading.errors import ConfigError
from otel_trading.trackers import PortfolioTracker, Session

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

NEW_YORK = ZoneInfo("America/New_York")
BOOK = attributes(currency="USD", account="acct")


def _at(*fields: int, fold: int = 0) -> float:
    return datetime(*fields, tzinfo=NEW_YORK, fold=fold).timestamp()  # type: ignore[arg-type,misc]


def _sessions(session: Session, begin: float, hours: float, step: float = 300.0) -> list[tuple[float, int]]:
    """Each change of session, with its time."""
    found: list[tuple[float, int]] = []
    for number in range(int(hours * 3600 / step)):
        now = begin + number * step
        day = session.day(now)
        if not found or found[-1][1] != day:
            found.append((now, day))
    return found


@pytest.mark.parametrize(
    ("at", "first", "resets"),
    [
        ("17:00", (2026, 3, 7, 12), [_at(2026, 3, 7, 17), _at(2026, 3, 8, 17)]),  # 23 hours apart
        ("17:00", (2026, 10, 31, 12), [_at(2026, 10, 31, 17), _at(2026, 11, 1, 17)]),  # 25 hours apart
        ("02:30", (2026, 3, 7, 12), [_at(2026, 3, 8, 3, 30)]),  # does not exist that day
        ("01:30", (2026, 10, 31, 12), [_at(2026, 11, 1, 1, 30)]),  # exists twice
    ],
)
def test_a_reset_is_local_and_happens_once(at: str, first: tuple[int, ...], resets: list[float]) -> None:
    changes = _sessions(Session("America/New_York", at), _at(*first), 36)

    assert [now for now, _ in changes[1:]] == resets
    assert [day - changes[0][1] for _, day in changes] == list(range(len(changes)))


@given(st.integers(0, 4_000_000_000), st.sampled_from(["UTC", "America/New_York", "Europe/London", "Asia/Kolkata"]))
def test_a_session_is_that_of_the_local_date(now: int, zone: str) -> None:
    local = datetime.fromtimestamp(now, ZoneInfo(zone))
    expected = local.date() if local.hour >= 4 else local.date() - timedelta(days=1)

    assert Session(zone, "04:00").day(now) == expected.toordinal()


def test_without_weekends_friday_lasts_until_monday() -> None:
    session = Session("America/New_York", "17:00", weekends=False)
    changes = _sessions(session, _at(2026, 11, 19, 12), 24 * 6, 3600)

    before = [_at(2026, 11, 19, 17), _at(2026, 11, 20, 17)]
    assert [now for now, _ in changes[1:]] == [*before, _at(2026, 11, 23, 17), _at(2026, 11, 24, 17)]
    assert session.per_year == 252


@pytest.mark.parametrize("wrong", [{"zone": "Mars/Olympus"}, {"zone": "../etc"}, {"at": "25:00"}, {"at": "noon"}])
def test_a_wrong_session_is_a_wrong_configuration(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="Session"):
        Session(**wrong)  # type: ignore[arg-type]


def test_a_clock_that_goes_backwards_reopens_no_session(capmeter: CapturingMeter) -> None:
    clock = Clock(_at(2026, 11, 20, 16, 59))
    tracker = PortfolioTracker(clock, session=Session("America/New_York", "17:00"))
    tracker.paid_in(BOOK, 1000.0)
    tracker.booked(BOOK, 100.0)
    clock.now = _at(2026, 11, 20, 17, 1)
    assert capmeter.value("trading.portfolio.session.pnl", type="realized") == 0
    tracker.booked(BOOK, -10.0)
    clock.now = _at(2026, 11, 20, 16, 58)

    assert capmeter.value("trading.portfolio.session.pnl", type="realized") == -10
    (sample,) = capmeter.samples("trading.portfolio.session.return")
    assert sample.sum == pytest.approx(0.1)
    assert sample.attributes["trading.execution.direction"] == "favorable"
