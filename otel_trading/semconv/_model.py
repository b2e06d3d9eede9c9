"""The shapes of the convention: what a metric and an attribute are, checked when they are declared.

Pure data and the standard library only: dashboards, rules and other languages read these records too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from otel_trading.errors import ConventionError
from otel_trading.semconv import prometheus

__all__ = ["Attribute", "Cardinality", "Family", "Kind", "Level", "Metric", "Unit", "Use", "check_name", "completed"]

ROOT: Final = "trading."
MAX_BOUNDARIES: Final = 16
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*(\.[a-z][a-z0-9]*(_[a-z0-9]+)*)+")
_UNITS: Final = re.compile(r"1|s|By|\{[a-z_]+\}(/s)?")
_UNIT_WORDS: Final = {"total", "seconds", "milliseconds", "bytes", "ratio", "percent", "count_total"}
#: Statistics whose proper name ends in ratio: the word stays, and Prometheus adds no second one.
_STATISTIC: Final = re.compile(r"\.(sharpe|sortino|calmar)_ratio$")


class Kind(Enum):
    """Which OpenTelemetry instrument a metric is; events are recorded, state is observed."""

    COUNTER = "counter"
    UP_DOWN_COUNTER = "updowncounter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    OBSERVABLE_UP_DOWN_COUNTER = "observable_updowncounter"
    OBSERVABLE_GAUGE = "observable_gauge"

    @property
    def observable(self) -> bool:
        """Whether state is read at collection time instead of recorded by a call."""
        return self in (Kind.OBSERVABLE_GAUGE, Kind.OBSERVABLE_UP_DOWN_COUNTER)

    @property
    def data(self) -> str:
        """What arrives: `counter`, `updowncounter`, `gauge` or `histogram`."""
        return self.value.removeprefix("observable_")


class Level(Enum):
    """OpenTelemetry's requirement levels of an attribute on a metric."""

    REQUIRED = "required"
    CONDITIONAL = "conditionally_required"
    RECOMMENDED = "recommended"
    OPT_IN = "opt_in"


class Cardinality(Enum):
    """How many values an attribute may take: on a metric, only low and medium may stand."""

    LOW = "low"  # at most 20
    MEDIUM = "medium"  # at most 1,000, then folded
    HIGH = "high"  # spans, events and exemplars only


@dataclass(frozen=True, slots=True)
class Unit:
    """A UCUM unit: `s`, `By`, `1`, an annotation like `{order}`, or `{order}/s`."""

    text: str

    def __post_init__(self) -> None:
        if not _UNITS.fullmatch(self.text):
            message = f"Unit {self.text!r} is not one that we use. Use 's', 'By', '1', '{{thing}}' or '{{thing}}/s'."
            raise ConventionError(message)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """One attribute of the convention.

    Args:
        name: OpenTelemetry name, for instance `trading.order.side`.
        brief: What it says, with the source of its values (FIX tag, ISO standard, library).
        cardinality: How many values it may take.
        values: The closed set of allowed values, or empty when values are free.
        examples: Values as a reader will meet them; needed when the set is open.
        type: `string` or `boolean`.
    """

    name: str
    brief: str
    cardinality: Cardinality = Cardinality.LOW
    values: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    type: str = "string"

    def __post_init__(self) -> None:
        check_name(self.name)
        if not self.values and not self.examples and self.type == "string":
            message = f"Attribute {self.name} has neither values nor examples. Give one of them."
            raise ConventionError(message)

    @property
    def prometheus(self) -> str:
        """The label that it becomes in Prometheus."""
        return prometheus.label_name(self.name)


