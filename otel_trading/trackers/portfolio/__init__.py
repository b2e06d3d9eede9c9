"""Positions and what they made, per account, strategy, venue and currency; never across currencies."""

from __future__ import annotations

import functools
import time
from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

from otel_trading import instruments
from otel_trading._attributes import OTHER, known
from otel_trading._guard import lose
from otel_trading.semconv import attributes as a
from otel_trading.semconv import execution
from otel_trading.semconv import portfolio as metrics
from otel_trading.trackers.portfolio import _picture
from otel_trading.trackers.portfolio._book import Book
from otel_trading.trackers.portfolio._contract import LINEAR, Contract
from otel_trading.trackers.portfolio._fifo import FifoPosition
from otel_trading.trackers.portfolio._lock import ExactLock
from otel_trading.trackers.portfolio._observed import Observed
from otel_trading.trackers.portfolio._position import ZERO, Position, RoundTrip
from otel_trading.trackers.portfolio._session import Session
from otel_trading.trackers.portfolio._state import MAX_EXECUTIONS, DamagedError, State, read, sealed, written
from otel_trading.trackers.portfolio._state import MAX_ROWS as _MAX_POSITIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading._attributes import AttributeSet

__all__ = ["Contract", "PortfolioTracker", "Session"]

_POSITION: Final = (metrics.VALUE.keys | {a.SYMBOL.name}) - {a.CURRENCY_CONVERTED.name}
_BOOK: Final = _POSITION - {a.SYMBOL.name}
_KIND: Final = {"average": Position, "fifo": FifoPosition}


