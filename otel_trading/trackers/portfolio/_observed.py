"""What the portfolio looks like at collection time: positions, money, drawdown and exposure as observations."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from otel_trading import instruments
from otel_trading.semconv import attributes as a
from otel_trading.semconv import portfolio as metrics
from otel_trading.trackers.portfolio._position import ZERO

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from decimal import Decimal
    from typing import TypeAlias

    from otel_trading._attributes import AttributeSet
    from otel_trading.trackers.portfolio._book import Book
    from otel_trading.trackers.portfolio._position import Position

    Rows: TypeAlias = "Iterator[tuple[AttributeSet, float]]"

__all__ = ["Observed"]

_BOOK: Final = metrics.VALUE.keys - {a.SYMBOL.name}
_ACCOUNT: Final = metrics.DRAWDOWN.keys - {a.SYMBOL.name}
_DAY: Final = 86_400


class Observed:
    """The reading half of the tracker; the writing half fills `_positions` and `_books` under `_lock`."""

    _clock: Callable[[], float]
    _lock: threading.RLock
    _positions: dict[AttributeSet, Position]
    _books: dict[AttributeSet, Book]

    def __init__(self) -> None:
        instruments.observe(metrics.VALUE, self._observe_value)
        instruments.observe(metrics.PNL, self._observe_pnl)
        instruments.observe(metrics.SESSION_PNL, self._observe_session)
        instruments.observe(metrics.DRAWDOWN, self._observe_drawdown)
        instruments.observe(metrics.MAX_DRAWDOWN, self._observe_max_drawdown)
        instruments.observe(metrics.EXPOSURE, self._observe_exposure)
        instruments.observe(metrics.POSITION_COUNT, self._observe_count)
        instruments.observe(metrics.POSITION_QUANTITY, self._observe_quantity)
        instruments.observe(metrics.POSITION_PNL, self._observe_position_pnl)

    def _largest_first(self) -> list[tuple[AttributeSet, Position]]:
        """Largest first, because a cap on series drops the tail."""
        with self._lock:
            return sorted(self._positions.items(), key=lambda row: -abs(row[1].exposure))

    def _priced(self) -> list[tuple[AttributeSet, Position]]:
        """Positions whose currency is known: money without one says nothing."""
        return [row for row in self._largest_first() if row[0].get(a.CURRENCY)]

    def _open_books(self) -> list[tuple[AttributeSet, Book, Decimal]]:
        day = int(self._clock() // _DAY)
        with self._lock:
            unrealized: dict[AttributeSet, Decimal] = defaultdict(lambda: ZERO)
            for key, position in self._positions.items():
                unrealized[key.only(_BOOK)] += position.unrealized
            for key, book in self._books.items():
                book.roll(day, unrealized[key])
            return [(key, book, unrealized[key]) for key, book in self._books.items()]

    def _observe_value(self) -> Rows:
        for key, book, _ in self._open_books():
            if book.equity is not None:
                yield key, float(book.equity)

    def _observe_pnl(self) -> Rows:
        for key, book, unrealized in self._open_books():
            for kind, value in book.figures(unrealized).items():
                yield key.plus(a.PNL_TYPE, kind), float(value)

    def _observe_session(self) -> Rows:
        for key, book, unrealized in self._open_books():
            for kind, value in book.session(unrealized).items():
                yield key.plus(a.PNL_TYPE, kind), float(value)

    def _observe_drawdown(self) -> Rows:
        yield from self._deepest(lambda book: book.drawdown)

    def _observe_max_drawdown(self) -> Rows:
        yield from self._deepest(lambda book: book.max_drawdown)

    def _deepest(self, figure: Callable[[Book], Decimal]) -> Rows:
        """Over the currencies of an account the worst one speaks: a ratio has no currency to keep them apart."""
        deepest: dict[AttributeSet, float] = {}
        for key, book, _ in self._open_books():
            if book.equity is not None:
                account = key.only(_ACCOUNT)
                deepest[account] = max(deepest.get(account, 0.0), float(figure(book)))
        yield from deepest.items()

    def _observe_exposure(self) -> Rows:
        sums: dict[AttributeSet, float] = {}
        for key, _, _ in self._open_books():  # an account without a position has an exposure of zero, not none
            for kind in a.EXPOSURE_TYPE.values:
                sums[key.plus(a.EXPOSURE_TYPE, kind)] = 0.0
        for key, position in self._priced():
            book, value = key.only(_BOOK), float(position.exposure)
            parts = {"gross": abs(value), "net": value, "long": max(value, 0.0), "short": max(-value, 0.0)}
            for kind, part in parts.items():
                row = book.plus(a.EXPOSURE_TYPE, kind)
                sums[row] = sums.get(row, 0.0) + part
        yield from sums.items()

    def _observe_count(self) -> Rows:
        for key, _, _ in self._open_books():
            for side in ("long", "short"):
                yield key.plus(a.POSITION_SIDE, side), 0.0
        for key, position in self._largest_first():
            side = "long" if position.quantity > 0 else "short"
            yield key.only(_BOOK).plus(a.POSITION_SIDE, side), 1.0

    def _observe_quantity(self) -> Rows:
        for key, position in self._largest_first():
            yield key, float(position.quantity)

    def _observe_position_pnl(self) -> Rows:
        for key, position in self._priced():
            yield key.plus(a.PNL_TYPE, "realized"), float(position.realized)
            yield key.plus(a.PNL_TYPE, "unrealized"), float(position.unrealized)
