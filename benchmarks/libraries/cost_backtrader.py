"""backtrader: a run over 250 bars that trades with every second one."""

from __future__ import annotations

import warnings
from datetime import datetime, timedelta
from typing import Any

from cost import compare

from otel_trading.instrumentation.backtrader import BacktraderInstrumentor

warnings.simplefilter("ignore")

import backtrader as bt  # noqa: E402  its docstrings have escapes that Python does not know

BARS = 250


class Prices(bt.feed.DataBase):
    def start(self) -> None:
        super().start()
        self.bar = 0

    def _load(self) -> bool:
        self.bar += 1
        self.lines.datetime[0] = bt.date2num(datetime(2026, 1, 1) + timedelta(days=self.bar))  # noqa: DTZ001  as it is there
        for line in (self.lines.open, self.lines.high, self.lines.low, self.lines.close, self.lines.volume):
            line[0] = 100.0 + self.bar % 7
        return self.bar <= BARS


class Turns(bt.Strategy):
    def next(self) -> None:
        self.close() if self.position else self.buy(size=1)


def run() -> Any:
    cerebro = bt.Cerebro()
    cerebro.adddata(Prices())
    cerebro.addstrategy(Turns)
    return cerebro.run()


compare("backtrader: a run over 250 bars", run, BacktraderInstrumentor(), rounds=16, calls=2)
