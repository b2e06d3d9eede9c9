"""The shapes of spans and events: what each is called, how it reads and which attributes it may carry.

Order ids and their like are unbounded: they stand here and never on a metric.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from otel_trading.errors import ConventionError
from otel_trading.semconv._model import ROOT, Attribute, Level, Use, check_name

__all__ = ["Event", "Severity", "Span", "SpanKind"]


class SpanKind(Enum):
    """OpenTelemetry's kinds of spans, those that the convention has."""

    INTERNAL = "internal"
    CLIENT = "client"
    CONSUMER = "consumer"


class Severity(Enum):
    """How loud an event is, unless the call says otherwise; OpenTelemetry's severity texts."""

    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True, eq=False)
class _Signal:
    name: str
    brief: str
    uses: tuple[Use, ...]
    note: str = ""
    pending: str = ""
    keys: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        check_name(self.name)
        names = [use.attribute.name for use in self.uses]
        if len(set(names)) != len(names):
            message = f"{self.name} names an attribute twice: {sorted(names)}. Keep one."
            raise ConventionError(message)
        if not self.name.startswith(ROOT):
            message = f"{self.name} is not ours. Names of spans and events start with {ROOT}"
            raise ConventionError(message)
        object.__setattr__(self, "keys", frozenset(names))

    def __str__(self) -> str:
        return self.name

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes that may stand on it, in declaration order."""
        return tuple(use.attribute for use in self.uses)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the attributes that always stand on it."""
        return tuple(use.attribute.name for use in self.uses if use.level is Level.REQUIRED)


@dataclass(frozen=True, slots=True, eq=False)
class Span(_Signal):
    """One span of the convention.

    Args:
        name: Start of the span's name, for instance `trading.order`.
        brief: From where to where it lasts, one sentence.
        uses: Every attribute that may stand on it.
        note: What it is good for; for the reference.
        pending: Why nothing emits it yet; empty when a day of trading does.
        kind: OpenTelemetry's kind.
        detail: The attribute whose value follows the name after a space; it has few values.
    """

    kind: SpanKind = SpanKind.INTERNAL
    detail: Attribute | None = None

    @property
    def title(self) -> str:
        """The name of the span as a pattern, for instance `trading.order {operation}`."""
        return self.name if self.detail is None else f"{self.name} {{{self.detail.name.rsplit('.', 1)[-1]}}}"


@dataclass(frozen=True, slots=True, eq=False)
class Event(_Signal):
    """One event of the convention: a log record with a name.

    Args:
        name: Name of the event, for instance `trading.order.rejected`.
        brief: What happened, one sentence.
        uses: Every attribute that may stand on it.
        note: What it is good for; for the reference.
        pending: Why nothing emits it yet; empty when a day of trading does.
        severity: How loud it is.
    """

    severity: Severity = Severity.INFO