class PortfolioTracker(Observed):
    """Takes fills, marks, payments and what the app knows itself; owns positions, P&L, equity, drawdown and statistics.

    Realized P&L is net of the fees given with the fills and of funding. A closed position ends. Equity is what the app
    states, else deposits and P&L. Returns are sampled once per session and annualised with the sessions of a year.
    Every update costs the same however long the history is; bounded to 10,000 open positions, books and contracts each
    (a further one is refused and counted), 30 sessions per book, 1,000 lots per position and the ids of the last 10,000
    executions. `snapshot` and `restore` carry all of it over a restart.

    Emits `trading.trade.closures`, `.duration`, `.return` when a position comes back to zero and
    `trading.portfolio.session.return` when a session ends; is observed as `trading.portfolio.*`, `trading.position.*`
    and `trading.account.leverage`.

    Args:
        clock: Unix seconds; a clock that goes backwards never reopens a session.
        cost: How a close finds its entry price: average cost, or first in, first out.
        session: When the session begins; 00:00 UTC by default.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        *,
        cost: Literal["average", "fifo"] = "average",
        session: Session | None = None,
    ) -> None:
        self._clock = clock
        self._cost = cost
        self._kind = _KIND[cost]
        self._session = session or Session()
        self._lock = ExactLock()
        self._positions: dict[AttributeSet, Position] = {}
        self._by_symbol: dict[str | None, dict[AttributeSet, Position]] = {}
        self._books: dict[AttributeSet, Book] = {}
        self._held: dict[AttributeSet, int] = {}  # open positions by book
        self._contracts: dict[tuple[str | None, str | None], Contract] = {}
        self._reporting: str | None = None
        self._rates: dict[str, Decimal] = {}
        self._executions: deque[tuple[AttributeSet, str]] = deque(maxlen=MAX_EXECUTIONS)
        super().__init__()

    def filled(
        self,
        attributes: AttributeSet,
        quantity: float,
        price: float,
        fee: float = 0.0,
        execution_id: str | None = None,
    ) -> None:
        """Take a fill.

        Args:
            attributes: With symbol and currency, of the account that traded.
            quantity: Signed: bought is positive.
            price: Price per unit.
            fee: Charged (positive) or earned (negative), in the same currency.
            execution_id: The venue's id, so that a snapshot can say that this fill is in it.
        """
        with self._lock:
            now, key = self._clock(), attributes.only(_POSITION)
            position = self._positions.get(key)
            if position is None:
                key = self._known(key)
                position = self._positions.get(key)
            worth = self._worth(key, position, price, done=True)
            if worth is None:
                return
            position = position or self._open(key, now)
            if position is None:
                return
            book = self._book(key.only(_BOOK), now)
            if execution_id is not None:
                self._executions.append((key, str(execution_id)))
            before = position.unrealized
            made, trip = position.fill(_exact(quantity), worth, _exact(fee), now)
            if book is not None:
                book.move(made, position.unrealized - before)
                if trip is not None:
                    book.history.closed(trip.pnl)
            if not position.quantity:
                self._end(key)
        if trip is not None:
            _record(trip, key)

    def marked(self, attributes: AttributeSet, price: float) -> None:
        """Value every position in a symbol at a price; the currency may be left out."""
        wanted = attributes.only(_POSITION).values.items()
        with self._lock:
            for key, position in self._by_symbol.get(attributes.get(a.SYMBOL), {}).items():
                if wanted <= key.values.items():
                    worth = self._worth(key, position, price)
                    if worth is None:
                        return
                    before = position.unrealized
                    position.value(worth)
                    self._move(key, ZERO, position.unrealized - before)

    def positioned(self, attributes: AttributeSet, quantity: float, price: float | None = None) -> None:
        """Take a position as the app or the venue states it; zero closes it, and what it loses is realized at the mark.

        Args:
            attributes: With symbol.
            quantity: Signed.
            price: Average entry price, or None when unknown.
        """
        with self._lock:
            key = self._known(attributes.only(_POSITION))
            position = self._positions.get(key)
            worth = None if price is None else self._worth(key, position, price)
            if position is None and quantity:
                position = self._open(key, self._clock())
            if position is None:
                return
            before = position.unrealized
            made = position.state(_exact(quantity), worth)
            self._move(key, made, position.unrealized - before)
            if not quantity:
                self._end(key)

    def booked(self, attributes: AttributeSet, amount: float) -> None:
        """Take realized P&L that is no fill: funding, a fee of its own, a dividend; a cost is negative."""
        exact = _exact(amount)
        with self._lock:
            position = self._positions.get(attributes.only(_POSITION))
            if position is not None:
                position.book(exact)
            self._move(attributes, exact, ZERO)

    def paid_in(self, attributes: AttributeSet, amount: float) -> None:
        """Take a deposit, or a withdrawal when negative: equity is then deposits and P&L, unless the app states it."""
        with self._lock:
            book = self._book(attributes.only(_BOOK), self._clock())
            if book is not None:
                book.pay(_exact(amount))

    def split(self, attributes: AttributeSet, ratio: float) -> None:
        """Turn each unit of every position in a symbol into `ratio` units; a reverse split has a ratio below one."""
        wanted = attributes.only(_POSITION).values.items()
        with self._lock:
            for key, position in self._by_symbol.get(attributes.get(a.SYMBOL), {}).items():
                if wanted <= key.values.items():
                    position.split(_exact(ratio))

    def contract(self, attributes: AttributeSet, contract: Contract) -> None:
        """Take the terms of a symbol; they hold for positions opened from now on."""
        key = attributes.get(a.VENUE), attributes.get(a.SYMBOL)
        with self._lock:
            if key not in self._contracts and len(self._contracts) >= _MAX_POSITIONS:
                lose("series_limit", f"Over {_MAX_POSITIONS} contracts. State those that are traded.")
            else:
                self._contracts[key] = contract

    def terms(self, attributes: AttributeSet) -> Contract:
        """Return the terms of a symbol: those of the venue, else those that no venue was named for."""
        if not self._contracts:
            return LINEAR
        symbol = attributes.get(a.SYMBOL)
        own = self._contracts.get((attributes.get(a.VENUE), symbol))
        return own or self._contracts.get((None, symbol), LINEAR)

    def liquidated_at(self, attributes: AttributeSet, price: float | None) -> None:
        """Take the price at which the venue liquidates a position, None when there is no such price any more."""
        with self._lock:
            position = self._positions.get(self._known(attributes.only(_POSITION)))
            if position is not None:
                position.liquidation = None if price is None else _exact(price)

    def converted(self, currency: str, reporting: str, rate: float) -> None:
        """Take the price of one unit of a currency in the reporting currency; another one forgets all rates."""
        with self._lock:
            if reporting != self._reporting:
                self._reporting, self._rates = reporting, {}
            self._rates[currency] = _exact(rate)

    def reported(self, attributes: AttributeSet, kind: str, total: float | None, session: float | None) -> None:
        """Take P&L that the app reckons itself; ours is then not shown for this book.

        Args:
            attributes: With currency.
            kind: realized, unrealized or combined.
            total: Since inception.
            session: Since the session began.
        """
        with self._lock:
            book = self._book(attributes.only(_BOOK), self._clock())
            if book is None:
                return
            if total is not None:
                book.reported[kind] = _exact(total)
                book.baseline.setdefault(kind, _exact(total))
            if session is not None:
                book.reported_session[kind] = _exact(session)
            book.move(ZERO, ZERO)

    def valued(self, attributes: AttributeSet, equity: float) -> None:
        """Take equity as the app or the venue states it."""
        with self._lock:
            book = self._book(attributes.only(_BOOK), self._clock())
            if book is not None:
                book.value(_exact(equity))

    def snapshot(self) -> dict[str, Any]:
        """Return the whole state at one moment as plain JSON: positions, books, sessions, statistics, terms, rates.

        The sums of money are text in full length. It also names the last 10,000 executions that are in the state.
        About 0.4 kB per position (30 bytes more per lot), 10 kB per book with a month of sessions, 150 bytes per
        execution; updates wait 5 us per position meanwhile (benchmarks/portfolio.py).
        """
        with self._lock:
            content = written(self._state(), self._cost)
        return sealed(content)

    def restore(self, snapshot: object) -> list[tuple[AttributeSet, str]] | None:
        """Become what a snapshot says, and forget everything else; from one that is damaged take nothing at all.

        Args:
            snapshot: What `snapshot` returned, or its JSON as text or bytes.

        Returns:
            The executions that are in it by attributes and id, or None when it was refused and counted.

        Raises:
            ConventionError: In strict mode, for a snapshot that is refused.
        """
        try:
            state = read(snapshot, self._cost, self._kind)
        except DamagedError as error:
            lose(
                "invalid_snapshot", f"The snapshot is not restored: {error}. Pass what snapshot() returned, unchanged."
            )
            return None
        with self._lock:
            self._positions, self._books, self._contracts = state.positions, state.books, state.contracts
            self._reporting, self._rates, self._executions = state.reporting, state.rates, state.executions
            self._by_symbol, self._held = {}, {}
            for key, position in state.positions.items():
                known(key)
                self._put(key, position)
            self._shown.update(_picture.METRICS)  # the picture taken before is of another portfolio
            return list(state.executions)

    def _state(self) -> State:
        return State(self._positions, self._books, self._contracts, self._reporting, self._rates, self._executions)

    def _worth(
        self, key: AttributeSet, position: Position | None, price: float, *, done: bool = False
    ) -> Decimal | None:
        """Return the worth of a unit: a trade done at zero or below is a fact, a mark there mostly a broken feed."""
        exact = _exact(price)
        contract = self.terms(key) if position is None else position.contract
        if (done and not contract.inverse) or contract.takes(exact):
            return contract.worth(exact)
        symbol = key.get(a.SYMBOL)
        lose("invalid_value", f"{symbol} has a price of {price}. Say contract(signed_price=True) where that is legal.")
        return None

    def _move(self, key: AttributeSet, realized: Decimal, unrealized: Decimal) -> None:
        book = self._book(key.only(_BOOK), self._clock()) if key.get(a.CURRENCY) else None
        if book is not None:
            book.move(realized, unrealized)

    def _known(self, key: AttributeSet) -> AttributeSet:
        """Return the key of the open position that is meant: stated without its currency, it is still the same one."""
        if key in self._positions:
            return key
        if not key.get(a.CURRENCY):
            alike = self._by_symbol.get(key.get(a.SYMBOL), {})
            return next((known for known in alike if known.without(a.CURRENCY) == key), key)
        nameless = self._positions.get(key.without(a.CURRENCY))
        if nameless is not None:
            self._end(key.without(a.CURRENCY))
            self._put(key, nameless)
            self._move(key, ZERO, nameless.unrealized)
        return key

    def _open(self, key: AttributeSet, now: float) -> Position | None:
        if key.get(a.SYMBOL) == OTHER:  # several symbols in one position would be a lie in money
            lose("series_limit", "A position's symbol is one too many for its attribute. Trade fewer symbols.")
            return None
        if len(self._positions) >= _MAX_POSITIONS:
            lose("series_limit", f"Over {_MAX_POSITIONS} open positions. Report the ends of old ones.")
            return None
        position = self._kind(now, self.terms(key))
        self._put(key, position)
        return position

    def _put(self, key: AttributeSet, position: Position) -> None:
        self._positions[key] = position
        self._by_symbol.setdefault(key.get(a.SYMBOL), {})[key] = position
        book = key.only(_BOOK)
        self._held[book] = self._held.get(book, 0) + 1

    def _end(self, key: AttributeSet) -> None:
        del self._positions[key]
        alike = self._by_symbol[key.get(a.SYMBOL)]
        del alike[key]
        if not alike:
            del self._by_symbol[key.get(a.SYMBOL)]
        book = key.only(_BOOK)
        self._held[book] -= 1
        if not self._held[book]:
            del self._held[book]
            if book in self._books:  # averages are rounded in their last digit: of nothing it must not remain
                self._books[book].unrealized = ZERO

    def _book(self, key: AttributeSet, now: float) -> Book | None:
        day = self._session.day(now)
        book = self._books.get(key)
        if book is None:
            if len(self._books) >= _MAX_POSITIONS:
                lose("series_limit", f"Over {_MAX_POSITIONS} books. Use fewer accounts, strategies or currencies.")
                return None
            book = self._books[key] = Book(day)
        if day > book.day:
            self._roll(key, book, day)
        return book


def _record(trip: RoundTrip, attributes: AttributeSet) -> None:
    outcome = "win" if trip.pnl > 0 else "loss" if trip.pnl < 0 else "breakeven"
    closed = attributes.plus(a.TRADE_OUTCOME, outcome)
    instruments.of(execution.TRADE_CLOSURES).record(1, closed)
    instruments.of(execution.TRADE_DURATION).record(max(trip.seconds, 0.0), closed)
    cost = float(trip.cost)
    if cost:
        instruments.of(execution.TRADE_RETURN).record(abs(float(trip.pnl)) / cost, closed)


@functools.lru_cache(maxsize=4096)  # prices, sizes and fees stand on grids: most of them come again
def _exact(value: float) -> Decimal:
    return Decimal(repr(value))
