"""What listens inside a run."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from otel_trading.instrumentation import _backtests
from otel_trading.instrumentation._hooks import quietly
from otel_trading.instrumentation.backtrader import live

__all__ = ["Live", "Result", "analyzer", "result"]


def _backtrader() -> Any:
    return sys.modules["backtrader"]  # a strategy starts: it is there


@cache
def analyzer(listener: type[Result | Live]) -> Any:
    """Return a listener as an analyzer of backtrader."""
    base = _backtrader().Analyzer
    return type(base)(listener.__name__, (listener, base), {})


class Result:
    """What a run comes to, from what each strategy is told anyway."""

    strategy: Any

    def __init__(self) -> None:
        self.trades = self.won = 0
        self.drawdown = 0.0
        self.first = self.peak = self.last = 0.0

    def _start(self) -> None:
        self._begin()

    @quietly
    def _begin(self) -> None:
        self.first = self.peak = self.last = float(self.strategy.broker.getvalue())

    def _notify_cashvalue(self, _cash: float, value: float) -> None:
        """Take the value after each bar; nothing else is done per bar."""
        self.last = value
        if value > self.peak:
            self.peak = value
        elif self.peak > 0:
            self.drawdown = max(self.drawdown, 1 - value / self.peak)

    def _notify_fund(self, *_: float) -> None:
        """Leave out what the value says already."""

    @quietly
    def _notify_trade(self, trade: Any) -> None:
        if trade.isclosed:
            self.trades += 1
            self.won += trade.pnlcomm > 0


class Live:
    """Hears of orders and bars while a feed is live."""

    strategy: Any
    datas: Any

    def __init__(self) -> None:
        self.seen = [0 for _ in self.datas]

    def _notify_order(self, order: Any) -> None:
        live.order_notified(self.strategy, order)

    @quietly
    def _notify_cashvalue(self, cash: float, value: float) -> None:
        """Look for bars: this is what analyzers of observers hear with each of them."""
        del cash, value
        for index, data in enumerate(self.datas):
            if len(data) != self.seen[index]:
                self.seen[index] = len(data)
                live.bar(data)


def result(strategies: Any) -> dict[str, Any]:
    """Return what a run came to; the strategies of one share its broker.

    Args:
        strategies: As `Cerebro.run` returns them; of an optimisation nothing is known.
    """
    ours = [
        one for strategy in strategies for one in getattr(strategy, "_slave_analyzers", ()) if isinstance(one, Result)
    ]
    if not ours:
        return {}
    one, trades = ours[0], sum(each.trades for each in ours)
    kind = _backtrader().analyzers.SharpeRatio
    ratios = [own.get_analysis().get("sharperatio") for own in strategies[0].analyzers if isinstance(own, kind)]
    return {
        "sharpe_ratio": _backtests.finite(ratios[0]) if ratios else None,
        "max_drawdown": _backtests.finite(one.drawdown),
        "total_return": _backtests.finite(one.last / one.first - 1) if one.first > 0 else None,
        "win_rate": sum(each.won for each in ours) / trades if trades else None,
        "trades": trades,
    }
