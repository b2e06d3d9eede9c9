"""How far growth fell below its peak, over times that can be added up."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from otel_trading.trackers.portfolio._position import ZERO

__all__ = ["ONE", "Depth"]

ONE: Final = Decimal(1)


@dataclass(slots=True)
class Depth:
    """Peak, low and deepest drawdown of growth since some moment, every mark seen.

    Two times that follow one another add up to exactly what one look over both had seen, so that a window needs its
    sessions only, not their marks.
    """

    peak: Decimal = ONE
    low: Decimal = ONE
    worst: Decimal = ZERO
    #: Whether the account was ruined and began anew: what it was worth before is then no peak any more.
    anew: bool = False

    def move(self, index: Decimal) -> None:
        """Take growth as it became."""
        if index > self.peak:
            self.peak = index
            return
        self.low = min(self.low, index)
        if self.peak > 0 and self.peak - index > self.worst * self.peak:  # no division while nothing is deeper
            self.worst = (self.peak - index) / self.peak

    def restart(self) -> None:
        """Begin anew at one, after a ruin."""
        self.peak, self.anew = ONE, True

    def then(self, later: Depth) -> Depth:
        """Return this time and the one that followed it as one."""
        fall = (self.peak - later.low) / self.peak if self.peak > 0 else ZERO
        return Depth(
            later.peak if later.anew else max(self.peak, later.peak),
            min(self.low, later.low),
            max(self.worst, later.worst, fall),
            self.anew or later.anew,
        )
