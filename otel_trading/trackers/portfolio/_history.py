"""How an account did over time: growth without its deposits, drawdown, and each window's figures.

A window of N days is the session now and the N complete ones before it; `ytd` begins with the year's first session.
A window that reaches beyond what was seen begins with what was seen. Bounded to 30 sessions per book.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from typing import TYPE_CHECKING, Final

from otel_trading.trackers.portfolio._depth import ONE, Depth
from otel_trading.trackers.portfolio._returns import Returns
from otel_trading.trackers.portfolio._trades import Trades

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = ["MAX_DAYS", "Day", "Growth", "History"]

_DAYS: Final = {"1d": 1, "7d": 7, "30d": 30}
MAX_DAYS: Final = max(_DAYS.values())


@dataclass(slots=True)
class Growth:
    """Time-weighted growth: what one unit of money became, whatever was paid in and out; 1 at the beginning."""

    index: Decimal = ONE
    #: Of the complete sessions, and of the one that runs.
    before: Depth = field(default_factory=Depth)
    today: Depth = field(default_factory=Depth)
    #: Equity after the last payment and the growth at that moment; no equity above zero, no growth.
    base: Decimal | None = None
    at_base: Decimal = ONE

    def move(self, equity: Decimal | None) -> None:
        """Take equity as it became by trading."""
        if equity is None:
            return
        if self.base is None:
            self.rebase(equity)
        if self.base is not None:
            self.index = self.at_base * equity / self.base
            self.today.move(self.index)

    def rebase(self, equity: Decimal | None) -> None:
        """Take equity as it became by a payment; an account that was ruined begins anew."""
        if self.index <= 0:
            self.index = ONE
            self.today.restart()
        self.at_base = self.index
        self.base = equity if equity is not None and equity > 0 else None

    @property
    def ever(self) -> Depth:
        """Peak and depth since the beginning."""
        return self.before.then(self.today)

    @property
    def drawdown(self) -> Decimal:
        """How far growth is below its peak, 0 to 1, and beyond when equity is negative."""
        peak = self.ever.peak
        return (peak - self.index) / peak

    def roll(self) -> Depth:
        """Begin a new session; returns the depth of the one that ends."""
        ended = self.today
        self.before = self.ever
        self.today = Depth(self.index, self.index)
        return ended


@dataclass(slots=True)
class Day:
    """One complete session."""

    begin: Decimal
    change: float | None
    trades: Trades
    depth: Depth


@dataclass(slots=True)
class History:
    """Trades and growth by session, year and in all."""

    year: int
    begin: Decimal = ONE
    year_begin: Decimal = ONE
    #: Of the complete sessions of the year.
    year_depth: Depth = field(default_factory=Depth)
    today: Trades = field(default_factory=Trades)
    this_year: Trades = field(default_factory=Trades)
    ever: Trades = field(default_factory=Trades)
    year_returns: Returns = field(default_factory=Returns)
    returns: Returns = field(default_factory=Returns)
    days: deque[Day] = field(default_factory=lambda: deque[Day](maxlen=MAX_DAYS))

    def closed(self, pnl: Decimal) -> None:
        """Count a closed trade in every window."""
        for trades in (self.today, self.this_year, self.ever):
            trades.add(pnl)

    def roll(self, growth: Growth, day: int) -> float | None:
        """End the session; returns its return, or None when there is none."""
        known = growth.base is not None and self.begin > 0
        change = float(growth.index / self.begin - 1) if known else None
        depth = growth.roll()
        self.days.append(Day(self.begin, change, self.today, depth))
        self.year_depth = self.year_depth.then(depth)
        if change is not None:
            self.year_returns.add(change)
            self.returns.add(change)
        self.begin, self.today = growth.index, Trades()
        year = date.fromordinal(day).year
        if year != self.year:
            self.year, self.year_begin = year, growth.index
            self.this_year, self.year_returns = Trades(), Returns()
            self.year_depth = Depth(growth.index, growth.index)
        return change

    def changes(self, growth: Growth) -> dict[str, float]:
        """Return the return of each window."""
        if growth.base is None:
            return {}
        begins = {"session": self.begin, "ytd": self.year_begin, "inception": ONE}
        begins |= {window: self._last(count)[0].begin if self.days else self.begin for window, count in _DAYS.items()}
        return {window: float(growth.index / begin - 1) for window, begin in begins.items() if begin > 0}

    def depths(self, growth: Growth) -> dict[str, Depth]:
        """Return how deep growth fell in each window, below the peak that it had there."""
        found = {"session": growth.today, "ytd": self.year_depth.then(growth.today), "inception": growth.ever}
        for window, count in _DAYS.items():
            found[window] = reduce(Depth.then, [*(day.depth for day in self._last(count)), growth.today])
        return found

    def trades(self) -> dict[str, Trades]:
        """Return the trades of each window."""
        of_days = {
            window: Trades.of([*(day.trades for day in self._last(count)), self.today])
            for window, count in _DAYS.items()
        }
        return {"session": self.today, **of_days, "ytd": self.this_year, "inception": self.ever}

    def sampled(self) -> dict[str, Returns]:
        """Return the session returns of each window, complete sessions only."""
        found = {"ytd": self.year_returns, "inception": self.returns}
        for window, count in _DAYS.items():
            found[window] = Returns()
            for day in self._last(count):
                if day.change is not None:
                    found[window].add(day.change)
        return found

    def _last(self, count: int) -> list[Day]:
        return list(self.days)[-count:]
