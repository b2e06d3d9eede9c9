"""Open orders: which there are, how long they wait, how soon they were acknowledged and filled."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, Final

from otel_trading import events, instruments
from otel_trading._guard import count, lose
from otel_trading._locks import Lock
from otel_trading.semconv import Severity
from otel_trading.semconv import attributes as a
from otel_trading.semconv import events as happened
from otel_trading.semconv import order as metrics
from otel_trading.trackers._fix39 import ACKNOWLEDGING, ENDS, may_follow
from otel_trading.trackers._lifecycle import Lifecycle
from otel_trading.trackers._order import ASKED, Asked, Order, confirmed, joined, refused, unmoved
from otel_trading.trackers._pending import Pending
from otel_trading.trackers._rates import PeakRates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.context import Context

    from otel_trading._attributes import AttributeSet

__all__ = ["OrderTracker"]

MAX_ORDERS: Final = 10_000
#: Fills and states travel on separate channels: for so many orders the second one still finds what the first one ended.
MAX_ENDED: Final = 1000
_MAX_SEEN: Final = 1000
#: Seconds for which an order whose call failed is looked for: who wants to find it has asked by then.
GIVEN_UP: Final = 900.0
#: How near to its quantity an order is done: above what adding floats loses, below what a fill can be.
_WHOLE_ORDER: Final = 1 - 1e-13
#: Per symbol, thousands of series would say what one oldest age says.
_RATED: Final = metrics.RATE_MAX.keys - {a.SYMBOL.name}
_WHOLE: Final = metrics.UNACKNOWLEDGED_AGE.keys - {a.SYMBOL.name}


#: Ids of one order under which late reports still find it, however often it is replaced.
_MAX_NAMES: Final = 16


class OrderTracker:
    """A table of open orders by client order id (FIX 11), bounded to 10,000; the oldest gives way and is counted.

    The last 1,000 that ended are remembered, so that late fills and states still join them. A report that would lead
    back is not entered, and counted as `out_of_order` unless it repeats the present state; `_fix39` says which.
    An order whose call failed and of which nothing was heard for 15 minutes is `lost`: as the oldest one without an
    answer it would hide every later one. A row
    takes about 300 bytes, and 250 more for each replace or cancel with an id of its own (benchmarks/orders.py).

    Emits `trading.order.transitions`, `.acknowledgement.duration`, `.fill.duration`, the event
    `trading.order.status_changed` and, once an order ends, the span `trading.order.lifecycle`; is observed as
    `trading.order.active`, `.unacknowledged.age` and `.rate.max`.

    Args:
        clock: Monotonic seconds.
        acknowledged: Called once per order, with the id under which it was sent, when the venue is known to have it.
        pending: What waits for the next collection.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        acknowledged: Callable[[str], None] | None = None,
        pending: Pending | None = None,
    ) -> None:
        self._clock = clock
        self._pending = pending or Pending()
        self._acknowledged = acknowledged
        self._lock = Lock()
        self._orders: OrderedDict[str, Order] = OrderedDict()
        self._ended: OrderedDict[str, Order] = OrderedDict()
        self._firsts: dict[str, str] = {}  # id of a replace or a cancel -> id under which the order was sent
        self._seen: dict[AttributeSet, None] = {}  # ordered: states that were ever active keep a zero
        self._rates = PeakRates(metrics.RATE_MAX, clock)
        instruments.observe(metrics.ACTIVE, self._observe_active)
        instruments.observe(metrics.UNACKNOWLEDGED_AGE, self._observe_age)

    def sent(
        self,
        client_id: str | None,
        attributes: AttributeSet,
        quantity: float | None = None,
        context: Context | None = None,
        order_id: str | None = None,
    ) -> None:
        """Remember an order that was sent; without an id only its transition is recorded.

        Args:
            client_id: Client order id.
            attributes: Of the order, side and type included, status excluded.
            quantity: Order quantity, so that the completing fill can be told.
            context: Of the request's span, to whose trace the order belongs; the current one when None.
            order_id: Our own id of it, for events and its span.
        """
        life = None if client_id is None else Lifecycle.of(context)
        ids = joined(None, order_id, None)
        if client_id is not None:
            with self._lock:
                self._firsts.pop(client_id, None)
                self._release(self._orders.pop(client_id, None))
                crowded = len(self._orders) >= MAX_ORDERS
                if crowded:
                    self._end(*self._orders.popitem(last=False))
                self._orders[client_id] = Order(attributes, "pending_new", self._clock(), quantity, life=life, ids=ids)
            if crowded:
                lose("queue_full", f"Over {MAX_ORDERS} open orders; the oldest is forgotten. Report ends of orders.")
        self._rates.count(attributes.only(_RATED))
        self._enter(client_id, attributes, "pending_new", life, ids)

    def asked(self, operation: str, client_id: str, original: str, quantity: float | None = None) -> None:
        """Take a replace or a cancel that has an id of its own: reports under either id are about the same order.

        The order keeps its place and its age. A rejection under the new id leaves it as it was; `new` or `replaced`
        confirms a replace.

        Args:
            operation: replace or cancel.
            client_id: Id of the message (FIX 11).
            original: Id of the order (FIX 41), or of an earlier replace of it; an unknown one changes nothing.
            quantity: New order quantity.
        """
        status = ASKED[operation]
        with self._lock:
            first = self._first(original)
            order = self._find(original)
            if order is None or client_id in self._orders:
                return
            pending = order.asked if order.status in ASKED.values() else None
            before = order.status if pending is None else pending.before
            order.asked = Asked(client_id, status, before, quantity)
            self._name(order, client_id, first)
            # of an order that ended meanwhile only the answer is awaited, so that a refusal is not that of an order
            entered = first in self._orders and self._move(first, order, status)
        if entered:
            self._enter(first, order.attributes, status, order.life, order.ids)

    def failed(self, client_id: str | None) -> None:
        """Note that the call which sent an order failed: it may never have arrived."""
        order = self._find(client_id)
        if order is not None:
            order.failed = True

    def requested(self, client_id: str | None, context: Context | None) -> None:
        """Link a further request about an order to its lifecycle.

        Args:
            client_id: Client order id.
            context: Of the request's span; None when nobody traces.
        """
        order = None if context is None else self._find(client_id)
        if order is not None and order.life is not None and context is not None:
            order.life.requested(context)

    def context(self, client_id: str | None) -> Context | None:
        """Return the trace that an order belongs to, on whichever thread or task; None when it has none."""
        order = self._find(client_id)
        return order.life.context if order is not None and order.life is not None else None

    def attributes(self, client_id: str | None) -> AttributeSet | None:
        """Return the attributes under which an order was sent, or None when it is not known."""
        order = self._find(client_id)
        return order.attributes if order else None

    def moved(
        self,
        client_id: str | None,
        attributes: AttributeSet,
        status: str,
        *,
        order_id: str | None = None,
        venue_order_id: str | None = None,
    ) -> None:
        """Enter a state; one that the order is in already, or has left behind, is not entered again.

        Args:
            client_id: Client order id, or None.
            attributes: Of the order, when it is not in the table.
            status: State of FIX 39, or a local one.
            order_id: Our own id of it, remembered for what follows.
            venue_order_id: The venue's id of it (FIX 37), remembered too.
        """
        if self._arrived(client_id, attributes, status, order_id, venue_order_id):
            count("out_of_order")  # without a warning: channels overtake each other, and no bot can help it

    def refused(self, client_id: str | None) -> bool:
        """Take a rejection; returns whether it was that of a replace or a cancel, which leaves its order as it was."""
        with self._lock:
            order = self._find(client_id)
            return order is not None and refused(order, client_id)

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
            elapsed = self._since(order)
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
        self._arrived(client_id, order.attributes, "filled" if complete else "partially_filled")

    def ids(self, client_id: str | None) -> dict[str, str]:
        """Return what is known of `order_id` and `venue_order_id` of an order."""
        order = self._find(client_id)
        return (order.ids if order is not None else None) or {}

    def _arrived(
        self,
        client_id: str | None,
        attributes: AttributeSet,
        status: str,
        order_id: str | None = None,
        venue_order_id: str | None = None,
    ) -> bool:
        """Take a state; returns whether the order has left it behind."""
        with self._lock:
            order = self._find(client_id)
            ids = joined(order.ids if order is not None else None, order_id, venue_order_id)
            if order is not None:
                order.ids = ids
            if order is not None and unmoved(order, client_id, status):
                return False
            acknowledged_after = self._acknowledge(order, status)
            if order is not None and confirmed(order, client_id, status):
                entered, status, ended = True, "replaced", False
            else:
                was_open = order is not None and order.status not in ENDS
                entered = order is None or self._move(self._first(str(client_id)), order, status)
                ended = was_open and entered and status in ENDS
            first = None if client_id is None else self._first(client_id)
        life = order.life if order is not None else None
        if order is not None:
            attributes = order.attributes
        if acknowledged_after is not None:
            where = life.context if life else None
            self._pending.record(metrics.ACKNOWLEDGEMENT_DURATION, acknowledged_after, attributes, where)
            if self._acknowledged is not None:
                self._acknowledged(self._first(str(client_id)))
        if entered:
            self._enter(first, attributes, status, life, ids, ended=ended)
        return not entered and order is not None and order.status != status

    def _first(self, client_id: str) -> str:
        return self._firsts.get(client_id, client_id)

    def _find(self, client_id: str | None) -> Order | None:
        if client_id is None:
            return None
        first = self._first(client_id)
        return self._orders.get(first) or self._ended.get(first)

    def _move(self, first: str, order: Order, status: str) -> bool:
        """Enter the state under the lock; returns whether it is news."""
        if not may_follow(order.status, status, traded=order.filled):
            return False
        order.status = status
        if status in ENDS and self._orders.pop(first, None) is not None:
            self._end(first, order)
        elif status not in ENDS and self._ended.pop(first, None) is not None:
            self._orders[first] = order  # lost and found, replaced under its own id, or done for that day only
        return True

    def _end(self, first: str, order: Order) -> None:
        self._release(self._ended.pop(first, None))
        self._ended[first] = order
        if len(self._ended) > MAX_ENDED:
            self._release(self._ended.popitem(last=False)[1])

    def _name(self, order: Order, client_id: str, first: str) -> None:
        self._firsts[client_id] = first
        if client_id not in order.names:
            order.names = (*order.names, client_id)
        if len(order.names) > _MAX_NAMES:
            self._firsts.pop(order.names[0], None)
            order.names = order.names[1:]

    def _release(self, order: Order | None) -> None:
        for name in order.names if order else ():
            self._firsts.pop(name, None)

    def _acknowledge(self, order: Order | None, status: str) -> float | None:
        if order is None or order.acknowledged or status not in ACKNOWLEDGING:
            return None
        order.acknowledged = True
        return self._since(order)

    def _since(self, order: Order) -> float:
        return max(self._clock() - order.sent, 0.0)  # a clock that was set back makes no negative time

    def _enter(
        self,
        first: str | None,
        attributes: AttributeSet,
        status: str,
        life: Lifecycle | None,
        ids: dict[str, str] | None,
        *,
        ended: bool = False,
    ) -> None:
        stated, where = attributes.plus(a.ORDER_STATUS, status), life.context if life else None
        self._pending.add(metrics.TRANSITIONS, stated, context=where)
        loud = Severity.ERROR if status == "lost" else None
        events.emit(happened.ORDER_STATUS_CHANGED, stated, severity=loud, context=where, client_id=first, **(ids or {}))
        if life is not None:
            life.entered(status)
            if ended:
                life.ended(stated, str(first), **(ids or {}))

    def _fill_duration(self, order: Order, stage: a.OrderStage, seconds: float) -> None:
        where = order.life.context if order.life else None
        self._pending.record(metrics.FILL_DURATION, seconds, order.attributes.plus(a.ORDER_STAGE, stage), where)

    def _give_up(self) -> None:
        with self._lock:
            over = [
                (client_id, order)
                for client_id, order in self._orders.items()
                if order.failed and not order.acknowledged and self._since(order) > GIVEN_UP
            ]
        for client_id, order in over:
            self._arrived(client_id, order.attributes, "lost")
        if over:
            self._pending.flush()  # this collection's turn is over already

    def _open(self) -> list[Order]:
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
        self._give_up()
        ages: dict[AttributeSet, float] = {attributes.without(a.ORDER_STATUS): 0.0 for attributes in list(self._seen)}
        for order in self._open():
            attributes = order.attributes.only(_WHOLE)
            age = 0.0 if order.acknowledged else self._since(order)  # also while a cancel of it is pending
            ages[attributes] = max(age, ages.get(attributes, 0.0))
        yield from ages.items()
