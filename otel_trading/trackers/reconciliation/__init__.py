"""Reconciliation: what our books and the venue's do not agree on, since when, and by how much."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from otel_trading import instruments
from otel_trading._attributes import OTHER
from otel_trading._guard import lose
from otel_trading.errors import ConventionError
from otel_trading.semconv import attributes as a
from otel_trading.semconv import risk as metrics
from otel_trading.trackers.reconciliation._comparer import Break, Comparer, Comparing, Record, View, discrepancies, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_trading._attributes import AttributeSet

__all__ = ["Break", "Comparer", "Comparing", "ReconciliationTracker", "Record", "View"]

_Key: TypeAlias = tuple[str, a.BreakType]  # id and type of a break
#: About 300 bytes each.
_MAX_BREAKS: Final = 10_000
_MAX_PAIRS: Final = 1_000
_COMPARE: Final = Comparer()


@dataclass(slots=True)
class _Pair:
    """Our book and the venue's of one kind of thing, as the last run found them."""

    breaks: dict[_Key, tuple[Break, float]]  # with the time since when
    discrepancies: dict[AttributeSet, float]


class ReconciliationTracker:
    """The unresolved breaks and their age, of up to 1,000 pairs of books and 10,000 breaks in all.

    Emits `trading.reconciliation.breaks`; is observed as `trading.reconciliation.break.active`, `.break.age` and
    `.discrepancy`.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pairs: dict[AttributeSet, _Pair] = {}
        self._lock = threading.Lock()
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
        found: dict[_Key, Break] = {}
        for item in map(_checked, (comparer or _COMPARE)(kind, ours, theirs)):
            found[item.id, item.type] = item
        gaps = {by_symbol(symbol): gap for symbol, gap in discrepancies(ours, theirs).items()}
        fresh, excess = self._enter(attributes, found, gaps)
        for type_, count in Counter(type_ for _, type_ in fresh).items():
            instruments.of(metrics.BREAKS).record(count, attributes.plus(a.BREAK_TYPE, type_))
        if excess:
            lose("series_limit", excess)

    def unresolved(self, kind: a.ReconciliationObject) -> list[tuple[Break, float]]:
        """Return the breaks of the last run with their age in seconds, the oldest first.

        Args:
            kind: order, fill, position or balance.
        """
        now = self._clock()
        pairs = [pair for name, pair in self._read() if name.get(a.RECONCILIATION_OBJECT) == kind]
        rows = sorted((row for pair in pairs for row in pair.breaks.values()), key=lambda row: row[1])
        return [(item, now - since) for item, since in rows]

    def _enter(
        self, attributes: AttributeSet, found: dict[_Key, Break], gaps: dict[AttributeSet, float]
    ) -> tuple[list[_Key], str]:
        """Take a run's result; returns what is new, and what was too much."""
        with self._lock:
            known = self._pairs.get(attributes)
            if known is None and len(self._pairs) >= _MAX_PAIRS:
                return [], f"Over {_MAX_PAIRS} pairs of books are compared. Use fewer names."
            before = {} if known is None else known.breaks
            room = _MAX_BREAKS - sum(len(pair.breaks) for pair in self._pairs.values()) + len(before)
            kept = sorted(found, key=lambda key: key not in before)[:room]  # those that were counted keep their place
            now = self._clock()
            breaks = {key: (found[key], before[key][1] if key in before else now) for key in kept}
            self._pairs[attributes] = _Pair(breaks, gaps)
        excess = f"Over {_MAX_BREAKS} breaks are unresolved; {len(found) - len(kept)} more are not kept. Resolve some."
        return [key for key in kept if key not in before], excess if len(found) > len(kept) else ""

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
            yield attributes, max((now - since for _, since in pair.breaks.values()), default=0.0)

    def _observe_discrepancy(self) -> Iterator[tuple[AttributeSet, float]]:
        gaps = [gap for _, pair in self._read() for gap in pair.discrepancies.items()]
        for attributes, gap in sorted(gaps, key=lambda gap: -abs(gap[1])):
            if attributes.get(a.SYMBOL) != OTHER:  # several symbols in one figure would be none
                yield attributes, gap


def _checked(item: object) -> Break:
    if not isinstance(item, Break) or item.type not in a.BREAK_TYPE.values:
        message = f"The comparer returned {item!r:.100}. Return Break(type=..., id=...) of {a.BREAK_TYPE.values}."
        raise ConventionError(message)
    return item
