"""What the portfolio looks like at collection time: one picture per collection, so that its figures fit together."""

from __future__ import annotations

import weakref
from collections import deque
from typing import TYPE_CHECKING, Final

from otel_trading import events, instruments
from otel_trading.semconv import Metric
from otel_trading.semconv import attributes as a
from otel_trading.semconv import events as happened
from otel_trading.semconv import portfolio as metrics
from otel_trading.trackers.portfolio import _picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from decimal import Decimal

    from otel_trading._attributes import AttributeSet
    from otel_trading.trackers.portfolio._book import Book
    from otel_trading.trackers.portfolio._lock import ExactLock
    from otel_trading.trackers.portfolio._picture import Row
    from otel_trading.trackers.portfolio._position import Position
    from otel_trading.trackers.portfolio._session import Session

__all__ = ["Observed"]

_MAX_ENDED: Final = 10_000


class _Reading:
    """The source of one metric; it does not keep its tracker alive."""

    def __init__(self, rows: weakref.WeakMethod[Callable[[Metric], list[Row]]], metric: Metric) -> None:
        self._rows = rows
        self._metric = metric

    def read(self) -> Iterator[Row]:
        rows = self._rows()
        yield from rows(self._metric) if rows else ()


class Observed:
    """The reading half of the tracker; the writing half fills what is declared here under `_lock`."""

    _clock: Callable[[], float]
    _lock: ExactLock
    _session: Session
    _positions: dict[AttributeSet, Position]
    _books: dict[AttributeSet, Book]
    _rates: dict[str, Decimal]
    _reporting: str | None

    def __init__(self) -> None:
        #: Sessions that ended, until the next collection records them: never under our lock.
        self._ended: deque[tuple[AttributeSet, float | None]] = deque(maxlen=_MAX_ENDED)
        self._picture: dict[Metric, list[Row]] = {}
        self._shown: set[Metric] = set(_picture.METRICS)
        self._readings = [_Reading(weakref.WeakMethod(self._rows), metric) for metric in _picture.METRICS]
        for metric, reading in zip(_picture.METRICS, self._readings, strict=True):
            instruments.observe(metric, reading.read)
        instruments.of(metrics.SESSION_RETURN)  # now, because a collection may create no instrument

    def _rows(self, metric: Metric) -> list[Row]:
        """Return the series of a metric; asked a second time, a new collection has begun."""
        with self._lock:
            if metric in self._shown:
                self._roll_all()
                self._picture = _picture.taken(
                    self._positions, self._books, self._session.per_year, self._reporting, self._rates
                )
                self._shown.clear()
            self._shown.add(metric)
            rows = self._picture.get(metric, [])
        while self._ended:
            key, change = self._ended.popleft()
            events.emit(happened.SESSION_ROLLED, key)
            if change is not None:
                instruments.of(metrics.SESSION_RETURN).record(abs(change), key.plus(a.DIRECTION, _direction(change)))
        return rows

    def _roll_all(self) -> None:
        day = self._session.day(self._clock())
        for key, book in self._books.items():
            if day > book.day:
                self._roll(key, book, day)

    def _roll(self, key: AttributeSet, book: Book, day: int) -> None:
        self._ended.append((key, book.roll(day)))


def _direction(change: float) -> str:
    return "favorable" if change > 0 else "adverse" if change < 0 else "flat"
