"""Reconciliation: what our books and the venue's do not agree on, since when, and by how much."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from otel_trading import events, instruments
from otel_trading._attributes import OTHER
from otel_trading._guard import lose
from otel_trading._locks import Lock
from otel_trading.errors import ConventionError
from otel_trading.semconv import attributes as a
from otel_trading.semconv import events as happened
from otel_trading.semconv import risk as metrics
from otel_trading.trackers.reconciliation._comparer import Break, Comparer, Comparing, Record, View, discrepancies, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_trading._attributes import AttributeSet
    from otel_trading.semconv import Event

__all__ = ["Break", "Comparer", "Comparing", "ReconciliationTracker", "Record", "View"]

_Key: TypeAlias = tuple[str, a.BreakType]  # id and type of a break
#: About 320 bytes each, beside the id.
_MAX_BREAKS: Final = 10_000
_MAX_PAIRS: Final = 1_000
_COMPARE: Final = Comparer()


@dataclass(slots=True)
class _Row:
    """An unresolved break."""

    item: Break
    since: float
    attributes: AttributeSet


@dataclass(slots=True)
class _Pair:
    """Our book and the venue's of one kind of thing, as the last run found them."""

    breaks: dict[_Key, _Row]
    discrepancies: dict[AttributeSet, float]


class ReconciliationTracker:
    """The unresolved breaks and their age, of up to 1,000 pairs of books and 10,000 breaks in all.

    Emits `trading.reconciliation.breaks` and tells what is found and resolved; is observed as
    `trading.reconciliation.break.active`, `.break.age` and `.discrepancy`.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pairs: dict[AttributeSet, _Pair] = {}
        self._lock = Lock()
        instruments.observe(metrics.BREAK_ACTIVE, self._observe_active)
        instruments.observe(metrics.BREAK_AGE, self._observe_age)
        instruments.observe(metrics.DISCREPANCY, self._observe_discrepancy)

    def compare(
        self,
        attributes: AttributeSet,
        local: View | None,
        at_venue: View | None,
        comparer: Comparing | None,
        by_symbol: Callable[[str], AttributeSet],
    ) -> None:
        """Compare once: a new break is counted, a known one grows older, one that is gone is resolved.

        Args:
            attributes: The pair: object, venue, account, strategy.
            local: What we have.
            at_venue: What the venue has.
            comparer: Who compares, or None for `Comparer()`.
            by_symbol: Attributes of the pair with a symbol.

        Raises:
            Exception: Whatever a view or the comparer raised; the breaks then stay as they were.
        """
        kind = cast("a.ReconciliationObject", attributes.values[a.RECONCILIATION_OBJECT.name])
        ours, theirs = read(kind, local), read(kind, at_venue)
        names: dict[str | None, AttributeSet] = {None: attributes}
        items = [_checked(item) for item in (comparer or _COMPARE)(kind, ours, theirs)]
        gaps = discrepancies(ours, theirs, items)
        names |= {symbol: by_symbol(symbol) for symbol in {*gaps, *(item.symbol for item in items if item.symbol)}}
        now = self._clock()
        found: dict[_Key, _Row] = {(item.id, item.type): _Row(item, now, names[item.symbol or None]) for item in items}
        fresh, gone, excess = self._enter(attributes, found, {names[symbol]: gap for symbol, gap in gaps.items()})
        for type_, count in Counter(row.item.type for row in fresh).items():
            instruments.of(metrics.BREAKS).record(count, attributes.plus(a.BREAK_TYPE, type_))
        _tell(happened.BREAK_FOUND, kind, fresh)
        _tell(happened.BREAK_RESOLVED, kind, gone)
        if excess:
            lose("series_limit", excess)

    def unresolved(self, kind: a.ReconciliationObject) -> list[tuple[Break, float]]:
        """Return the breaks of the last run with their age in seconds, the oldest first.

        Args:
            kind: order, fill, position or balance.
        """
        now = self._clock()
        pairs = [pair for name, pair in self._read() if name.get(a.RECONCILIATION_OBJECT) == kind]
        rows = sorted((row for pair in pairs for row in pair.breaks.values()), key=lambda row: row.since)
        return [(row.item, now - row.since) for row in rows]

    def _enter(
        self, attributes: AttributeSet, found: dict[_Key, _Row], gaps: dict[AttributeSet, float]
    ) -> tuple[list[_Row], list[_Row], str]:
        """Take a run's result; returns what is new, what is gone, and what was too much."""
        with self._lock:
            known = self._pairs.get(attributes)
            if known is None and len(self._pairs) >= _MAX_PAIRS:
                return [], [], f"Over {_MAX_PAIRS} pairs of books are compared. Use fewer names."
            before = {} if known is None else known.breaks
            room = _MAX_BREAKS - sum(len(pair.breaks) for pair in self._pairs.values()) + len(before)
            kept = sorted(found, key=lambda key: key not in before)[:room]  # those that were counted keep their place
            for key in found.keys() & before.keys():
                found[key].since = before[key].since
            self._pairs[attributes] = _Pair({key: found[key] for key in kept}, gaps)
        fresh = [found[key] for key in kept if key not in before]
        gone = [row for key, row in before.items() if key not in found]
        over = len(found) - len(kept)
        return fresh, gone, f"Over {_MAX_BREAKS} breaks are open; {over} are not kept. Resolve some." if over else ""

    def _read(self) -> list[tuple[AttributeSet, _Pair]]:
        with self._lock:
            return list(self._pairs.items())

    def _observe_active(self) -> Iterator[tuple[AttributeSet, float]]:
        for attributes, pair in self._read():
            counts: Counter[str] = Counter(type_ for _, type_ in pair.breaks)
            for type_ in a.BREAK_TYPE.values:
                yield attributes.plus(a.BREAK_TYPE, type_), float(counts[type_])

    def _observe_age(self) -> Iterator[tuple[AttributeSet, float]]:
        now = self._clock()
        for attributes, pair in self._read():
            yield attributes, max((now - row.since for row in pair.breaks.values()), default=0.0)

    def _observe_discrepancy(self) -> Iterator[tuple[AttributeSet, float]]:
        gaps = [gap for _, pair in self._read() for gap in pair.discrepancies.items()]
        for attributes, gap in sorted(gaps, key=lambda gap: -abs(gap[1])):
            if attributes.get(a.SYMBOL) != OTHER:  # several symbols in one figure would be none
                yield attributes, gap


def _tell(event: Event, kind: a.ReconciliationObject, rows: list[_Row]) -> None:
    for row in rows:
        events.emit(
            event,
            row.attributes.plus(a.BREAK_TYPE, row.item.type),
            client_id=row.item.id if kind == "order" else None,
            execution_id=row.item.id if kind == "fill" else None,
        )


def _checked(item: object) -> Break:
    if not isinstance(item, Break) or item.type not in a.BREAK_TYPE.values:
        message = f"The comparer returned {item!r:.100}. Return Break(type=..., id=...) of {a.BREAK_TYPE.values}."
        raise ConventionError(message)
    return item
