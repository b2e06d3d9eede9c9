"""Counts and sums of closed trades, for win rate, profit factor and expectancy.

A trade is a round trip from flat to flat, in money and net of fees. backtesting.py counts each entry that was added to
a position as a trade of its own, and its profit factor and expectancy are those of the returns, each trade weighed
alike; ours are of money, because that is what the account won or lost. quantstats knows periods and no trades: its win
rate and profit factor are those of days.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_trading.trackers.portfolio._position import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

__all__ = ["Trades"]


@dataclass(slots=True)
class Trades:
    """Round trips of some time, net of the fees given with their fills."""

    count: int = 0
    wins: int = 0
    profit: Decimal = ZERO
    loss: Decimal = ZERO

    def add(self, pnl: Decimal) -> None:
        """Count one round trip."""
        self.count += 1
        if pnl > 0:
            self.wins += 1
            self.profit += pnl
        else:
            self.loss -= pnl

    @classmethod
    def of(cls, parts: Iterable[Trades]) -> Trades:
        """Return the trades of several times together."""
        total = cls()
        for part in parts:
            total.count += part.count
            total.wins += part.wins
            total.profit += part.profit
            total.loss += part.loss
        return total

    @property
    def win_rate(self) -> float | None:
        """Wins over closed trades; None without one."""
        return self.wins / self.count if self.count else None

    @property
    def profit_factor(self) -> float | None:
        """Gross profit over gross loss; None without a loss, because infinity is no value."""
        return float(self.profit / self.loss) if self.loss else None

    @property
    def expectancy(self) -> float | None:
        """Mean P&L per closed trade; None without one."""
        return float((self.profit - self.loss) / self.count) if self.count else None
