"""The same position by lots: what was bought first is sold first."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from otel_trading.trackers.portfolio._position import ZERO, Position

__all__ = ["MAX_LOTS", "FifoPosition"]

MAX_LOTS: Final = 1000


@dataclass(slots=True)
class FifoPosition(Position):
    """Signed quantity in lots, closed first in, first out.

    Bounded to 1,000 lots: beyond, the two oldest become one at their average cost, which moves P&L between realized
    and unrealized and never changes their sum. A stated size or price makes one lot of all of it: nobody stated lots.
    """

    #: Units and worth of each lot, the oldest first.
    lots: deque[tuple[Decimal, Decimal]] = field(default_factory=deque[tuple[Decimal, Decimal]])

    def value(self, price: Decimal) -> None:
        """Mark it; the first price seen is the entry price that nobody stated."""
        unknown = self.basis is None
        Position.value(self, price)
        if unknown:
            self._merge()

    def split(self, ratio: Decimal) -> None:
        """Turn each unit of each lot into `ratio` units."""
        Position.split(self, ratio)
        self.lots = deque((units * ratio, worth / ratio) for units, worth in self.lots)

    def state(self, quantity: Decimal, average: Decimal | None) -> Decimal:
        """Take size and entry price as they are stated; one that repeats what is known leaves the lots."""
        before = self.quantity, self.basis
        made = Position.state(self, quantity, average)
        if (self.quantity, self.basis) != before:
            self._merge()
        return made

    def _release(self, closed: Decimal) -> Decimal:
        if not self.lots:
            self._merge()
        cost, left = ZERO, abs(closed)
        while left and self.lots:
            units, worth = self.lots.popleft()
            taken = min(units, left)
            cost += taken * worth
            left -= taken
            if units > taken:
                self.lots.appendleft((units - taken, worth))
        return -cost if closed < 0 else cost

    def _add(self, opening: Decimal, price: Decimal) -> None:
        if not self.lots:
            self._merge()
        if len(self.lots) >= MAX_LOTS:
            (first, cheap), (second, dear) = self.lots.popleft(), self.lots.popleft()
            self.lots.appendleft((first + second, (first * cheap + second * dear) / (first + second)))
        self.lots.append((opening, price))

    def _merge(self) -> None:
        self.lots.clear()
        if self.quantity and self.average is not None:
            self.lots.append((abs(self.quantity), self.average))
