"""Our figures of performance against two libraries that nobody here wrote; where definitions differ, how.

Both are heavy, so they are loaded when a test runs and not when tests are collected.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_trading._attributes import AttributeSet
from otel_trading.semconv import attributes as a
from otel_trading.trackers import PortfolioTracker
from otel_trading.trackers.portfolio._returns import Returns

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

#: backtesting.py 0.6.6 still says dayofweek, which pandas 3.1 has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofweek is deprecated")

CASH = 1_000_000.0
DAY = 86_400.0
BARS = 120
KEY = AttributeSet({a.MODE.name: "live", a.CURRENCY.name: "USD", a.SYMBOL.name: "ACME"})
BOOK = KEY.without(a.SYMBOL)

returns = st.lists(st.floats(-0.2, 0.25).map(lambda value: round(value, 6)), min_size=2, max_size=120)


@pytest.fixture(scope="module")
def quantstats() -> Any:
    from quantstats import stats  # noqa: PLC0415  2 s

    return stats


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(returns, st.sampled_from([252, 365]))
def test_the_ratios_are_those_of_quantstats(quantstats: Any, values: list[float], per_year: int) -> None:
    ours = Returns()
    for value in values:
        ours.add(value)
    theirs = pd.Series(values, index=pd.date_range("2026-01-01", periods=len(values)))

    assert ours.max_drawdown == pytest.approx(-float(quantstats.max_drawdown(theirs)), rel=1e-9, abs=1e-12)
    if np.std(values) > 1e-4:  # of nearly equal returns a deviation is only rounding
        sharpe = float(quantstats.sharpe(theirs, periods=per_year))
        assert ours.sharpe(per_year) == pytest.approx(sharpe, rel=1e-9, abs=1e-12)
    if min(values) < 0:
        sortino = float(quantstats.sortino(theirs, periods=per_year))
        assert ours.sortino(per_year) == pytest.approx(sortino, rel=1e-9, abs=1e-12)
        calmar = float(quantstats.calmar(theirs, periods=per_year))
        assert ours.calmar(per_year) == pytest.approx(calmar, rel=1e-9, abs=1e-9)


def test_without_a_loss_quantstats_has_no_number_and_we_have_no_series(quantstats: Any) -> None:
    """NaN there for Sortino and a division by zero for Calmar, absent here: a rule can compare with neither."""
    ours = Returns()
    for value in (0.01, 0.02):
        ours.add(value)
    theirs = pd.Series([0.01, 0.02], index=pd.date_range("2026-01-01", periods=2))

    assert np.isnan(quantstats.sortino(theirs))
    with pytest.raises(ZeroDivisionError):
        quantstats.calmar(theirs)
    assert (ours.sortino(252), ours.calmar(252)) == (None, None)


class Market:
    """A random walk, one order per bar, and what backtesting.py makes of it: every order filled at the bar's close."""

    def __init__(self, seed: int, *, scaling: bool, commission: float) -> None:
        dice = random.Random(seed)  # noqa: S311  the same walk each time, nothing to guess
        self.commission = commission
        self.closes = [100.0]
        for _ in range(BARS - 1):
            self.closes.append(round(self.closes[-1] * dice.uniform(0.96, 1.04), 2))
        self.orders = [0] * BARS
        held = 0
        for bar in range(1, BARS - 3):
            if scaling:
                self.orders[bar] = dice.choice([0, 0, dice.randint(-40, 40)])
            elif dice.random() < 0.3:  # in with one order, out with one order
                self.orders[bar] = -held or dice.choice([-1, 1]) * dice.randint(1, 50)
            held += self.orders[bar]
        self.orders[BARS - 3] = -held

    def backtest(self) -> Any:
        from backtesting import Backtest, Strategy  # noqa: PLC0415  1 s

        market = self

        class Plan(Strategy):  # type: ignore[misc]
            def init(self) -> None: ...

            def next(self) -> None:
                size = market.orders[len(self.data) - 1]
                if size:
                    (self.buy if size > 0 else self.sell)(size=abs(size))

        columns = dict.fromkeys(("Open", "High", "Low", "Close"), self.closes)
        bars = pd.DataFrame(columns, index=pd.date_range("2026-01-01", periods=BARS))
        run = Backtest(bars, Plan, cash=CASH, commission=self.commission, trade_on_close=True)
        return run.run()

    def trade(self, tracker: PortfolioTracker) -> list[float]:
        """Give the same orders to ours; returns equity at each close."""
        tracker.paid_in(BOOK, CASH)
        curve = [CASH]
        for bar in range(1, BARS):
            size, price = self.orders[bar - 1], self.closes[bar - 1]
            if size:
                tracker.filled(KEY, size, price, abs(size) * price * self.commission)
            tracker.marked(KEY, self.closes[bar])
            (book,) = tracker._books.values()
            curve.append(float(book.equity or 0))
        return curve


