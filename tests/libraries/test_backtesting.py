"""backtesting.py, oldest and newest, on its own years of prices: an unchanged script, and what a hook must not do."""

from __future__ import annotations

import multiprocessing
import multiprocessing.dummy
import pickle
from typing import TYPE_CHECKING, Any

import backtesting
import pytest
from backtesting import Backtest, Strategy
from backtesting.lib import FractionalBacktest, MultiBacktest, crossover
from backtesting.test import EURUSD, GOOG, SMA

from bot_support import assert_held, assert_nothing_planted, environment, unchanged
from otel_trading import backtest, meter
from otel_trading.instrumentation.backtesting import BacktestingInstrumentor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_trading.stack import Stack
    from otel_trading.testing import CapturingMeter

pytestmark = pytest.mark.filterwarnings("ignore")
DURATION = "trading.backtest.duration"
TRADES = "trading.backtest.trades"

SCRIPT = """
import json, warnings
warnings.simplefilter("ignore")
from backtesting import Backtest, Strategy
from backtesting.lib import crossover
from backtesting.test import GOOG, SMA

class SmaCross(Strategy):
    fast = 10
    slow = 30

    def init(self):
        self.one = self.I(SMA, self.data.Close, self.fast)
        self.other = self.I(SMA, self.data.Close, self.slow)

    def next(self):
        if crossover(self.one, self.other):
            self.position.close()
            self.buy()
        elif crossover(self.other, self.one):
            self.position.close()
            self.sell()

class Broken(SmaCross):
    def next(self):
        raise ConnectionError("PLANTED")

if __name__ == "__main__":
    data = GOOG.iloc[:800]
    Backtest(data, SmaCross, cash=10_000).run(slow=20)
    try:
        Backtest(data, Broken).run()
    except ConnectionError:
        pass
    best = Backtest(data, SmaCross, commission=0.002, finalize_trades=True).optimize(fast=[5, 10], slow=[20, 30, 40])
    names = "Sharpe Ratio", "Max. Drawdown [%]", "Return [%]", "Win Rate [%]", "# Trades"
    print(json.dumps([float(best[name]) for name in names]), flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def _hooked(capmeter: CapturingMeter) -> Iterator[None]:
    assert capmeter
    instrumentor = BacktestingInstrumentor()
    instrumentor.instrument()
    yield
    instrumentor.uninstrument()


class SmaCross(Strategy):
    fast = 10
    slow = 30

    def init(self) -> None:
        self.one = self.I(SMA, self.data.Close, self.fast)
        self.other = self.I(SMA, self.data.Close, self.slow)

    def next(self) -> None:
        if crossover(self.one, self.other):
            self.position.close()
            self.buy()
        elif crossover(self.other, self.one):
            self.position.close()
            self.sell()


class Talking(Strategy):
    """Records by `meter` itself, and trades with every bar."""

    size = 1

    def init(self) -> None:
        pass

    def next(self) -> None:
        self.buy(size=self.size)
        meter.order_filled(symbol="GOOG", side="buy", price=1, quantity=1, venue="nyse", currency="USD")


def _backtest(strategy: Any = SmaCross, bars: int = 200) -> Any:
    return Backtest(GOOG.iloc[:bars], strategy, cash=10_000)


def test_runs_and_the_best_of_an_optimisation_are_held(stack: Stack, tmp_path: Path) -> None:
    with unchanged(tmp_path, "backtesting-bot", SCRIPT, environment(stack)) as told:
        sharpe, drawdown, total, won, trades = told
        mode = 'trading_mode="backtest",trading_timeframe="1d"'
        of_strategy = f'{{$,{mode},trading_strategy_name="SmaCross"}}'
        assert_held(
            stack,
            "backtesting-bot",
            {
                f"trading_backtest_duration_seconds_count{of_strategy}": 2,
                f'trading_backtest_duration_seconds_count{{$,{mode},error_type="ConnectionError"}}': 1,
                f"trading_backtest_sharpe_ratio{of_strategy}": sharpe,
                f"trading_backtest_max_drawdown_ratio{of_strategy}": -drawdown / 100,
                f"trading_backtest_return_ratio{of_strategy}": total / 100,
                f"trading_backtest_win_rate_ratio{of_strategy}": won / 100,
                f"trading_backtest_trades{of_strategy}": trades,
            },
        )
        assert_nothing_planted(stack, "backtesting-bot")


def test_statistics_are_what_they_are_without_us(capmeter: CapturingMeter) -> None:
    hooked = _backtest().run(fast=5)
    BacktestingInstrumentor().uninstrument()
    bare = _backtest().run(fast=5)

    assert str(hooked.filter(regex="^[^_]")) == str(bare.filter(regex="^[^_]"))
    assert capmeter.value(DURATION, strategy="SmaCross") == 1
    assert capmeter.value(TRADES, strategy="SmaCross") == bare["# Trades"]
    capmeter.assert_conforms()


@pytest.mark.parametrize("pool", [multiprocessing.Pool, multiprocessing.dummy.Pool])
def test_an_optimisation_is_one_run_on_processes_and_on_threads(
    capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch, pool: Any
) -> None:
    monkeypatch.setattr(backtesting, "Pool", pool, raising=False)
    best, heatmap = _backtest().optimize(fast=[5, 10], slow=[20, 30], return_heatmap=True)

    assert len(heatmap) == 4
    assert capmeter.value(DURATION) == 1
    assert capmeter.value(TRADES) == best["# Trades"]


def test_several_instruments_are_one_run_without_a_result(capmeter: CapturingMeter) -> None:
    found = MultiBacktest([GOOG.iloc[:200], EURUSD.iloc[:200]], SmaCross, cash=10_000).run(fast=5)

    assert found.shape[1] == 2
    assert capmeter.value(DURATION, strategy="SmaCross") == 1
    assert capmeter.samples(TRADES) == []


def test_what_a_strategy_records_is_of_the_backtest_and_many_runs_are_one_series(capmeter: CapturingMeter) -> None:
    for size in range(1, 4):
        _backtest(Talking, bars=20).run(size=size)

    fills = capmeter.samples("trading.execution.fills")
    assert [(one.attributes["trading.mode"], one.value) for one in fills] == [("backtest", 3 * 19)]
    assert len(capmeter.samples(DURATION)) == len(capmeter.samples(TRADES)) == 1


def test_a_run_inside_the_users_own_is_a_part_of_it(capmeter: CapturingMeter) -> None:
    BacktestingInstrumentor().instrument()
    with backtest.run(strategy="mine") as run:
        _backtest().run()
        run.result(trades=7)

    assert capmeter.value(DURATION, strategy="mine") == capmeter.value(DURATION) == 1
    assert capmeter.value(TRADES) == 7


def test_a_subclass_of_the_users_counts_once(capmeter: CapturingMeter) -> None:
    class Mine(FractionalBacktest):
        def run(self, **kwargs: Any) -> Any:
            return super().run(**kwargs)

    assert Mine(GOOG.iloc[:200], SmaCross).run()["# Trades"]
    assert capmeter.value(DURATION) == 1


def test_without_a_trade_and_without_dates_there_are_no_ratios(capmeter: CapturingMeter) -> None:
    class Idle(Talking):
        def next(self) -> None:
            pass

    assert _backtest(Idle, bars=20).run()["# Trades"] == 0
    Backtest(GOOG.iloc[:20].reset_index(drop=True), Idle, cash=10_000).run()

    assert capmeter.value(DURATION) == 2
    assert {one.attributes.get("trading.timeframe") for one in capmeter.samples(DURATION)} == {"1d", None}
    assert capmeter.samples("trading.backtest.sharpe_ratio") == []
    assert {one.value for one in capmeter.samples(TRADES)} == {0}


def test_a_foreign_shape_changes_nothing(capmeter: CapturingMeter) -> None:
    class Odd(Backtest):
        _data: Any = property(lambda _: None, lambda *_: None)

        def __init__(self) -> None:
            self._strategy = None

    with pytest.raises(AttributeError, match="copy"):
        Odd().run()
    assert capmeter.samples(DURATION) == []
    assert pickle.loads(pickle.dumps(_backtest().run))()["# Trades"]  # noqa: S301  our own
