"""Figures of performance: by hand, by windows, and against a library that nobody here wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import empyrical  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit_support import Clock, attributes, series

from otel_trading.semconv import attributes as a
from otel_trading.trackers import PortfolioTracker, Session
from otel_trading.trackers.portfolio._returns import Returns

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

DAY = 86_400.0
START = DAY * 20_453 + 3600  # 2025-12-31, 01:00 UTC
BOOK = attributes(currency="USD", account="acct")
BTC = attributes(symbol="BTC", currency="USD", account="acct")
WINDOW = a.WINDOW.name
RETURN = "trading.portfolio.return"

returns = st.lists(st.floats(-0.2, 0.25).map(lambda value: round(value, 6)), min_size=2, max_size=400)


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def portfolio(capmeter: CapturingMeter, clock: Clock) -> PortfolioTracker:
    del capmeter
    return PortfolioTracker(clock)


@settings(max_examples=200, deadline=None)
@given(returns, st.sampled_from([252, 365]))
def test_the_ratios_are_those_of_empyrical(values: list[float], per_year: int) -> None:
    ours, theirs = Returns(), np.array(values)
    for value in values:
        ours.add(value)

    assert ours.max_drawdown == pytest.approx(-float(empyrical.max_drawdown(theirs)), rel=1e-9, abs=1e-12)
    assert ours.growth - 1 == pytest.approx(float(empyrical.cum_returns_final(theirs)), rel=1e-9, abs=1e-12)
    if np.std(theirs) > 1e-4:  # of nearly equal returns a deviation is only rounding
        assert ours.sharpe(per_year) == pytest.approx(
            float(empyrical.sharpe_ratio(theirs, annualization=per_year)), rel=1e-9, abs=1e-12
        )
    if min(values) < 0:
        sortino = float(empyrical.sortino_ratio(theirs, annualization=per_year))
        assert ours.sortino(per_year) == pytest.approx(sortino, rel=1e-9, abs=1e-12)
        calmar = float(empyrical.calmar_ratio(theirs, annualization=per_year))
        assert ours.calmar(per_year) == pytest.approx(calmar, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("values", [[], [0.1], [0.01, 0.01], [0.0, 0.0]])
def test_too_little_gives_no_ratio(values: list[float]) -> None:
    ours = Returns()
    for value in values:
        ours.add(value)

    assert (ours.sharpe(365), ours.sortino(365), ours.calmar(365)) == (None, None, None)


def test_ruin_has_no_annual_growth() -> None:
    ours = Returns()
    for value in (0.5, -1.5):
        ours.add(value)

    assert ours.max_drawdown > 1
    assert ours.calmar(365) is None


@pytest.mark.seed("S3-06")
def test_sessions_give_the_same_ratios_as_their_equity_curve(
    portfolio: PortfolioTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    curve = [100_000.0, 101_500.0, 99_000.0, 103_000.0, 103_000.0, 98_500.0, 107_250.5]
    portfolio.valued(BOOK, curve[0])
    for equity in curve[1:]:
        portfolio.valued(BOOK, equity)
        clock.now += DAY
    daily = np.diff(np.array(curve)) / np.array(curve[:-1])
    portfolio.valued(BOOK, 50_000.0)  # of the session that is not over: no sample yet

    for name, theirs in (
        ("sharpe_ratio", empyrical.sharpe_ratio(daily, annualization=365)),
        ("sortino_ratio", empyrical.sortino_ratio(daily, annualization=365)),
        ("calmar_ratio", empyrical.calmar_ratio(daily, annualization=365)),
    ):
        found = series(capmeter, f"trading.portfolio.{name}", WINDOW)
        assert found["inception"] == pytest.approx(float(theirs), rel=1e-9)
        assert found["30d"] == pytest.approx(found["inception"], rel=1e-9)
        assert {"session", "1d"}.isdisjoint(found)
    assert capmeter.value("trading.portfolio.max_drawdown", window="inception") == pytest.approx(1 - 50_000 / 107_250.5)


@pytest.mark.seed("S3-04", "S3-10")
def test_each_window_returns_from_where_it_begins(
    portfolio: PortfolioTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    for number in range(41):  # equity at the beginning of session n is 1000 + n
        portfolio.valued(BOOK, 1000.0 + number)
        clock.now += DAY
        portfolio.valued(BOOK, 1000.0 + number)
    portfolio.valued(BOOK, 2000.0)
    found = series(capmeter, RETURN, WINDOW)

    begins = {"session": 1040, "1d": 1039, "7d": 1033, "30d": 1010, "inception": 1000, "ytd": 1000}
    assert found == {window: pytest.approx(2000 / begin - 1) for window, begin in begins.items()}
    capmeter.assert_conforms()


def test_money_paid_in_and_out_is_no_return(
    portfolio: PortfolioTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    portfolio.paid_in(BTC, 1000.0)
    portfolio.booked(BTC, 100.0)
    portfolio.paid_in(BTC, 8900.0)
    portfolio.booked(BTC, -1000.0)
    portfolio.paid_in(BTC, -4500.0)
    clock.now += DAY

    assert capmeter.value("trading.portfolio.value") == 4500
    assert series(capmeter, RETURN, WINDOW)["inception"] == pytest.approx(1.1 * 0.9 - 1)
    assert capmeter.value("trading.portfolio.drawdown") == pytest.approx(0.1)
    assert capmeter.value("trading.portfolio.session.return", direction="adverse") == 1


def test_equity_that_is_stated_takes_a_deposit_at_once(portfolio: PortfolioTracker, capmeter: CapturingMeter) -> None:
    portfolio.valued(BOOK, 1000.0)
    portfolio.paid_in(BOOK, 500.0)
    portfolio.valued(BOOK, 1650.0)

    assert series(capmeter, RETURN, WINDOW)["session"] == pytest.approx(0.1)


def test_a_ruined_account_begins_anew_with_its_next_deposit(
    portfolio: PortfolioTracker, capmeter: CapturingMeter
) -> None:
    portfolio.paid_in(BOOK, 1000.0)
    portfolio.booked(BOOK, -1200.0)
    assert capmeter.value("trading.portfolio.drawdown") == pytest.approx(1.2)
    assert capmeter.samples("trading.account.leverage") == []
    portfolio.paid_in(BOOK, 1200.0)
    portfolio.booked(BOOK, 100.0)

    assert capmeter.value("trading.portfolio.drawdown") == 0
    assert capmeter.value("trading.portfolio.max_drawdown", window="inception") == pytest.approx(1.2)


@pytest.mark.seed("S3-03")
def test_closed_trades_by_window(portfolio: PortfolioTracker, clock: Clock, capmeter: CapturingMeter) -> None:
    def trade(pnl: float) -> None:
        portfolio.filled(BTC, 1, 1000.0)
        portfolio.filled(BTC, -1, 1000.0 + pnl)

    for pnl in (100.0, -50.0, 0.0, 30.0):
        trade(pnl)
    clock.now += 3 * DAY  # the next year
    trade(-20.0)

    assert series(capmeter, "trading.portfolio.win_rate", WINDOW) == {
        "session": 0.0, "1d": 0.4, "7d": 0.4, "30d": 0.4, "ytd": 0.0, "inception": 0.4,
    }  # fmt: skip
    assert series(capmeter, "trading.portfolio.profit_factor", WINDOW)["inception"] == pytest.approx(130 / 70)
    assert series(capmeter, "trading.portfolio.expectancy", WINDOW)["7d"] == 12
    assert capmeter.value("trading.trade.closures", outcome="breakeven") == 1


def test_without_a_loss_there_is_no_profit_factor(portfolio: PortfolioTracker, capmeter: CapturingMeter) -> None:
    portfolio.filled(BTC, 1, 1000.0)
    portfolio.filled(BTC, -1, 1001.0)

    assert capmeter.samples("trading.portfolio.profit_factor") == []
    assert series(capmeter, "trading.portfolio.win_rate", WINDOW)["session"] == 1


def test_months_leave_thirty_sessions(capmeter: CapturingMeter, clock: Clock) -> None:
    tracker = PortfolioTracker(clock, session=Session("America/New_York", "17:00", weekends=False))
    for number in range(400):
        tracker.valued(BOOK, 1000.0 + number % 7)
        clock.now += DAY
    (book,) = tracker._books.values()

    assert len(book.history.days) == 30
    assert book.history.returns.count in range(284, 287)  # five of seven
    assert capmeter.value("trading.portfolio.session.return", direction="adverse") > 0


def test_one_collection_is_one_moment(portfolio: PortfolioTracker, capmeter: CapturingMeter) -> None:
    portfolio.paid_in(BOOK, 1000.0)
    portfolio.filled(BTC, 2, 100.0, 1.0)
    portfolio.marked(BTC, 130.0)

    samples = capmeter.samples()
    pnl = sum(sample.value for sample in samples if sample.name == "trading.portfolio.pnl")
    (equity,) = (sample.value for sample in samples if sample.name == "trading.portfolio.value")
    (leverage,) = (sample.value for sample in samples if sample.name == "trading.account.leverage")
    assert equity == 1000 + pnl
    assert leverage == pytest.approx(260 / equity)
