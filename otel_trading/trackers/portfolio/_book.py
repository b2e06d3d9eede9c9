"""One book of money: the P&L, session and equity of one account, strategy, venue and currency."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from otel_trading.trackers.portfolio._history import Growth, History
from otel_trading.trackers.portfolio._position import ZERO

__all__ = ["Book"]


@dataclass(slots=True)
class Book:
    """Realized P&L, what the app reported, the session's baseline, and growth of equity.

    Equity is what the app states; else deposits and P&L, when deposits are told; else unknown.
    """

    day: int
    realized: Decimal = ZERO
    #: Of all its positions: kept up to date by each move of one, so that no fill has to add them up.
    unrealized: Decimal = ZERO
    #: P&L that the app reported by type; when there is any, it is the truth and ours is not shown.
    reported: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    reported_session: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    baseline: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    deposits: Decimal | None = None
    stated: Decimal | None = None
    growth: Growth = field(default_factory=Growth)
    history: History = field(init=False)

    def __post_init__(self) -> None:
        self.history = History(date.fromordinal(self.day).year)

    @property
    def figures(self) -> dict[str, Decimal]:
        """P&L since inception by type."""
        return _apart(self._known)

    @property
    def session(self) -> dict[str, Decimal]:
        """P&L since the session began by type; what the app reported wins."""
        if self.reported_session:
            return _apart(self.reported_session)
        return _apart({kind: value - self.baseline.get(kind, ZERO) for kind, value in self._known.items()})

    @property
    def _known(self) -> dict[str, Decimal]:
        return dict(self.reported) or {"realized": self.realized, "unrealized": self.unrealized}

    @property
    def equity(self) -> Decimal | None:
        """Cash and positions at mark; None while neither equity nor a deposit was told."""
        if self.stated is not None or self.deposits is None:
            return self.stated
        return self.deposits + sum(self.figures.values(), ZERO)

    def roll(self, day: int) -> float | None:
        """Begin a new session; returns the return of the one that ends, or None when there is none."""
        self.day = day
        self.baseline = self._known
        self.reported_session.clear()
        return self.history.roll(self.growth, day)

    def move(self, realized: Decimal, unrealized: Decimal) -> None:
        """Take a change of P&L."""
        self.realized += realized
        self.unrealized += unrealized
        if self.stated is not None or self.deposits is not None:
            self.growth.move(self.equity)

    def value(self, equity: Decimal) -> None:
        """Take equity as it is stated."""
        first = self.stated is None
        self.stated = equity
        if first:  # what differs from our own reckoning was not made by trading
            self.growth.rebase(equity)
        self.growth.move(equity)

    def pay(self, amount: Decimal) -> None:
        """Take money paid in, or out when negative: it changes equity and is no return."""
        self.deposits = (self.deposits or ZERO) + amount
        if self.stated is not None:
            self.stated += amount
        self.growth.rebase(self.equity)


def _apart(told: dict[str, Decimal]) -> dict[str, Decimal]:
    """Return both parts where they are known, else the combined figure: beside one another they are the same money."""
    if "combined" not in told:
        return dict(told)
    parts = {kind: value for kind, value in told.items() if kind != "combined"}
    return parts if len(parts) > 1 else {"combined": told["combined"]}
