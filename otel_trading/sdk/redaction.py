"""No secret leaves in a span, a log record, a metric or a resource: what `otel_trading._secrets` knows becomes `***`.

Query strings are left out whole: exchanges sign in them, and clients repeat the URL in exceptions and logs. So is a
value that stands in the text of a database statement: keys and accounts are kept in tables too.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.sdk._logs import LogRecordProcessor
from opentelemetry.sdk.metrics.export import NumberDataPoint, Sum
from opentelemetry.sdk.trace import Event, SpanProcessor
from opentelemetry.trace import Link, Status

from otel_trading import _guard
from otel_trading._secrets import (
    LONGEST_HELD,
    MASK,
    is_named,
    is_secret_label,
    look,
    look_again,
    remembering,
    without_secrets,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk._logs import ReadWriteLogRecord
    from opentelemetry.sdk.metrics.export import DataPointT, Metric, MetricsData
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["LogRedaction", "SpanRedaction", "clean", "clean_labels", "clean_metrics"]

#: What HTTP instrumentations record of a request, in the stable and in the old names.
_WHOLE: Final = frozenset({"url.full", "http.url", "http.target"})
_QUERY: Final = "url.query"
#: Of an endless text the rest is left out: reading it would hold the bot up, and each copy of it the Collector's disk.
_LONGEST: Final = 16_384
#: What database instrumentations record of a statement, in the stable and in the old name.
_STATEMENTS: Final = frozenset({"db.query.text", "db.statement"})
#: Strings, dollar-quoted ones included, and numbers. Of an unfinished string everything that follows.
_LITERALS: Final = re.compile(r"'(?:[^']|'')*(?:'|$)|\$(\w*)\$.*?(?:\$\1\$|$)|\b\d[\w.]*", re.DOTALL)


class SpanRedaction(SpanProcessor):
    """Takes secrets out of spans as they end, before any exporter sees them."""

    def on_end(self, span: ReadableSpan) -> None:
        """Replace what the one object holds that every exporter gets; it has no setter."""
        span._name = without_secrets(span.name)  # noqa: SLF001  no setter
        if span.attributes:
            span._attributes = clean(span.attributes)  # noqa: SLF001  no setter
        if span.events:
            span._events = [  # noqa: SLF001  no setter
                Event(without_secrets(event.name), clean(event.attributes or {}), event.timestamp)
                for event in span.events
            ]
        if any(link.attributes for link in span.links):
            span._links = [Link(link.context, clean(link.attributes or {})) for link in span.links]  # noqa: SLF001
        if span.status.description:
            span._status = Status(span.status.status_code, without_secrets(span.status.description))  # noqa: SLF001


class LogRedaction(LogRecordProcessor):
    """Takes secrets out of log records: httpx writes every URL at INFO, and exceptions are logged with theirs."""

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Replace text and attributes before any exporter sees them."""
        record = log_record.log_record
        record.body = _value("", record.body)
        if record.attributes:
            record.attributes = clean(record.attributes)

    def shutdown(self) -> None:
        """Hold nothing to end."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Hold nothing to send."""
        del timeout_millis
        return True


def clean_metrics(data: MetricsData) -> MetricsData:
    """Take secrets out of the attributes of metrics, and all that a view left out: exemplars keep those.

    Our own attributes were cleaned when they were first seen.
    """
    look_again()
    for every in data.resource_metrics:
        for scope in every.scope_metrics:
            own = scope.scope.name == "otel_trading"
            for metric in scope.metrics:
                if not own:
                    _clean_points(metric)
                for point in metric.data.data_points:
                    for exemplar in getattr(point, "exemplars", ()):
                        object.__setattr__(exemplar, "filtered_attributes", None)
    return data


def _clean_points(metric: Metric) -> None:
    changed = False
    for point in metric.data.data_points:
        cleaned = clean_labels(point.attributes or {})
        changed = changed or cleaned != point.attributes
        object.__setattr__(point, "attributes", cleaned)
    if changed:
        object.__setattr__(metric.data, "data_points", _once_each(metric))


def _once_each(metric: Metric) -> list[DataPointT]:
    """Return one point of each series: Prometheus refuses all that comes along with a series that comes twice.

    Totals that differed by a secret are added up. Of all else the first stays, and each other one is counted.
    """
    kept: dict[str, Any] = {}
    for point in metric.data.data_points:
        key = repr(sorted((point.attributes or {}).items()))
        before = kept.setdefault(key, point)
        if before is point:
            continue
        if isinstance(metric.data, Sum) and isinstance(point, NumberDataPoint):
            kept[key] = dataclasses.replace(before, value=before.value + point.value)
        else:
            _guard.count("duplicate")
    return list(kept.values())


def clean(held: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes without secrets."""
    look()
    return {
        name: _short(name, value) if type(value) is str and len(value) <= LONGEST_HELD else _value(name, value)
        for name, value in _plain(held).items()
        if name != _QUERY
    }


def clean_labels(held: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a metric's point without secrets; what tells series apart stays where it is none."""
    look()
    return {
        name: _short_label(name, value) if type(value) is str and len(value) <= LONGEST_HELD else _label(name, value)
        for name, value in _plain(held).items()
        if name != _QUERY
    }


def _plain(held: Mapping[str, Any]) -> Mapping[str, Any]:
    copied: Any = getattr(held, "copy", None)  # OpenTelemetry's own mapping locks for each item
    return cast("Mapping[str, Any]", copied()) if copied else held


def _value(name: str, value: Any) -> Any:
    if name and not isinstance(value, bool) and value is not None and is_named(name):
        return MASK
    return _inside(name, value)


def _label(name: str, value: Any) -> Any:
    if not isinstance(value, bool) and value is not None and is_secret_label(name, str(value)):
        return MASK
    return _inside(name, value)


def _inside(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        value = value[: 4 * _LONGEST].decode(errors="replace")
    if isinstance(value, str):
        return _text(name, value)
    if isinstance(value, Mapping):
        return clean(cast("Mapping[str, Any]", value))
    return _sequence(cast("Sequence[Any]", value)) if isinstance(value, (list, tuple)) else value


@remembering
def _short(name: str, text: str) -> str:
    return MASK if is_named(name) else _text(name, text)


@remembering
def _short_label(name: str, text: str) -> str:
    return MASK if is_secret_label(name, text) else _text(name, text)


def _text(name: str, text: str) -> str:
    text = text[:_LONGEST]
    if name in _STATEMENTS:
        return _LITERALS.sub("?", text)
    return without_secrets(text.partition("?")[0] if name in _WHOLE else text, name)


def _sequence(values: Sequence[Any]) -> list[Any]:
    """A word that begins with a dash names the next one: these are the arguments of a process."""
    before = ["", *values]
    return [
        MASK
        if isinstance(word, str) and word.startswith("-") and "=" not in word and is_named(word)
        else _value("", one)
        for word, one in zip(before, values, strict=False)
    ]
