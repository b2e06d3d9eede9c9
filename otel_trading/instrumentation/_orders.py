"""Orders as libraries tell of them: under the venue's id, on several channels, fills one by one or as a sum."""

from __future__ import annotations

import itertools
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from otel_trading import meter
from otel_trading._locks import Lock

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from otel_trading.semconv import attributes as a

__all__ = ["Execution", "Orders", "Report", "quantity"]

MAX_NAMES: Final = 20_000
MAX_EXECUTIONS: Final = 10_000
MAX_OTHERS: Final = 1000
#: How near to a sum of fills another one is the same: above what adding floats loses, below what a fill can be.
_SAME: Final = 1e-9
#: After these only a fill is news; streams and replies overtake each other.
_ENDS: Final = frozenset({"filled", "canceled", "rejected", "expired"})


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
class _Order:
    client_id: str | None
    status: str = "pending_new"
    base: str | None = None
    currency: str | None = None
    #: What was counted: of all fills, and of those that have an id.
    done: float = 0.0
    named: float = 0.0
    value: float = 0.0
    fees: float = 0.0
    #: The last report of one that is not ours, or not ours yet: a stream may be faster than the reply.
    early: Report | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Orders:
    """The orders of this process, by the venue's and by the client's id, in a table of 20,000 names; the oldest go.

    An execution counts once, whether a sum, a list or a stream told of it first. Orders that others sent are unknown
    and left alone, but for their executions since this was made.
    """

    def __init__(self) -> None:
        self._names: OrderedDict[tuple[str, str], _Order] = OrderedDict()
        self._others: OrderedDict[tuple[str, str], _Order] = OrderedDict()
        self._executions: OrderedDict[Hashable, None] = OrderedDict()
        self._lock = Lock()
        self._numbers = itertools.count(1)
        self._since = time.time()

    def number(self, venue: str) -> str:
        """Return an id for an order or a message that has none of its own."""
        return f"{venue}-{next(self._numbers)}"

    def client_id(self, venue: str, name: object) -> str | None:
        """Return the id under which an order was sent, by any of its names; None for one that others sent."""
        order = self._find(venue, name)
        return None if order is None else order.client_id

    def sent(self, venue: str, client_id: str, *, base: str | None = None, currency: str | None = None) -> None:
        """Remember an order that is about to be sent.

        Args:
            venue: To which.
            client_id: As said to `meter.order_request`.
            base: What is traded, for fees that are charged in it.
            currency: What it is paid in.
        """
        self._name(venue, client_id, _Order(client_id, base=base, currency=currency))

    def acknowledged(self, venue: str, client_id: str, *names: object) -> None:
        """Take the reply to an order: the venue has it, under these names."""
        order = self._find(venue, client_id)
        if order is None:
            return
        early = [self._join(venue, str(name), order) for name in names if name is not None]
        if order.status == "pending_new":
            order.status = "new"
            told = str(names[0]) if names and names[0] is not None else None
            meter.order_acknowledged(client_id=client_id, venue_order_id=told, venue=venue)
        for report in early:
            if report is not None:
                self.reported(venue, report)

    def renamed(self, venue: str, client_id: str, *names: object) -> None:
        """Take the reply to a replace: the order goes on, under further names."""
        order = self._find(venue, client_id)
        if order is not None:
            for name in names:
                if name is not None:
                    self._name(venue, str(name), order)
            order.status = "new"
            meter.order_status_changed(status="replaced", client_id=client_id, venue=venue)

    def reported(self, venue: str, report: Report) -> None:
        """Take what the venue says of an order; what was known already changes nothing."""
        order = self._find(venue, report.id) or self._find(venue, report.client_id)
        if order is None:
            if report.id is not None:
                self._other(venue, report.id).early = report
            return
        if report.id is not None and (venue, report.id) not in self._names:
            self._join(venue, report.id, order)
        with order.lock:
            for execution in report.executions:
                self._execution(venue, order, execution)
            self._sum(venue, order, report)
            status = report.status
            late = order.status in _ENDS and status != "filled"
            if status is None or status == order.status or late or (status == "new" and order.done):
                return
            order.status = status
        if status == "rejected":
            meter.order_rejected(client_id=order.client_id, venue_order_id=report.id, venue=venue)
        else:
            meter.order_status_changed(status=status, client_id=order.client_id, venue_order_id=report.id, venue=venue)

    def executed(self, venue: str, name: object, execution: Execution, currency: str | None = None) -> None:
        """Take an execution of an order.

        Args:
            venue: Which.
            name: Any id of the order.
            execution: The fill.
            currency: Of the price, for an order that others sent.
        """
        order = self._find(venue, name)
        if order is not None:
            with order.lock:
                self._execution(venue, order, execution)
        elif execution.time is not None and execution.time >= self._since and self._new(venue, execution):
            if name is not None and execution.quantity is not None:
                other = self._other(venue, str(name))
                other.done = other.named = other.done + execution.quantity
                other.value += execution.quantity * (execution.price or 0.0)
                other.fees += execution.fee or 0.0
            _fill(venue, None, execution, currency, None)

    def _execution(self, venue: str, order: _Order, execution: Execution) -> None:
        size = execution.quantity
        if size is None or not self._new(venue, execution):
            return
        order.named += size
        news = order.named - order.done
        if news <= order.named * _SAME:
            return  # a sum told of it before
        if news < size * (1 - _SAME):
            execution.quantity = news
        order.done, order.value = order.named, order.value + news * (execution.price or 0.0)
        order.fees += execution.fee or 0.0
        _fill(venue, order.client_id, execution, order.currency, order.base)

    def _sum(self, venue: str, order: _Order, report: Report) -> None:
        filled = report.filled or 0.0
        news = filled - order.done
        if news <= filled * _SAME:
            return
        value = None if report.average is None else filled * report.average
        price = None if value is None else (value - order.value) / news
        fee = None if report.fee is None else report.fee - order.fees
        execution = Execution("", price, news, fee=fee, fee_currency=report.fee_currency)
        order.done, order.value, order.fees = filled, value or 0.0, report.fee or 0.0
        complete = True if report.status == "filled" else None
        _fill(venue, order.client_id, execution, order.currency, order.base, complete=complete)

    def _new(self, venue: str, execution: Execution) -> bool:
        key = (venue, execution.symbol, execution.id)
        with self._lock:
            if key in self._executions:
                return False
            self._executions[key] = None
            if len(self._executions) > MAX_EXECUTIONS:
                self._executions.popitem(last=False)
        return True

    def _find(self, venue: str, name: object) -> _Order | None:
        return None if name is None else self._names.get((venue, str(name)))

    def _other(self, venue: str, name: str) -> _Order:
        with self._lock:
            found = self._others.setdefault((venue, name), _Order(None))
            if len(self._others) > MAX_OTHERS:
                self._others.popitem(last=False)
        return found

    def _join(self, venue: str, name: str, order: _Order) -> Report | None:
        """Give an order one name more, and what came under that name before; returns the last report of it."""
        self._name(venue, name, order)
        with self._lock:
            other = self._others.pop((venue, name), None)
        if other is None:
            return None
        with order.lock:
            order.done, order.named = order.done + other.done, order.named + other.named
            order.value, order.fees = order.value + other.value, order.fees + other.fees
        return other.early

    def _name(self, venue: str, name: str, order: _Order) -> None:
        with self._lock:
            self._names[venue, name] = order
            if len(self._names) > MAX_NAMES:
                self._names.popitem(last=False)


def _fill(
    venue: str,
    client_id: str | None,
    execution: Execution,
    currency: str | None,
    base: str | None,
    *,
    complete: bool | None = None,
) -> None:
    fee, paid_in = execution.fee, execution.fee_currency
    if fee is not None and paid_in is not None and paid_in == base and execution.price is not None:
        fee, paid_in = fee * execution.price, currency
    ours = paid_in is None or currency is None or paid_in == currency
    meter.order_filled(
        client_id=client_id,
        side=execution.side,
        price=execution.price,
        quantity=execution.quantity,
        symbol=execution.symbol,
        currency=currency,
        liquidity=execution.liquidity,
        fee=fee if ours else None,
        execution_id=execution.id or None,
        complete=complete,
        venue=venue,
    )
    if not ours and fee is not None and fee > 0:
        meter.fee_charged(value=fee, type="commission", symbol=execution.symbol, currency=paid_in, venue=venue)
