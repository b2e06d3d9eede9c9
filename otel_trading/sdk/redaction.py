"""No query string leaves: exchanges sign in it, and clients repeat the whole URL in exceptions and logs.

Nor does a value that stands in the text of a database statement: keys and accounts are kept in tables too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk._logs import LogRecordProcessor
from opentelemetry.sdk.trace import Event, SpanProcessor
from opentelemetry.trace import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk._logs import ReadWriteLogRecord
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["LogRedaction", "SpanRedaction", "without_queries"]

#: What HTTP instrumentations record of a request, in the stable and in the old names.
_WHOLE: Final = frozenset({"url.full", "http.url", "http.target"})
_QUERY: Final = "url.query"
#: What database instrumentations record of a statement, in the stable and in the old name.
_STATEMENTS: Final = frozenset({"db.query.text", "db.statement"})
#: Strings, dollar-quoted ones included, and numbers. Of an unfinished string everything that follows.
_LITERALS: Final = re.compile(r"'(?:[^']|'')*(?:'|$)|\$(\w*)\$.*?(?:\$\1\$|$)|\b\d[\w.]*", re.DOTALL)
#: Up to the next blank: every other character may stand in a query, quotes and brackets included.
_QUERIES: Final = re.compile(r"\?\S*=\S*")

_TOLD: Final = _WHOLE | _STATEMENTS | {_QUERY}


def without_queries(text: str) -> str:
    """Return the text with every query string left out."""
    return _QUERIES.sub("", text) if "?" in text else text


class SpanRedaction(SpanProcessor):
    """Takes query strings out of spans as they end, before any exporter sees them."""

    def on_end(self, span: ReadableSpan) -> None:
        """Replace attributes, events and the status of the one object that every exporter gets; it has no setter."""
        if span.attributes and not _TOLD.isdisjoint(span.attributes):
            span._attributes = _clean(span.attributes)  # noqa: SLF001  no setter
        if span.events:
            span._events = [  # noqa: SLF001  no setter
                Event(event.name, _clean(event.attributes or {}), event.timestamp) for event in span.events
            ]
        if span.status.description:
            span._status = Status(span.status.status_code, without_queries(span.status.description))  # noqa: SLF001


class LogRedaction(LogRecordProcessor):
    """Takes query strings out of log records: httpx writes every URL at INFO, and exceptions are logged with theirs."""

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Replace text and attributes before any exporter sees them."""
        record = log_record.log_record
        if isinstance(record.body, str):
            record.body = without_queries(record.body)
        if record.attributes:
            record.attributes = _clean(record.attributes)

    def shutdown(self) -> None:
        """Hold nothing to end."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Hold nothing to send."""
        del timeout_millis
        return True


def _clean(held: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in held.items() if name != _QUERY}


def _value(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if name in _STATEMENTS:
        return _LITERALS.sub("?", value)
    return value.partition("?")[0] if name in _WHOLE else without_queries(value)
