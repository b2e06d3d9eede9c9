"""One book of money: the P&L, session and equity of one account, strategy, venue and currency."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from otel_trading.trackers.portfolio._position import ZERO

__all__ = ["Book"]


@dataclass(slots=True)
class Book:
    """Realized P&L, what the app reported, the session's baseline and the peak of equity."""

    day: int
    realized: Decimal = ZERO
    #: P&L that the app reported by type; when there is any, it is the truth and ours is not shown.
    reported: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    reported_session: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    baseline: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    equity: Decimal | None = None
    peak: Decimal = ZERO
    max_drawdown: Decimal = ZERO

    def figures(self, unrealized: Decimal) -> dict[str, Decimal]:
        """Return P&L since inception by type."""
        return dict(self.reported) or {"realized": self.realized, "unrealized": unrealized}

    def roll(self, day: int, unrealized: Decimal) -> None:
        """Begin a new session when the day has changed."""
        if day != self.day:
            self.day = day
            self.baseline = self.figures(unrealized)
            self.reported_session.clear()

    def session(self, unrealized: Decimal) -> dict[str, Decimal]:
        """Return P&L since the session began by type; what the app reported wins."""
        if self.reported_session:
            return dict(self.reported_session)
        figures = self.figures(unrealized)
        return {kind: value - self.baseline.get(kind, ZERO) for kind, value in figures.items()}

    def value(self, equity: Decimal) -> None:
        """Take equity, and with it the peak and the deepest drawdown."""
        self.equity = equity
        self.peak = max(self.peak, equity)
        self.max_drawdown = max(self.max_drawdown, self.drawdown)

    @property
    def drawdown(self) -> Decimal:
        """How far equity is below its peak, 0 to 1 and beyond when equity is negative."""
        if self.equity is None or self.peak <= 0:
            return ZERO
        return (self.peak - self.equity) / self.peak
