"""What libraries tell of an order, and what is known of it so far."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from otel_trading.semconv import attributes as a

__all__ = ["SAME", "Execution", "Order", "Report", "Tally", "quantity"]

#: How near to a sum of fills another one is the same: above what adding floats loses, below what a fill can be.
SAME: Final = 1e-9


def quantity(value: Any) -> float | None:
    """Return what a library gives as a number, a text or a Decimal; None for what is none."""
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


@dataclass(slots=True)
class Execution:
    """One fill with an id of the venue (FIX 17)."""

    id: str
    price: float | None
    quantity: float | None
    symbol: str | None = None
    side: a.OrderSide | None = None
    liquidity: a.Liquidity | None = None
    fee: float | None = None
    fee_currency: str | None = None
    #: Unix seconds.
    time: float | None = None


@dataclass(slots=True)
class Report:
    """What the venue says of an order: everything that it says, whatever of it was said before.

    Args:
        id: The venue's id (FIX 37).
        client_id: Client order id (FIX 11).
        status: FIX 39, or None for one that the library does not know.
        filled: Quantity filled so far.
        average: Average price so far.
        fee: Charged so far.
        fee_currency: What it was charged in.
        executions: Those that the report lists.
    """

    id: str | None
    client_id: str | None = None
    status: a.OrderStatus | None = None
    filled: float | None = None
    average: float | None = None
    fee: float | None = None
    fee_currency: str | None = None
    executions: Iterable[Execution] = ()


@dataclass(slots=True)
class Tally:
    """What was counted under one id of the venue, which begins at nothing when a replace gives another one."""

    #: Quantity of all fills, and of those that have an id.
    done: float = 0.0
    named: float = 0.0
    #: Quantity of which the price is known, and what it came to.
    priced: float = 0.0
    value: float = 0.0
    #: Fees that were booked, and those of fills with an id; by what they were charged in.
    booked: dict[str | None, float] = field(default_factory=dict[str | None, float])
    paid: dict[str | None, float] = field(default_factory=dict[str | None, float])
    #: The last report of an order that is not ours, or not ours yet: a stream may be faster than the reply.
    early: Report | None = None

    def fill(self, size: float, price: float | None) -> None:
        """Add one fill, whose price may not be known yet."""
        self.done += size
        if price is not None:
            self.priced += size
            self.value += size * price

    def add(self, other: Tally) -> None:
        """Add what was counted under an id that turned out to be of the same order."""
        self.done, self.named = self.done + other.done, self.named + other.named
        self.priced, self.value = self.priced + other.priced, self.value + other.value
        for mine, more in ((self.booked, other.booked), (self.paid, other.paid)):
            for paid_in, fee in more.items():
                mine[paid_in] = mine.get(paid_in, 0.0) + fee


@dataclass(slots=True)
class Order:
    """An order of this bot's, under all ids that the venue gave it."""

    client_id: str | None
    status: str = "pending_new"
    symbol: str | None = None
    base: str | None = None
    currency: str | None = None
    #: Of the id that is in force.
    tally: Tally = field(default_factory=Tally)
    #: What the meter is still to be told, in this order and by which process, and the one that is doing so.
    news: deque[tuple[int, Callable[[], object]]] = field(default_factory=deque["tuple[int, Callable[[], object]]"])
    teller: int = 0
