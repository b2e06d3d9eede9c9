"""Ratios over session returns in O(1) memory: each return is folded in once and not kept.

`r` are the returns of complete sessions, `n` their number, `N` the sessions of a year. Risk-free rate and target are 0.

- Sharpe = mean(r) / std(r, ddof=1) * sqrt(N), as empyrical and quantstats (Sharpe 1994, the ex post ratio).
- Sortino = mean(r) / sqrt(sum(min(r, 0)^2) / n) * sqrt(N), as both (Sortino and Price 1994).
- Maximum drawdown of the samples starts at 1 and knows no intraday low, as both; `trading.portfolio.max_drawdown`
  sees every mark and is therefore at least as deep.
- Calmar = (growth^(N / n) - 1) / maximum drawdown of the samples, as both.

Where they return NaN or infinity, or divide by zero (no loss, no deviation), we return None: a series that is absent is
told from a value, infinity is not. backtesting.py means something else by the same names: its Sharpe and Sortino take
the geometric return and a deviation of compounded growth, which we leave to it because a rule cannot compare the two
with other desks' figures; tests hold ours to the three libraries to 1e-9 where definitions agree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Returns"]


@dataclass(slots=True)
class Returns:
    """Moments of a series of returns (Welford 1962)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    downside: float = 0.0
    growth: float = 1.0
    peak: float = 1.0
    max_drawdown: float = 0.0

    def add(self, value: float) -> None:
        """Fold in the return of one session."""
        self.count += 1
        off = value - self.mean
        self.mean += off / self.count
        self.squares += off * (value - self.mean)
        self.downside += min(value, 0.0) ** 2
        self.growth *= 1 + value
        self.peak = max(self.peak, self.growth)
        self.max_drawdown = max(self.max_drawdown, (self.peak - self.growth) / self.peak)

    def sharpe(self, per_year: int) -> float | None:
        """Return mean over deviation, annualised; None below two returns or when all are equal."""
        if self.count < 2 or self.squares <= 0:  # noqa: PLR2004  a deviation needs two
            return None
        return self.mean / math.sqrt(self.squares / (self.count - 1)) * math.sqrt(per_year)

    def sortino(self, per_year: int) -> float | None:
        """Return mean over downside deviation, annualised; None below two returns or without a loss."""
        if self.count < 2 or not self.downside:  # noqa: PLR2004
            return None
        return self.mean / math.sqrt(self.downside / self.count) * math.sqrt(per_year)

    def calmar(self, per_year: int) -> float | None:
        """Return annualised growth over maximum drawdown; None below two returns, without a drawdown or when ruined."""
        if self.count < 2 or not self.max_drawdown or self.growth <= 0:  # noqa: PLR2004
            return None
        try:
            return (math.pow(self.growth, per_year / self.count) - 1) / self.max_drawdown
        except OverflowError:  # a few wild sessions raised to a year
            return None
