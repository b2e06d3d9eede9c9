"""Positions at average cost and what they made, per account, strategy, venue and currency; never across currencies."""

from __future__ import annotations

import threading
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from otel_trading import instruments
from otel_trading._attributes import OTHER
from otel_trading._guard import lose
from otel_trading.semconv import attributes as a
from otel_trading.semconv import execution
from otel_trading.semconv import portfolio as metrics
from otel_trading.trackers.portfolio._book import Book
from otel_trading.trackers.portfolio._observed import Observed
from otel_trading.trackers.portfolio._position import ZERO, Position, RoundTrip

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading._attributes import AttributeSet

__all__ = ["PortfolioTracker"]

_POSITION: Final = metrics.VALUE.keys
_BOOK: Final = _POSITION - {a.SYMBOL.name}
_MAX_POSITIONS: Final = 10_000
_DAY: Final = 86_400


class PortfolioTracker(Observed):
    """Takes fills, marks and what the app knows itself; owns positions, P&L, equity and drawdown.

    Realized P&L is net of the fees given with the fills. The session begins at 00:00 UTC. A closed position ends.
    Bounded to 10,000 open positions; a further one is refused and counted.

    Emits `trading.trade.closures`, `.duration`, `.return` when a position comes back to zero; is observed as
    `trading.portfolio.*` and `trading.position.*`.

    Args:
        clock: Unix seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._positions: dict[AttributeSet, Position] = {}
        self._books: dict[AttributeSet, Book] = {}
        super().__init__()

    def filled(self, attributes: AttributeSet, quantity: float, price: float, fee: float = 0.0) -> None:
        """Take a fill.

        Args:
            attributes: With symbol and currency, of the account that traded.
            quantity: Signed: bought is positive.
            price: Price per unit.
            fee: Charged (positive) or earned (negative), in the same currency.
        """
        with self._lock:
            key = self._known(attributes.only(_POSITION))
            position = self._position(key)
            if position is None:
                return
            book = self._book(key.only(_BOOK))
            made, trip = position.fill(_exact(quantity), _exact(price), _exact(fee), self._clock())
            book.realized += made
            if not position.quantity:
                del self._positions[key]
        if trip is not None:
            _record(trip, key)

    def marked(self, attributes: AttributeSet, price: float) -> None:
        """Value every position in a symbol at a price; the currency may be left out."""
        exact, wanted = _exact(price), attributes.only(_POSITION).values.items()
        symbol = attributes.get(a.SYMBOL)
        with self._lock:
            for key, position in self._positions.items():
                if key.get(a.SYMBOL) == symbol and wanted <= key.values.items():  # symbol first: cheap per tick
                    position.value(exact)

    def positioned(self, attributes: AttributeSet, quantity: float, price: float | None = None) -> None:
        """Take a position as the app or the venue states it; zero closes it, and what it loses is realized at the mark.

        Args:
            attributes: With symbol.
            quantity: Signed.
            price: Average entry price, or None when unknown.
        """
        with self._lock:
            key = self._known(attributes.only(_POSITION))
            position = self._position(key) if quantity else self._positions.get(key)
            if position is None:
                return
            book = self._book(key.only(_BOOK)) if key.get(a.CURRENCY) else None
            made = position.state(_exact(quantity), None if price is None else _exact(price))
            if book is not None:
                book.realized += made
            if not quantity:
                del self._positions[key]

    def reported(self, attributes: AttributeSet, kind: str, total: float | None, session: float | None) -> None:
        """Take P&L that the app reckons itself; ours is then not shown for this book.

        Args:
            attributes: With currency.
            kind: realized, unrealized or combined.
            total: Since inception.
            session: Since the session began.
        """
        with self._lock:
            book = self._book(attributes.only(_BOOK))
            if total is not None:
                book.reported[kind] = _exact(total)
                book.baseline.setdefault(kind, _exact(total))
            if session is not None:
                book.reported_session[kind] = _exact(session)

    def valued(self, attributes: AttributeSet, equity: float) -> None:
        """Take equity as the app or the venue states it."""
        with self._lock:
            self._book(attributes.only(_BOOK)).value(_exact(equity))

    def _known(self, key: AttributeSet) -> AttributeSet:
        """Return the key of the open position that is meant: stated without its currency, it is still the same one."""
        if key in self._positions:
            return key
        if not key.get(a.CURRENCY):
            return next((known for known in self._positions if known.without(a.CURRENCY) == key), key)
        nameless = self._positions.pop(key.without(a.CURRENCY), None)
        if nameless is not None:
            self._positions[key] = nameless
        return key

    def _position(self, key: AttributeSet) -> Position | None:
        if key not in self._positions:
            if key.get(a.SYMBOL) == OTHER:  # several symbols in one position would be a lie in money
                lose("series_limit", "A position's symbol is one too many for its attribute. Trade fewer symbols.")
                return None
            if len(self._positions) >= _MAX_POSITIONS:
                lose("series_limit", f"Over {_MAX_POSITIONS} open positions. Report the ends of old ones.")
                return None
            self._positions[key] = Position(self._clock())
        return self._positions[key]

    def _book(self, key: AttributeSet) -> Book:
        day = int(self._clock() // _DAY)
        book = self._books.setdefault(key, Book(day))
        if book.day != day:
            book.roll(day, self._unrealized(key))
        return book

    def _unrealized(self, book: AttributeSet) -> Decimal:
        return sum((p.unrealized for key, p in self._positions.items() if key.only(_BOOK) == book), ZERO)


def _record(trip: RoundTrip, attributes: AttributeSet) -> None:
    outcome = "win" if trip.pnl > 0 else "loss" if trip.pnl < 0 else "breakeven"
    closed = attributes.plus(a.TRADE_OUTCOME, outcome)
    instruments.of(execution.TRADE_CLOSURES).record(1, closed)
    instruments.of(execution.TRADE_DURATION).record(max(trip.seconds, 0.0), closed)
    if trip.cost:
        instruments.of(execution.TRADE_RETURN).record(float(abs(trip.pnl) / trip.cost), closed)


def _exact(value: float) -> Decimal:
    return Decimal(repr(value))