@dataclass(frozen=True, slots=True)
class Use:
    """An attribute on a metric, with its requirement level."""

    attribute: Attribute
    level: Level


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """One metric of the convention; instrument, view, Prometheus name and docs follow from it.

    Args:
        name: OpenTelemetry name, for instance `trading.execution.fills`.
        kind: Which instrument it is.
        unit: UCUM unit.
        description: One sentence for the instrument and the panel.
        uses: Every attribute that may stand on it, common ones included.
        boundaries: Explicit bucket boundaries in the metric's unit; histograms only.
        note: When to use it and where the definition comes from; for the reference.
        hidden: Why no panel shows it; only plumbing and sdk may have a reason.
        own: Declared by a user at run time: it carries whatever attributes a call brings.
    """

    name: str
    kind: Kind
    unit: Unit
    description: str
    uses: tuple[Use, ...]
    boundaries: tuple[float, ...] = ()
    note: str = ""
    hidden: str = ""
    own: bool = False
    keys: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        check_name(self.name)
        if _UNIT_WORDS & set(re.split(r"[._]", _STATISTIC.sub("", self.name))):
            message = f"Metric {self.name} carries a unit or 'total' in its name. Leave it out: Prometheus adds it."
            raise ConventionError(message)
        self._check_boundaries()
        names = [use.attribute.name for use in self.uses]
        if len(set(names)) != len(names):
            message = f"Metric {self.name} names an attribute twice: {sorted(names)}. Keep one."
            raise ConventionError(message)
        high = [use.attribute.name for use in self.uses if use.attribute.cardinality is Cardinality.HIGH]
        if high:
            message = f"Metric {self.name} carries {high}, which are unbounded. Put them on a span or an event."
            raise ConventionError(message)
        object.__setattr__(self, "keys", frozenset(names))

    def _check_boundaries(self) -> None:
        histogram = self.kind is Kind.HISTOGRAM
        ordered = list(self.boundaries) == sorted(set(self.boundaries))
        if histogram != bool(self.boundaries) or not ordered or len(self.boundaries) > MAX_BOUNDARIES:
            message = (
                f"Metric {self.name} has boundaries {self.boundaries}. A histogram needs 1 to {MAX_BOUNDARIES}, "
                f"strictly rising; no other kind has any."
            )
            raise ConventionError(message)

    def __str__(self) -> str:
        return self.name

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes that may stand on it, in declaration order."""
        return tuple(use.attribute for use in self.uses)

    @property
    def prometheus(self) -> str:
        """Its name in Prometheus; for a histogram the base of `_bucket`, `_sum` and `_count`."""
        return prometheus.metric_name(self.name, self.kind.data, self.unit.text)

    @property
    def series(self) -> tuple[str, ...]:
        """Every series name that Prometheus holds for it."""
        return prometheus.series_names(self.prometheus, self.kind.data)


@dataclass(frozen=True, slots=True)
class Family:
    """The metrics of one module: which name segments it owns and which attributes all of them carry."""

    segments: tuple[str, ...]
    common: tuple[Use, ...]

    def metric(  # noqa: PLR0917  a declaration reads as a row of a table
        self,
        name: str,
        kind: Kind,
        unit: Unit,
        description: str,
        attributes: tuple[Attribute | Use, ...] = (),
        boundaries: tuple[float, ...] = (),
        note: str = "",
        hidden: str = "",
    ) -> Metric:
        """Declare a metric: its own attributes first, then the common ones that it does not name itself.

        A bare attribute is recommended; say `required(...)`, `conditional(...)` or `opt_in(...)` otherwise.
        """
        segment = name.removeprefix(ROOT).split(".", 1)[0]
        if not name.startswith(ROOT) or segment not in self.segments:
            message = f"Metric {name} is not of this family. Its names start with {ROOT} and one of {self.segments}."
            raise ConventionError(message)
        uses = completed(attributes, self.common)
        return Metric(name, kind, unit, description, uses, boundaries, note, hidden)


def completed(attributes: tuple[Attribute | Use, ...], common: tuple[Use, ...]) -> tuple[Use, ...]:
    """Return the own attributes, recommended where no level is said, then the common ones not named among them."""
    own = tuple(use if isinstance(use, Use) else Use(use, Level.RECOMMENDED) for use in attributes)
    taken = {use.attribute.name for use in own}
    return own + tuple(use for use in common if use.attribute.name not in taken)


def check_name(name: str) -> None:
    """Refuse a name that is no convention name.

    Raises:
        ConventionError: With what to use instead.
    """
    if not _NAME.fullmatch(name):
        message = f"{name!r} is not a convention name. Use lower-case words joined by dots, like trading.order.side."
        raise ConventionError(message)
