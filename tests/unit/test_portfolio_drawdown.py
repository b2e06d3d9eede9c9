"""The deepest drawdown of each window, against one look over every mark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit_support import Clock, attributes, series

from otel_trading.semconv import attributes as a
from otel_trading.trackers import PortfolioTracker

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

DAY = 86_400.0
BOOK = attributes(currency="USD", account="acct")
DEEPEST = "trading.portfolio.max_drawdown"

sessions = st.lists(st.lists(st.integers(1, 400), min_size=1, max_size=4), min_size=1, max_size=45)


def _deepest(marks: list[int]) -> float:
    peak, worst = marks[0], 0.0
    for mark in marks:
        peak = max(peak, mark)
        worst = max(worst, (peak - mark) / peak)
    return worst


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sessions)
def test_each_window_knows_its_deepest_drawdown_from_every_mark(
    capmeter: CapturingMeter, days: list[list[int]]
) -> None:
    clock = Clock(DAY * 20_440)  # 2025-12-18: the year ends within the longer ones
    tracker = PortfolioTracker(clock)
    for number, day in enumerate(days):
        clock.now = DAY * (20_440 + number)
        for equity in day:
            tracker.valued(BOOK, float(equity))
    found = series(capmeter, DEEPEST, a.WINDOW.name)

    for window, complete in {"session": 0, "1d": 1, "7d": 7, "30d": 30, "inception": 99}.items():
        first = max(len(days) - 1 - complete, 0)
        begin = days[first - 1][-1] if first else days[0][0]
        marks = [begin, *(equity for day in days[first:] for equity in day)]
        assert found[window] == pytest.approx(_deepest(marks), rel=1e-12), window
    this_year = days[14:] or days
    begin = days[13][-1] if len(days) > 14 else days[0][0]
    assert found["ytd"] == pytest.approx(_deepest([begin, *(e for day in this_year for e in day)]), rel=1e-12)
    del tracker


def test_a_ruined_account_begins_anew_below_no_peak_of_before(capmeter: CapturingMeter) -> None:
    clock = Clock(DAY * 20_400)
    tracker = PortfolioTracker(clock)
    tracker.paid_in(BOOK, 1000.0)
    tracker.booked(BOOK, 1000.0)
    clock.now += DAY
    tracker.booked(BOOK, -2200.0)
    clock.now += DAY
    tracker.paid_in(BOOK, 1200.0)
    tracker.booked(BOOK, -100.0)

    found = series(capmeter, DEEPEST, a.WINDOW.name)
    assert found["inception"] == found["7d"] == pytest.approx(1.1)
    assert found["session"] == pytest.approx(0.1)
    assert capmeter.value("trading.portfolio.drawdown") == pytest.approx(0.1)
