"""Three tables that most state fits into: a last value, a value that is read, and a state out of a closed set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading import instruments
from otel_trading._guard import lose
from otel_trading._locks import Lock
from otel_trading._numbers import number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_trading._attributes import AttributeSet
    from otel_trading.semconv import Attribute, Metric

__all__ = ["Readings", "States", "Values"]

_MAX_ROWS: Final = 10_000


class Values:
    """The last value per attribute set of one gauge; bounded to 10,000 rows, further ones are counted as lost.

    Args:
        metric: Which.
        before: Called before a collection reads.
    """

    def __init__(self, metric: Metric, before: Callable[[], None] | None = None) -> None:
        self._metric = metric
        self._before = before
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
        if self._before is not None:
            self._before()
        yield from list(self._rows.items())


class Readings:
    """One function per attribute set that says the present value; called at each collection, at most 10,000 of them.

    A function is kept until another one takes its place. One that fails is counted, and its series is left out.
    """

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._rows: dict[AttributeSet, Callable[[], object]] = {}
        instruments.observe(metric, self._observe)

    def watch(self, attributes: AttributeSet, read: Callable[[], object]) -> None:
        """Ask this function from now on."""
        if len(self._rows) >= _MAX_ROWS and attributes not in self._rows:
            lose("series_limit", f"{self._metric} has {_MAX_ROWS} rows. Use fewer names.")
            return
        self._rows[attributes] = read

    def _observe(self) -> Iterator[tuple[AttributeSet, float]]:
        for attributes, read in list(self._rows.items()):
            try:
                value = number(read(), str(self._metric), minimum=0)
            except Exception as error:  # noqa: BLE001  the user's function may raise anything
                message = f"Reading {self._metric} failed: {type(error).__name__}: {error}"
                instruments.lose_quietly("internal_error", message)
                continue
            if value is not None:
                yield attributes, value


class States:
    """The current state per attribute set: 1 for it and 0 for every other state of the closed set."""

    def __init__(self, metric: Metric, attribute: Attribute) -> None:
        self._metric = metric
        self._attribute = attribute
        self._lock = Lock()
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
