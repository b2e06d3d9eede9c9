"""vectorbt, oldest and newest: an unchanged script, and what a hook must not do to a portfolio."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

import pytest

from bot_support import assert_held, assert_nothing_planted, environment, unchanged
from otel_trading import backtest, meter
from otel_trading.instrumentation.vectorbt import VectorbtInstrumentor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_trading.stack import Stack
    from otel_trading.testing import CapturingMeter

pytestmark = pytest.mark.filterwarnings("ignore")
#: What vectorbt compiles when it is used first would take minutes; without, it does the same in Python.
PLAIN = {"NUMBA_DISABLE_JIT": "1"}
os.environ.update(PLAIN)
DURATION, TRADES, RETURN = "trading.backtest.duration", "trading.backtest.trades", "trading.backtest.return"

SCRIPT = """
import json, math
import pandas as pd
import vectorbt as vbt

index = pd.date_range("2026-01-01", periods=400, freq="4h")
close = pd.Series([100 + 10 * math.sin(bar / 9) + bar / 50 for bar in range(400)], index=index)
rising = close.diff() > 0
entries, exits = rising & ~rising.shift(fill_value=False), ~rising & rising.shift(fill_value=False)
try:
    vbt.Portfolio.from_signals(close, entries, exits, direction="PLANTED")
except Exception as error:
    failed = type(error).__name__
portfolio = vbt.Portfolio.from_signals(close, entries, exits, fees=0.001, freq="4h")
told = portfolio.stats()
names = "Sharpe Ratio", "Max Drawdown [%]", "Total Return [%]", "Win Rate [%]", "Total Closed Trades"
print(json.dumps([failed, *(float(told[name]) for name in names)]), flush=True)
input()
"""


@pytest.fixture(autouse=True)
def _hooked(capmeter: CapturingMeter) -> Iterator[None]:
    assert capmeter
    instrumentor = VectorbtInstrumentor()
    instrumentor.instrument()
    yield
    instrumentor.uninstrument()


def _simulated(columns: int = 1, **settings: Any) -> Any:
    import pandas as pd  # type: ignore[import-untyped]  # noqa: PLC0415  with vectorbt seconds, and not at collection
    import vectorbt as vbt  # noqa: PLC0415  as above

    index = pd.date_range("2026-01-01", periods=60)
    prices = pd.DataFrame({n: [100 + 10 * math.sin(bar / (3 + n)) for bar in range(60)] for n in range(columns)}, index)
    close = prices if columns > 1 else prices[0]
    return vbt.Portfolio.from_signals(close, close < 95, close > 105, freq="1D", **settings)


def test_runs_and_statistics_are_held(stack: Stack, tmp_path: Path) -> None:
    with unchanged(tmp_path, "vectorbt-bot", SCRIPT, environment(stack, **PLAIN)) as log:
        failed, sharpe, drawdown, total, won, trades = log
        about = '$,trading_mode="backtest",trading_timeframe="4h"'
        of_strategy = f'{{{about},trading_strategy_name="vectorbt"}}'
        assert_held(
            stack,
            "vectorbt-bot",
            {
                f"sum(trading_backtest_duration_seconds_count{of_strategy})": 2,
                f'trading_backtest_duration_seconds_count{{{about},error_type="{failed}"}}': 1,
                f"trading_backtest_sharpe_ratio{of_strategy}": sharpe,
                f"trading_backtest_max_drawdown_ratio{of_strategy}": drawdown / 100,
                f"trading_backtest_return_ratio{of_strategy}": total / 100,
                f"trading_backtest_win_rate_ratio{of_strategy}": won / 100,
                f"trading_backtest_trades{of_strategy}": trades,
            },
        )
        assert_nothing_planted(stack, "vectorbt-bot")


def test_only_what_the_user_asks_for_is_told_and_as_without_us(capmeter: CapturingMeter) -> None:
    meter.defaults(strategy="mine")
    VectorbtInstrumentor().instrument()
    portfolio = _simulated()
    assert capmeter.value(DURATION, strategy="mine") == 1
    assert capmeter.samples(RETURN) == []

    hooked = portfolio.total_return()
    assert capmeter.value(RETURN, strategy="mine") == hooked
    assert capmeter.samples(TRADES) == []

    VectorbtInstrumentor().uninstrument()
    assert _simulated().total_return() == hooked
    assert capmeter.value(DURATION) == 1
    capmeter.assert_conforms()


def test_many_columns_are_one_run_without_a_result(capmeter: CapturingMeter) -> None:
    portfolio = _simulated(columns=3)

    assert len(portfolio.total_return()) == 3
    assert portfolio[1].total_return() == portfolio.total_return()[1]
    assert capmeter.value(DURATION) == 1
    assert [one.value for one in capmeter.samples(RETURN)] == [portfolio.total_return()[1]]


def test_a_simulation_inside_the_users_own_run_is_a_part_of_it(capmeter: CapturingMeter) -> None:
    with backtest.run(strategy="mine", flush=False) as run:
        _simulated().total_return()
        run.result(trades=7)

    assert capmeter.value(DURATION, strategy="mine") == capmeter.value(DURATION) == 1
    assert capmeter.samples(RETURN) == []


def test_subclasses_and_foreign_shapes_pass(capmeter: CapturingMeter) -> None:
    portfolio = _simulated()

    class Mine(type(portfolio)):  # type: ignore[misc]  # untyped upstream
        def total_return(self, *_: Any, **__: Any) -> str:
            super().total_return()
            return "mine"

    close = portfolio.close
    made = Mine.from_holding(close, freq="1D")
    assert type(made) is Mine
    assert made.total_return() == "mine"
    assert Mine.from_holding(close.to_numpy(), freq="1D").total_return() == "mine"
    assert {one.attributes.get("trading.timeframe") for one in capmeter.samples(DURATION)} == {"1d", None}
    assert capmeter.value(DURATION) == 3
