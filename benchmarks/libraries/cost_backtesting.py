"""backtesting.py: a run over a month of days, as in an optimisation by hand."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from cost import compare

from otel_trading.instrumentation.backtesting import BacktestingInstrumentor

warnings.simplefilter("ignore")

from backtesting import Backtest, Strategy  # noqa: E402  it warns of what else it would like to have
from backtesting.test import GOOG  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable


class Turns(Strategy):
    def init(self) -> None:
        pass

    def next(self) -> None:
        turn: Callable[..., object] = self.sell if len(self.data) % 2 else self.buy
        turn(size=1)


backtest = Backtest(GOOG.iloc[:21], Turns, cash=10_000)
compare("backtesting: a run over 21 bars", backtest.run, BacktestingInstrumentor(), rounds=20, calls=10)
