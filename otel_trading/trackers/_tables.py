"""Two tables that most state fits into: the last value of something, and its state out of a closed set."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from otel_trading import instruments
from otel_trading._guard import lose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading._attributes import AttributeSet
    from otel_trading.semconv import Attribute, Metric

__all__ = ["States", "Values"]

_MAX_ROWS: Final = 10_000


class Values:
    """The last value per attribute set of one gauge; bounded to 10,000 rows, further ones are counted as lost."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._rows: dict[AttributeSet, float] = {}
        instruments.observe(metric, self._observe)

    def set(self, attributes: AttributeSet, value: float) -> None:
        """Remember a value until the next one."""
        if len(self._rows) >= _MAX_ROWS and attributes not in self._rows:
            lose("series_limit", f"{self._metric} has {_MAX_ROWS} rows. End the ones that are over.")
            return
        self._rows[attributes] = value

    def get(self, attributes: AttributeSet) -> float | None:
        """Return the last value, or None."""
        return self._rows.get(attributes)

    def end(self, attributes: AttributeSet) -> None:
        """Forget a value, so that its series ends with the next export."""
        self._rows.pop(attributes, None)

    def _observe(self) -> Iterator[tuple[AttributeSet, float]]:
        yield from list(self._rows.items())


class States:
    """The current state per attribute set: 1 for it and 0 for every other state of the closed set."""

    def __init__(self, metric: Metric, attribute: Attribute) -> None:
        self._metric = metric
        self._attribute = attribute
        self._lock = threading.Lock()
        self._rows: dict[AttributeSet, str] = {}
        instruments.observe(metric, self._observe)

    def set(self, attributes: AttributeSet, state: str) -> str | None:
        """Enter a state; returns the one before, or None for the first."""
        with self._lock:
            before = self._rows.get(attributes)
            full = before is None and len(self._rows) >= _MAX_ROWS
            if not full:
                self._rows[attributes] = state
        if full:
            lose("series_limit", f"{self._metric} has {_MAX_ROWS} rows. Use fewer names.")
        return before

    def get(self, attributes: AttributeSet) -> str | None:
        """Return the current state, or None."""
        return self._rows.get(attributes)

    def rows(self) -> list[AttributeSet]:
        """Return what has a state."""
        return list(self._rows)

    def end(self, attributes: AttributeSet) -> None:
        """Forget a row, so that its series end with the next export."""
        with self._lock:
            self._rows.pop(attributes, None)

    def _observe(self) -> Iterator[tuple[AttributeSet, float]]:
        for attributes, current in list(self._rows.items()):
            for state in self._attribute.values:
                yield attributes.plus(self._attribute, state), float(state == current)
