"""Open orders: which there are, how long they wait, how soon they were acknowledged and filled."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from otel_trading import instruments
from otel_trading._guard import lose
from otel_trading.semconv import attributes as a
from otel_trading.semconv import order as metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_trading._attributes import AttributeSet

__all__ = ["OrderTracker"]

#: FIX 39 states after which only late reports come, and our own two.
TERMINAL: Final = frozenset({"filled", "canceled", "rejected", "expired", "denied", "lost", "done_for_day", "replaced"})
#: States before the first fill: a report of one that comes later than a fill is old news.
_BEFORE_FILL: Final = frozenset({"initialized", "pending_new", "new"})
#: Reports that prove that the venue has the order.
_ACKNOWLEDGING: Final = frozenset({"new", "partially_filled", "filled", "stopped", "suspended", "accepted_for_bidding"})
MAX_ORDERS: Final = 10_000
#: Fills and states travel on separate channels: for so many orders the second one still finds what the first one ended.
MAX_ENDED: Final = 1000
_MAX_SEEN: Final = 1000
#: How near to its quantity an order is done: above what adding floats loses, below what a fill can be.
_WHOLE_ORDER: Final = 1 - 1e-13
#: Per symbol, thousands of series would say what one oldest age says.
_WHOLE: Final = metrics.UNACKNOWLEDGED_AGE.keys - {a.SYMBOL.name}


@dataclass(slots=True)
class _Order:
    attributes: AttributeSet
    status: str
    sent: float
    quantity: float | None
    done: float = 0.0
    acknowledged: bool = False
    filled: bool = False
    completed: bool = False


class OrderTracker:
    """A table of open orders by client order id (FIX 11), bounded to 10,000; the oldest gives way and is counted.

    Ended orders are remembered for a while, so that late fills and states still join them.

    Emits `trading.order.transitions`, `.acknowledgement.duration`, `.fill.duration`; is observed as
    `trading.order.active` and `.unacknowledged.age`.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._orders: OrderedDict[str, _Order] = OrderedDict()
        self._ended: OrderedDict[str, _Order] = OrderedDict()
        self._seen: dict[AttributeSet, None] = {}  # ordered: states that were ever active keep a zero
        instruments.observe(metrics.ACTIVE, self._observe_active)
        instruments.observe(metrics.UNACKNOWLEDGED_AGE, self._observe_age)

    def sent(self, client_id: str | None, attributes: AttributeSet, quantity: float | None = None) -> None:
        """Remember an order that was sent; without an id only its transition is recorded.

        Args:
            client_id: Client order id.
            attributes: Of the order, side and type included, status excluded.
            quantity: Order quantity, so that the completing fill can be told.
        """
        if client_id is not None:
            with self._lock:
                self._orders.pop(client_id, None)
                crowded = len(self._orders) >= MAX_ORDERS
                if crowded:
                    self._orders.popitem(last=False)
                self._orders[client_id] = _Order(attributes, "pending_new", self._clock(), quantity)
            if crowded:
                lose("queue_full", f"Over {MAX_ORDERS} open orders; the oldest is forgotten. Report ends of orders.")
        self._enter(attributes, "pending_new")

    def attributes(self, client_id: str | None) -> AttributeSet | None:
        """Return the attributes under which an order was sent, or None when it is not known."""
        order = self._find(client_id)
        return order.attributes if order else None

    def moved(self, client_id: str | None, attributes: AttributeSet, status: str) -> None:
        """Enter a state; one that the order is in already, or has left behind, is not entered again.

        Args:
            client_id: Client order id, or None.
            attributes: Of the order, when it is not in the table.
            status: State of FIX 39, or a local one.
        """
        with self._lock:
            order = self._find(client_id)
            acknowledged_after = self._acknowledge(order, status)
            entered = order is None or self._move(str(client_id), order, status)
        if order is not None:
            attributes = order.attributes
        if acknowledged_after is not None:
            instruments.of(metrics.ACKNOWLEDGEMENT_DURATION).record(acknowledged_after, attributes)
        if entered:
            self._enter(attributes, status)

    def filled(self, client_id: str | None, quantity: float | None, *, complete: bool | None = None) -> None:
        """Take a fill: records the fill durations and moves the order to partially_filled or filled.

        Args:
            client_id: Client order id, or None; an unknown order changes nothing.
            quantity: Filled quantity, absolute.
            complete: Whether the order is done; None lets the order's quantity tell.
        """
        with self._lock:
            order = self._find(client_id)
            if order is None:
                return
            elapsed = self._clock() - order.sent
            order.done += quantity or 0.0
            if complete is None:
                whole = order.quantity
                complete = order.status == "filled" if whole is None else order.done >= whole * _WHOLE_ORDER
            first, last = not order.filled, complete and not order.completed
            order.filled, order.completed = True, order.completed or complete
        if first:
            self._fill_duration(order, "first", elapsed)
        if last:
            self._fill_duration(order, "complete", elapsed)
        self.moved(client_id, order.attributes, "filled" if complete else "partially_filled")

    def _find(self, client_id: str | None) -> _Order | None:
        return None if client_id is None else self._orders.get(client_id) or self._ended.get(client_id)

    def _move(self, client_id: str, order: _Order, status: str) -> bool:
        """Enter the state under the lock; returns whether it is news."""
        over = order.status in TERMINAL and status not in TERMINAL
        if status == order.status or over or (order.filled and status in _BEFORE_FILL):
            return False
        order.status = status
        if status in TERMINAL and self._orders.pop(client_id, None) is not None:
            self._ended[client_id] = order
            if len(self._ended) > MAX_ENDED:
                self._ended.popitem(last=False)
        return True

    def _acknowledge(self, order: _Order | None, status: str) -> float | None:
        if order is None or order.acknowledged or status not in _ACKNOWLEDGING:
            return None
        order.acknowledged = True
        return self._clock() - order.sent

    def _enter(self, attributes: AttributeSet, status: str) -> None:
        instruments.of(metrics.TRANSITIONS).record(1, attributes.plus(a.ORDER_STATUS, status))

    def _fill_duration(self, order: _Order, stage: a.OrderStage, seconds: float) -> None:
        instruments.of(metrics.FILL_DURATION).record(seconds, order.attributes.plus(a.ORDER_STAGE, stage))

    def _open(self) -> list[_Order]:
        with self._lock:
            return list(self._orders.values())

    def _observe_active(self) -> Iterator[tuple[AttributeSet, float]]:
        counts = Counter(order.attributes.only(_WHOLE).plus(a.ORDER_STATUS, order.status) for order in self._open())
        for attributes in counts:
            if len(self._seen) < _MAX_SEEN:
                self._seen[attributes] = None
        for attributes in {**self._seen, **counts}:
            yield attributes, float(counts[attributes])

    def _observe_age(self) -> Iterator[tuple[AttributeSet, float]]:
        now = self._clock()
        ages: dict[AttributeSet, float] = {attributes.without(a.ORDER_STATUS): 0.0 for attributes in list(self._seen)}
        for order in self._open():
            attributes = order.attributes.only(_WHOLE)
            age = 0.0 if order.acknowledged else now - order.sent  # also while a cancel of it is pending
            ages[attributes] = max(age, ages.get(attributes, 0.0))
        yield from ages.items()
