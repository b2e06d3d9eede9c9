"""One open order, and what a report about it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from otel_trading._attributes import MAX_LENGTH
from otel_trading.trackers._fix39 import ENDS

if TYPE_CHECKING:
    from otel_trading._attributes import AttributeSet
    from otel_trading.trackers._lifecycle import Lifecycle

__all__ = ["ASKED", "Asked", "Order", "confirmed", "joined", "refused", "replacing", "unmoved"]

ASKED: Final = {"replace": "pending_replace", "cancel": "pending_cancel"}


@dataclass(slots=True)
class Asked:
    """A replace or a cancel that the venue has not answered."""

    client_id: str
    status: str
    before: str
    quantity: float | None


@dataclass(slots=True)
class Order:
    """A row of the table."""

    attributes: AttributeSet
    status: str
    sent: float
    quantity: float | None
    done: float = 0.0
    acknowledged: bool = False
    #: Whether the call that sent it failed, so that perhaps it never arrived.
    failed: bool = False
    filled: bool = False
    completed: bool = False
    asked: Asked | None = None
    names: tuple[str, ...] = ()
    life: Lifecycle | None = None
    #: Our id and the venue's (FIX 37), by the keywords of events.
    ids: dict[str, str] | None = None


def joined(known: dict[str, str] | None, order_id: str | None, venue_order_id: str | None) -> dict[str, str] | None:
    """Return the ids of an order with those that a report brings; nothing is made for an order that has none."""
    if order_id is None and venue_order_id is None:
        return known
    ids = dict(known or {})
    for keyword, value in (("order_id", order_id), ("venue_order_id", venue_order_id)):
        if value is not None:
            ids[keyword] = str(value)[:MAX_LENGTH]
    return ids


def unmoved(order: Order, client_id: str | None, status: str) -> bool:
    """Whether a report leaves the order as it is: a refused request, or a replace that was confirmed already."""
    if status == "rejected":
        return refused(order, client_id)
    return status == "replaced" and bool(order.names) and not replacing(order)


def refused(order: Order, client_id: str | None) -> bool:
    """Take a rejection; whether it was that of a replace or a cancel, which leaves the order as it was."""
    asked = order.asked
    if asked is None or client_id != asked.client_id:
        return False
    order.asked = None
    if order.status in ASKED.values():
        order.status = asked.before
    return True


def confirmed(order: Order, client_id: str | None, status: str) -> bool:
    """Whether the venue confirmed a replace: the order goes on, with its new quantity."""
    asked = order.asked
    if asked is None or not replacing(order) or status not in {"new", "replaced"}:
        return False
    if status == "new" and client_id != asked.client_id:
        return False
    order.asked = None
    order.quantity = order.quantity if asked.quantity is None else asked.quantity
    order.status = "partially_filled" if order.filled else "new"
    return True


def replacing(order: Order) -> bool:
    """Whether a replace waits for the venue."""
    return order.asked is not None and order.asked.status == "pending_replace" and order.status not in ENDS
