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

#: FIX 39 states after which nothing more comes, and our own two.
TERMINAL: Final = frozenset({"filled", "canceled", "rejected", "expired", "denied", "lost", "done_for_day", "replaced"})
_UNACKNOWLEDGED: Final = frozenset({"initialized", "pending_new"})
#: Reports that prove that the venue has the order.
_ACKNOWLEDGING: Final = frozenset({"new", "partially_filled", "filled", "stopped", "suspended", "accepted_for_bidding"})
MAX_ORDERS: Final = 10_000
_MAX_SEEN: Final = 1000
#: Per symbol, thousands of series would say what one oldest age says.
_WHOLE: Final = metrics.UNACKNOWLEDGED_AGE.keys - {a.SYMBOL.name}


@dataclass(slots=True)
class _Order:
    attributes: AttributeSet
    status: str
    sent: float
    remaining: float | None
    acknowledged: bool = False
    filled: bool = False


class OrderTracker:
    """A table of open orders by client order id (FIX 11), bounded to 10,000; the oldest gives way and is counted.

    Emits `trading.order.transitions`, `.acknowledgement.duration`, `.fill.duration`; is observed as
    `trading.order.active` and `.unacknowledged.age`.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._orders: OrderedDict[str, _Order] = OrderedDict()
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
                crowded = len(self._orders) >= MAX_ORDERS
                if crowded:
                    self._orders.popitem(last=False)
                self._orders[client_id] = _Order(attributes, "pending_new", self._clock(), quantity)
            if crowded:
                lose("queue_full", f"Over {MAX_ORDERS} open orders; the oldest is forgotten. Report ends of orders.")
        self._enter(attributes, "pending_new")

    def attributes(self, client_id: str | None) -> AttributeSet | None:
        """Return the attributes under which an order was sent, or None when it is not known."""
        order = self._orders.get(client_id) if client_id is not None else None
        return order.attributes if order else None

    def moved(self, client_id: str | None, attributes: AttributeSet, status: str) -> None:
        """Enter a state.

        Args:
            client_id: Client order id, or None.
            attributes: Of the order, when it is not in the table.
            status: State of FIX 39, or a local one.
        """
        with self._lock:
            order = self._orders.get(client_id) if client_id is not None else None
            acknowledged_after = self._acknowledge(order, status)
            if order is not None:
                order.status = status
                attributes = order.attributes
                if status in TERMINAL:
                    self._orders.pop(str(client_id), None)
        if acknowledged_after is not None:
            instruments.of(metrics.ACKNOWLEDGEMENT_DURATION).record(acknowledged_after, attributes)
        self._enter(attributes, status)

    def filled(self, client_id: str | None, quantity: float | None, *, complete: bool | None = None) -> None:
        """Take a fill: records the fill durations and moves the order to partially_filled or filled.

        Args:
            client_id: Client order id, or None; an unknown order changes nothing.
            quantity: Filled quantity, absolute.
            complete: Whether the order is done; None lets the remaining quantity tell.
        """
        order = self._orders.get(client_id) if client_id is not None else None
        if order is None:
            return
        elapsed = self._clock() - order.sent
        if order.remaining is not None and quantity is not None:
            order.remaining -= quantity
        if complete is None:
            complete = order.remaining is not None and order.remaining <= abs(quantity or 0.0) * 1e-9
        if not order.filled:
            order.filled = True
            self._fill_duration(order, "first", elapsed)
        if complete:
            self._fill_duration(order, "complete", elapsed)
        self.moved(client_id, order.attributes, "filled" if complete else "partially_filled")

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
        ages: dict[AttributeSet, float] = {attributes.without(a.ORDER_STATUS): 0.0 for attributes in self._seen}
        for order in self._open():
            attributes = order.attributes.only(_WHOLE)
            age = now - order.sent if order.status in _UNACKNOWLEDGED and not order.acknowledged else 0.0
            ages[attributes] = max(age, ages.get(attributes, 0.0))
        yield from ages.items()
