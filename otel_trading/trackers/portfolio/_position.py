"""One position at average cost, in exact arithmetic; it remembers its round trip from flat to flat.

Prices are worths here: what one unit is worth at a price, by its contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from otel_trading.trackers.portfolio._contract import LINEAR, Contract

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
        contract: Terms of what is held.
    """

    opened: float
    contract: Contract = LINEAR
    quantity: Decimal = ZERO
    #: What its units were worth when they came in, signed like them: a sum, so that no average has to be rounded.
    basis: Decimal | None = None
    mark: Decimal | None = None
    realized: Decimal = ZERO
    #: Price at which the venue liquidates, as it was stated.
    liquidation: Decimal | None = None
    _cost: Decimal = ZERO
    _trip: Decimal = ZERO

    @property
    def unrealized(self) -> Decimal:
        """P&L of what is open, at the last mark; zero before the first."""
        return ZERO if self.mark is None or self.basis is None else self.quantity * self.mark - self.basis

    @property
    def average(self) -> Decimal | None:
        """Entry worth per unit; None while it is unknown."""
        return self.basis / self.quantity if self.basis is not None and self.quantity else None

    @property
    def exposure(self) -> Decimal:
        """Signed value at the mark, else at cost."""
        worth = self.average if self.mark is None else self.mark
        return ZERO if worth is None else self.contract.exposure(self.quantity, worth)

    @property
    def liquidation_distance(self) -> Decimal | None:
        """Price move to liquidation relative to the mark, negative beyond it; None while a price is unknown."""
        if self.liquidation is None or not self.mark:
            return None
        mark = self.contract.price(self.mark)
        return (mark - self.liquidation) / mark * (1 if self.quantity > 0 else -1)

    def value(self, price: Decimal) -> None:
        """Mark it; an entry price that nobody stated is the first price seen, else all of it would look like profit."""
        self.mark = price
        if self.basis is None:
            self.basis = self.quantity * price

    def book(self, amount: Decimal) -> None:
        """Take P&L that is no fill."""
        self._trip += amount
        self.realized += amount

    def split(self, ratio: Decimal) -> None:
        """Turn each unit into `ratio` units of the same total worth."""
        self.quantity *= ratio
        self.mark = None if self.mark is None else self.mark / ratio
        self.liquidation = None if self.liquidation is None else self.liquidation / ratio

    def state(self, quantity: Decimal, average: Decimal | None) -> Decimal:
        """Take size and entry price as they are stated; what it lost in size is realized at the mark, and returned."""
        sign = 1 if self.quantity > 0 else -1
        kept = min(abs(self.quantity), max(quantity * sign, ZERO))
        share = (abs(self.quantity) - kept) * sign
        known = self.mark is not None and self.basis is not None
        made = share * (self.mark or ZERO) - self._part(share) if known else ZERO
        self.basis = self._mixed(quantity, kept * sign) if average is None else quantity * average
        self.quantity = quantity
        self._cost = max(self._cost, abs(self.basis or ZERO))
        self._trip += made
        self.realized += made
        return made

    def _mixed(self, quantity: Decimal, kept: Decimal) -> Decimal | None:
        """Return the basis when what was added came in at the mark, because nobody said at what price."""
        worth = self.average if kept and self.mark is None else self.mark
        if (kept and self.basis is None) or (quantity != kept and worth is None):
            return None
        return self._part(kept) + (quantity - kept) * (worth or ZERO)

    def _part(self, units: Decimal) -> Decimal:
        """Return what so many of its units, signed like it, had cost."""
        basis = self.basis or ZERO
        return basis if units == self.quantity else basis * units / self.quantity

    def fill(self, quantity: Decimal, price: Decimal, fee: Decimal, now: float) -> tuple[Decimal, RoundTrip | None]:
        """Take a fill; returns the P&L that it realized, net of its fee, and the round trip that it closed.

        Args:
            quantity: Signed: bought is positive.
            price: Worth per unit; may be negative.
            fee: Charged (positive) or earned (negative).
            now: The tracker's seconds.
        """
        if self.basis is None:
            self.basis = self.quantity * price
        made, trip, closing, opening = -fee, None, ZERO, abs(quantity)
        if self.quantity and self.quantity.is_signed() != quantity.is_signed():
            closing = min(opening, abs(self.quantity))
            closed = closing.copy_sign(self.quantity)
            cost = self._release(closed)
            made += closed * price - cost
            self.basis -= cost
            opening -= closing
        self._trip += made
        if closing and closing == abs(self.quantity):
            trip = RoundTrip(self._trip, self._cost, now - self.opened)
            self._trip, self._cost, self.opened = ZERO, ZERO, now
            self.quantity, self.basis, self.liquidation = ZERO, ZERO, None
            quantity = opening.copy_sign(quantity)
        if opening:
            self._add(opening, price)
            worth = quantity * price  # what is opened: a close that leaves something over began anew above
            self.basis += worth
            self._cost += abs(worth)
        self.quantity += quantity
        self.mark = price
        self.realized += made
        return made, trip

    def _release(self, closed: Decimal) -> Decimal:
        """Return what the units that are closed, signed, had cost, before they leave the quantity."""
        return self._part(closed)

    def _add(self, opening: Decimal, price: Decimal) -> None:
        """Take note of the units that are opened, before they join the quantity."""
