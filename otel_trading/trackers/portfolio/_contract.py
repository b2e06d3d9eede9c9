"""What one unit of a symbol is worth at a price: linear, with a multiplier, or inverse."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

__all__ = ["LINEAR", "Contract"]


@dataclass(frozen=True, slots=True)
class Contract:
    """Terms of a symbol; P&L is quantity times the difference in worth, whatever the terms.

    Args:
        multiplier: Units of the underlying per contract; of an inverse contract its value in the quote currency.
        inverse: Settled in the underlying: its P&L is in coins.
        signed: Whether a mark of zero or below is legal, as for spreads and power.
    """

    multiplier: Decimal = Decimal(1)
    inverse: bool = False
    signed: bool = False

    def takes(self, price: Decimal) -> bool:
        """Whether a price is one that this contract can have."""
        return price > 0 or (self.signed and not self.inverse)

    def worth(self, price: Decimal) -> Decimal:
        """Return the worth of one unit long: of an inverse contract negative, so that it rises with the price."""
        if self is LINEAR:
            return price
        return -self.multiplier / price if self.inverse else self.multiplier * price

    def value(self, price: float) -> float:
        """Return the size of what one unit trades for, as a float; of an inverse contract at no price nothing."""
        if self.inverse:
            return abs(float(self.multiplier) / price) if price else 0.0
        return abs(price) if self is LINEAR else abs(price) * float(self.multiplier)

    def price(self, worth: Decimal) -> Decimal:
        """Return the price at which one unit has this worth."""
        return -self.multiplier / worth if self.inverse else worth / self.multiplier

    def exposure(self, quantity: Decimal, worth: Decimal) -> Decimal:
        """Return the signed value of a quantity, long positive."""
        return -quantity * worth if self.inverse else quantity * worth


LINEAR: Final = Contract()
