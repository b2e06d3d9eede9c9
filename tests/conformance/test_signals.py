"""Spans and events that are declared are emitted, or say why not yet; nothing else is emitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from otel_trading import semconv
from otel_trading.testing import day_of_trading
from trace_support import tracing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_trading.semconv import Event, Span
    from otel_trading.testing import CapturingMeter
    from trace_support import Tracing

SPANS: Final = {span.name: span for span in semconv.spans.ALL}
EVENTS: Final = {event.name: event for event in semconv.events.ALL}


@pytest.fixture
def day(capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch) -> Tracing:
    """A day of trading, traced."""
    monkeypatch.setenv("OTEL_TRADING_STRICT", "0")
    with tracing() as traced:
        day_of_trading(seed=1)
        assert capmeter.samples()  # a session ends with a collection
    return traced


def _findings(signal: Span | Event, attributes: Mapping[str, object]) -> list[str]:
    closed = {one.name: one.values for one in signal.attributes if one.values}
    strange = {key: value for key, value in attributes.items() if key in closed and value not in closed[key]}
    return [
        *(f"{signal} carries {key}, which it does not have." for key in attributes if key not in signal.keys),
        *(f"{signal} lacks {key}." for key in signal.required if key not in attributes),
        *(f"{signal} has {key}={value!r}." for key, value in strange.items()),
    ]


def test_every_span_is_emitted_or_says_why_not_and_no_other(day: Tracing) -> None:
    emitted = {span.name.split(" ")[0] for span in day.spans() if span.name.startswith("trading.")}

    assert emitted == {name for name, span in SPANS.items() if not span.pending}


def test_every_event_is_emitted_or_says_why_not_and_no_other(day: Tracing) -> None:
    assert {event.event_name for event in day.events()} == {name for name, event in EVENTS.items() if not event.pending}


def test_a_span_carries_what_was_declared(day: Tracing) -> None:
    for span in day.spans():
        declared = SPANS[span.name.split(" ")[0]]
        detail = span.attributes.get(declared.detail.name) if declared.detail and span.attributes else None

        assert _findings(declared, span.attributes or {}) == []
        assert span.kind.name.lower() == declared.kind.value
        assert span.name == " ".join(filter(None, (declared.name, str(detail or ""))))


def test_an_event_carries_what_was_declared(day: Tracing) -> None:
    for event in day.events():
        declared = EVENTS[str(event.event_name)]

        assert _findings(declared, event.attributes or {}) == []
        assert event.severity_number is not None
        assert event.severity_text == event.severity_number.name == declared.severity.value
