"""Orders as libraries tell of them: under the venue's id, on several channels, fills one by one or as a sum."""

from __future__ import annotations

import itertools
import os
import time
from collections import OrderedDict
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from otel_trading import meter, trackers
from otel_trading._locks import Lock
from otel_trading.instrumentation._reports import SAME, Execution, Order, Report, Tally, quantity
from otel_trading.semconv import attributes as a
from otel_trading.semconv import execution as _execution
from otel_trading.semconv import order as _order

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


__all__ = ["EMITS", "Execution", "Orders", "Report", "quantity"]

EMITS: Final = (
    _order.REQUESTS,
    _order.REQUEST_DURATION,
    _order.TRANSITIONS,
    _order.REJECTIONS,
    _order.ACKNOWLEDGEMENT_DURATION,
    _order.FILL_DURATION,
    _execution.FILLS,
    _execution.NOTIONAL,
    _execution.FEE,
)

MAX_NAMES: Final = 20_000
MAX_EXECUTIONS: Final = 10_000
MAX_OTHERS: Final = 1000
#: After these only a fill is news; streams and replies overtake each other.
_ENDS: Final = frozenset({"filled", "canceled", "rejected", "expired"})


class Orders:
    """The orders of this process, by the venue's and by the client's id, in a table of 20,000 names; the oldest go.

    An execution counts once, whether a sum, a list or a stream told of it first. Orders that others sent are unknown
    and left alone, but for their executions since this was made.
    """

    def __init__(self) -> None:
        self._names: OrderedDict[tuple[str, str], tuple[Order, Tally]] = OrderedDict()
        self._others: OrderedDict[tuple[str, str], Tally] = OrderedDict()
        self._executions: OrderedDict[Hashable, None] = OrderedDict()
        self._lock = Lock()
        self._numbers = itertools.count(1)
        self._since = time.time()

    def number(self, venue: str) -> str:
        """Return an id for an order or a message that has none of its own."""
        return f"{venue}-{next(self._numbers)}"

    def client_id(self, venue: str, name: object) -> str | None:
        """Return the id under which an order was sent, by any of its names; None for one that others sent."""
        found = self._find(venue, name)
        return None if found is None else found[0].client_id

    def sent(
        self,
        venue: str,
        client_id: str,
        *,
        symbol: str | None = None,
        base: str | None = None,
        currency: str | None = None,
    ) -> None:
        """Remember an order that is about to be sent.

        Args:
            venue: To which.
            client_id: As said to `meter.order_request`.
            symbol: Of fees that are told after the fill.
            base: What is traded, for fees that are charged in it.
            currency: What it is paid in.
        """
        order = Order(client_id, symbol=symbol, base=base, currency=currency)
        with self._lock:
            self._name(venue, client_id, order, order.tally)

    def acknowledged(self, venue: str, client_id: str, *names: object) -> None:
        """Take the reply to an order: the venue has it, under these names."""
        found = self._find(venue, client_id)
        if found is None:
            return
        order = found[0]
        early = [self._join(venue, str(name), order, order.tally) for name in names if name is not None]
        if order.status == "pending_new":
            order.status = "new"
            told = str(names[0]) if names and names[0] is not None else None
            meter.order_acknowledged(client_id=client_id, venue_order_id=told, venue=venue)
        for report in early:
            if report is not None:
                self.reported(venue, report)

    def renamed(self, venue: str, client_id: str, *names: object) -> None:
        """Take the reply to a replace: the order goes on, under further names; under another id, from nothing."""
        found = self._find(venue, client_id)
        if found is None:
            return
        order = found[0]
        if names and names[0] is not None and self._find(venue, names[0]) is None:
            order.tally = Tally()
            with self._lock:
                self._name(venue, client_id, order, order.tally)
        early = [self._join(venue, str(name), order, order.tally) for name in names if name is not None]
        order.status = "new"
        meter.order_status_changed(status="replaced", client_id=client_id, venue=venue)
        for report in early:
            if report is not None:
                self.reported(venue, report)

    def reported(self, venue: str, report: Report) -> None:
        """Take what the venue says of an order; what was known already changes nothing."""
        found = self._find(venue, report.id) or self._find(venue, report.client_id)
        if found is None:
            if report.id is not None:
                self._other(venue, report.id).early = report
            return
        order, tally = found
        if report.id is not None and (venue, report.id) not in self._names:
            self._join(venue, report.id, order, tally)
        with self._lock:
            for execution in report.executions:
                self._execution(venue, order, tally, execution)
            self._sum(venue, order, tally, report)
            if tally is order.tally:  # what ends an id that was replaced does not end the order
                self._status(venue, order, report)
        self._tell(order)

    def _status(self, venue: str, order: Order, report: Report) -> None:
        status = report.status
        late = order.status in _ENDS and status != "filled"
        if status is None or status == order.status or late or (status == "new" and order.tally.done):
            return
        order.status = status
        changed = meter.order_rejected if status == "rejected" else partial(meter.order_status_changed, status=status)
        _later(order, partial(changed, client_id=order.client_id, venue_order_id=report.id, venue=venue))

    def executed(self, venue: str, name: object, execution: Execution, currency: str | None = None) -> None:
        """Take an execution of an order.

        Args:
            venue: Which.
            name: Any id of the order.
            execution: The fill.
            currency: Of the price, for an order that others sent.
        """
        found = self._find(venue, name)
        if found is not None:
            with self._lock:
                self._execution(venue, *found, execution)
            self._tell(found[0])
        elif execution.time is not None and execution.time >= self._since and self._new(venue, execution):
            if name is not None and execution.quantity is not None:
                with self._lock:
                    _count(self._other(venue, str(name)), execution, currency)
            _fill(venue, Order(None, currency=currency), execution)

    def _execution(self, venue: str, order: Order, tally: Tally, execution: Execution) -> None:
        size = execution.quantity
        if size is None or not self._new(venue, execution):
            return
        tally.named += size
        size = min(size, tally.named - tally.done)
        fee, paid_in = execution.fee, execution.fee_currency or order.currency
        if fee is not None:
            tally.paid[paid_in] = tally.paid.get(paid_in, 0.0) + fee
            owed = tally.paid[paid_in] - tally.booked.get(paid_in, 0.0)
            fee = owed if fee < 0 else max(owed, 0.0)
        if size <= tally.named * SAME:  # a sum told of it before
            _charge(venue, order, tally, replace(execution, fee=fee))
            return
        tally.fill(size, execution.price)
        if fee is not None:
            tally.booked[paid_in] = tally.booked.get(paid_in, 0.0) + fee
        same = size >= (execution.quantity or 0.0) * (1 - SAME)
        told = replace(execution, fee=fee, quantity=execution.quantity if same else size)
        _later(order, partial(_fill, venue, order, told))

    def _sum(self, venue: str, order: Order, tally: Tally, report: Report) -> None:
        filled = report.filled or 0.0
        size, fee, paid_in = filled - tally.done, report.fee, report.fee_currency or order.currency
        if fee is not None:
            fee -= tally.booked.get(paid_in, 0.0)
        elif size <= filled * SAME:
            return
        execution = Execution("", report.average, size, symbol=order.symbol, fee=fee, fee_currency=report.fee_currency)
        if size <= filled * SAME:
            _charge(venue, order, tally, execution)
            return
        execution.symbol = None  # the meter knows
        if report.average is not None:
            # what came without a price came at the same one
            execution.price = (filled * report.average - tally.value) / (filled - tally.priced)
            tally.priced, tally.value = filled, filled * report.average
        tally.done = filled
        if report.fee is not None:
            tally.booked[paid_in] = report.fee
        complete = True if report.status == "filled" else None
        _later(order, partial(_fill, venue, order, execution, complete=complete))

    def _tell(self, order: Order) -> None:
        """Tell the meter, outside of any lock, which a signal handler or a fork may come into; one at a time."""
        if not order.news:
            return
        this = os.getpid()
        with self._lock:
            if order.teller == this:
                return
            order.teller = this  # another one's was a thread of the parent
        try:
            while call := self._next(order):
                call()
        except BaseException:
            order.teller = 0
            raise

    def _next(self, order: Order) -> Callable[[], object] | None:
        this = os.getpid()
        with self._lock:
            while order.news:
                process, call = order.news.popleft()
                if process == this:  # else the parent does it
                    return call
            order.teller = 0
        return None

    def _new(self, venue: str, execution: Execution) -> bool:
        key = (venue, execution.symbol, execution.id)
        with self._lock:
            if key in self._executions:
                return False
            self._executions[key] = None
            if len(self._executions) > MAX_EXECUTIONS:
                self._executions.popitem(last=False)
        return True

    def _find(self, venue: str, name: object) -> tuple[Order, Tally] | None:
        return None if name is None else self._names.get((venue, str(name)))

    def _other(self, venue: str, name: str) -> Tally:
        with self._lock:
            found = self._others.setdefault((venue, name), Tally())
            if len(self._others) > MAX_OTHERS:
                self._others.popitem(last=False)
        return found

    def _join(self, venue: str, name: str, order: Order, tally: Tally) -> Report | None:
        """Give an order one name more, and what came under that name before; returns the last report of it."""
        with self._lock:
            self._name(venue, name, order, tally)
            other = self._others.pop((venue, name), None) if self._others else None
            if other is None:
                return None
            tally.add(other)
        return other.early

    def _name(self, venue: str, name: str, order: Order, tally: Tally) -> None:
        """Enter a name, under the lock."""
        self._names[venue, name] = order, tally
        if len(self._names) > MAX_NAMES:
            self._names.popitem(last=False)