def _now(captured: CapturingMeter, name: str, **attributes: str) -> float:
    return captured.value(f"trading.portfolio.{name}", **attributes)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("commission", [0.0, 0.002])
@pytest.mark.parametrize("cost", ["average", "fifo"])
def test_equity_and_profit_are_those_of_backtesting(
    capmeter: CapturingMeter, seed: int, commission: float, cost: str
) -> None:
    """Adding, partial closes and flips: equity at every bar; with FIFO also what each close realized."""
    market = Market(seed, scaling=True, commission=commission)
    tracker = PortfolioTracker(cost="fifo" if cost == "fifo" else "average")
    curve, theirs = market.trade(tracker), market.backtest()

    assert curve == pytest.approx(list(theirs["_equity_curve"]["Equity"]), rel=1e-9)
    assert _now(capmeter, "value") == pytest.approx(theirs["Equity Final [$]"], rel=1e-9)
    assert _now(capmeter, "pnl", type="realized") == pytest.approx(theirs["_trades"]["PnL"].sum(), rel=1e-9, abs=1e-6)
    assert _now(capmeter, "pnl", type="unrealized") == 0
    assert 100 * _now(capmeter, "return", window="inception") == pytest.approx(theirs["Return [%]"], rel=1e-9, abs=1e-9)
    deepest = 100 * _now(capmeter, "max_drawdown", window="inception")
    if commission:  # we see equity between the fill and the next close, too
        assert deepest >= -theirs["Max. Drawdown [%]"] * (1 - 1e-9)
    else:
        assert deepest == pytest.approx(-theirs["Max. Drawdown [%]"], rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("commission", [0.0, 0.002])
def test_trades_are_those_of_backtesting(capmeter: CapturingMeter, seed: int, commission: float) -> None:
    """Round trips of one entry and one exit are its trades; of several entries it counts each, we count one.

    Its profit factor and expectancy weigh every trade alike: they are those of the returns, ours are those of money.
    """
    market = Market(seed, scaling=False, commission=commission)
    tracker = PortfolioTracker()
    market.trade(tracker)
    theirs = market.backtest()
    pnl = theirs["_trades"]["PnL"]
    sizes = {row.attributes[a.TRADE_OUTCOME.name]: row for row in capmeter.samples("trading.trade.return")}
    won, lost = (sizes[outcome].sum or 0.0 for outcome in ("win", "loss"))

    assert sum(row.value for row in sizes.values()) == theirs["# Trades"] == len(pnl) > 10
    assert 100 * _now(capmeter, "win_rate", window="inception") == pytest.approx(theirs["Win Rate [%]"], rel=1e-9)
    assert _now(capmeter, "expectancy", window="inception") == pytest.approx(pnl.mean(), rel=1e-9)
    assert _now(capmeter, "profit_factor", window="inception") == pytest.approx(
        pnl[pnl > 0].sum() / -pnl[pnl < 0].sum(), rel=1e-9
    )
    assert won / lost == pytest.approx(theirs["Profit Factor"], rel=1e-9)
    assert 100 * (won - lost) / len(pnl) == pytest.approx(theirs["Expectancy [%]"], rel=1e-9)
