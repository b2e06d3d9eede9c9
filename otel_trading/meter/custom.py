"""Your own instruments, with the same guard, the same conversion of numbers and the same cap of series."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from otel_trading import instruments
from otel_trading._attributes import custom
from otel_trading._guard import guarded
from otel_trading._numbers import number
from otel_trading.errors import ConventionError
from otel_trading.semconv import Kind, Metric, Unit
from otel_trading.semconv import attributes as a
from otel_trading.semconv._boundaries import ITERATION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_trading._numbers import Number

__all__ = ["Counter", "Gauge", "Histogram", "UpDownCounter", "counter", "gauge", "histogram", "up_down_counter"]

_OWN: Final = "trading."


class _Custom:
    """An instrument that the user declared; attributes are whatever keywords each call brings."""

    _minimum: float | None = None

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def _record(self, value: Number, attributes: dict[str, object]) -> None:
        measured = number(value, self._metric.name, minimum=self._minimum)
        if measured is not None:
            instruments.of(self._metric).record(measured, custom(attributes))


class Counter(_Custom):
    """Counts what only grows."""

    _minimum = 0.0

    @guarded
    def add(self, value: Number = 1, /, **attributes: object) -> None:
        """Add a value of at least zero; every keyword is an attribute of few values."""
        self._record(value, attributes)


class UpDownCounter(_Custom):
    """Counts what grows and shrinks."""

    @guarded
    def add(self, value: Number, /, **attributes: object) -> None:
        """Add a signed value; every keyword is an attribute of few values."""
        self._record(value, attributes)


class Gauge(_Custom):
    """Holds the last value."""

    @guarded
    def set(self, value: Number, /, **attributes: object) -> None:
        """Set the value; every keyword is an attribute of few values."""
        self._record(value, attributes)


class Histogram(_Custom):
    """Holds the distribution of values."""

    @guarded
    def record(self, value: Number, /, **attributes: object) -> None:
        """Record a value; every keyword is an attribute of few values."""
        self._record(value, attributes)


def counter(name: str, *, unit: str = "1", description: str = "") -> Counter:
    """Return a counter of your own.

    Args:
        name: Dotted lower-case name that does not begin with `trading.`.
        unit: UCUM unit.
        description: One sentence.

    Raises:
        ConventionError: For a name or a unit that cannot be used: this is configuration, not recording.
    """
    return Counter(_declare(name, Kind.COUNTER, unit, description))


def up_down_counter(name: str, *, unit: str = "1", description: str = "") -> UpDownCounter:
    """Return an up-down counter of your own.

    Args:
        name: Dotted lower-case name that does not begin with `trading.`.
        unit: UCUM unit.
        description: One sentence.

    Raises:
        ConventionError: For a name or a unit that cannot be used.
    """
    return UpDownCounter(_declare(name, Kind.UP_DOWN_COUNTER, unit, description))


def gauge(name: str, *, unit: str = "1", description: str = "") -> Gauge:
    """Return a gauge of your own.

    Args:
        name: Dotted lower-case name that does not begin with `trading.`.
        unit: UCUM unit.
        description: One sentence.

    Raises:
        ConventionError: For a name or a unit that cannot be used.
    """
    return Gauge(_declare(name, Kind.GAUGE, unit, description))


def histogram(
    name: str, *, unit: str = "s", description: str = "", boundaries: Sequence[float] = ITERATION
) -> Histogram:
    """Return a histogram of your own.

    Args:
        name: Dotted lower-case name that does not begin with `trading.`.
        unit: UCUM unit.
        description: One sentence.
        boundaries: At most sixteen rising bucket boundaries, in the unit.

    Raises:
        ConventionError: For a name, a unit or boundaries that cannot be used.
    """
    return Histogram(_declare(name, Kind.HISTOGRAM, unit, description, tuple(boundaries)))


@functools.cache
def _declare(name: str, kind: Kind, unit: str, description: str, boundaries: tuple[float, ...] = ()) -> Metric:
    if name.startswith(_OWN):
        message = f"{name!r} begins with {_OWN!r}, which belongs to the convention. Use a prefix of your own."
        raise ConventionError(message)
    return Metric(name, kind, Unit(unit), description, a.COMMON, boundaries, own=True)