def _later(order: Order, call: Callable[[], object]) -> None:
    order.news.append((os.getpid(), partial(copy_context().run, call)))


def _count(tally: Tally, execution: Execution, currency: str | None) -> None:
    tally.named += execution.quantity or 0.0
    tally.fill(tally.named - tally.done, execution.price)
    paid_in = execution.fee_currency or currency
    for fees in (tally.booked, tally.paid):
        fees[paid_in] = fees.get(paid_in, 0.0) + (execution.fee or 0.0)


def _charge(venue: str, order: Order, tally: Tally, execution: Execution) -> None:
    """Book a fee of which no fill told."""
    fee, key = execution.fee, execution.fee_currency or order.currency
    before = tally.booked.get(key, 0.0)
    if fee is None or fee <= abs(before) * SAME:
        return
    tally.booked[key] = before + fee
    late, paid_in = _converted(order, replace(execution, fee=fee))
    symbol, currency = execution.symbol or order.symbol, paid_in or order.currency
    if late is not None:
        _later(order, partial(_fee, venue, order, late, symbol, currency))


def _converted(order: Order, execution: Execution) -> tuple[float | None, str | None]:
    """Return a fee in the currency of the order when it was charged in what was traded, else as it was charged."""
    fee, paid_in = execution.fee, execution.fee_currency
    # of an inverse contract both are one, and its fee is no quantity of contracts
    in_base = paid_in is not None and paid_in == order.base and paid_in != order.currency
    if fee is not None and in_base and execution.price is not None:
        return fee * execution.price, order.currency
    return fee, paid_in


def _fill(venue: str, order: Order, execution: Execution, *, complete: bool | None = None) -> None:
    currency = order.currency
    fee, paid_in = _converted(order, execution)
    ours = paid_in is None or currency is None or paid_in == currency
    meter.order_filled(
        client_id=order.client_id,
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
        _fee(venue, order, fee, execution.symbol or order.symbol, paid_in)


def _fee(venue: str, order: Order, value: float, symbol: str | None, currency: str | None) -> None:
    """Charge a fee that no fill tells of to the strategy and the account of its order, whoever hears of it."""
    known = trackers.default().orders.attributes(order.client_id)
    strategy, account = (None if known is None else known.get(one) for one in (a.STRATEGY, a.ACCOUNT))
    meter.fee_charged(
        value=value,
        type="commission",
        symbol=symbol,
        currency=currency,
        venue=venue,
        strategy=strategy,
        account=account,
    )
