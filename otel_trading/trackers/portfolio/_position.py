"""One position at average cost, in exact arithmetic; it remembers its round trip from flat to flat."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

__all__ = ["Position", "RoundTrip"]

ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """What a closed trade made: P&L net of the fees given, cost of what was entered, seconds held."""

    pnl: Decimal
    cost: Decimal
    seconds: float


@dataclass(slots=True)
class Position:
    """Signed quantity at average cost.

    Args:
        opened: When the position left zero, in the tracker's seconds.
    """

    opened: float
    quantity: Decimal = ZERO
    average: Decimal = ZERO
    mark: Decimal | None = None
    realized: Decimal = ZERO
    _cost: Decimal = ZERO
    _trip: Decimal = ZERO

    @property
    def unrealized(self) -> Decimal:
        """P&L of what is open, at the last mark; zero before the first."""
        return ZERO if self.mark is None else self.quantity * (self.mark - self.average)

    @property
    def exposure(self) -> Decimal:
        """Signed value at the mark, else at cost."""
        return self.quantity * (self.average if self.mark is None else self.mark)

    def fill(self, quantity: Decimal, price: Decimal, fee: Decimal, now: float) -> tuple[Decimal, RoundTrip | None]:
        """Take a fill; returns the P&L that it realized, net of its fee, and the round trip that it closed.

        Args:
            quantity: Signed: bought is positive.
            price: Price per unit; may be negative.
            fee: Charged (positive) or earned (negative).
            now: The tracker's seconds.
        """
        closing = min(abs(quantity), abs(self.quantity)) if quantity * self.quantity < 0 else ZERO
        made = closing * (price - self.average) * (1 if self.quantity > 0 else -1) - fee
        opening = abs(quantity) - closing
        self._trip += made
        trip = None
        if closing and closing == abs(self.quantity):
            trip = RoundTrip(self._trip, self._cost, now - self.opened)
            self._trip, self._cost, self.average, self.opened = ZERO, ZERO, ZERO, now
            self.quantity = ZERO
            quantity = opening.copy_sign(quantity)
        if opening:
            held = abs(self.quantity)
            self.average = (held * self.average + opening * price) / (held + opening)
            self._cost += opening * abs(price)
        self.quantity += quantity
        self.mark = price
        self.realized += made
        return made, trip
