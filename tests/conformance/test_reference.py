from __future__ import annotations

import re
from pathlib import Path

import pytest

from otel_trading import semconv
from otel_trading.semconv import Attribute, Event, Level, Metric, Span, reference

README = Path(semconv.__file__).with_name("README.md")
IDS = [metric.name for metric in semconv.ALL]
SIGNALS: tuple[Span | Event, ...] = (*semconv.spans.ALL, *semconv.events.ALL)
HIDEABLE = (semconv.plumbing, semconv.sdk)


def _generated() -> str:
    text = README.read_text(encoding="utf-8")
    return text.split(reference.BEGIN, 1)[1].split(reference.END, 1)[0].strip()


def test_the_reference_is_what_the_convention_says() -> None:
    assert _generated() == reference.markdown().strip(), "Run `otel-trading metrics --markdown` and commit the result."


def test_the_reference_has_each_marker_once() -> None:
    text = README.read_text(encoding="utf-8")
    assert (text.count(reference.BEGIN), text.count(reference.END)) == (1, 1)


@pytest.mark.parametrize("metric", semconv.ALL, ids=IDS)
def test_a_description_is_one_sentence_and_a_note_ends_as_one(metric: Metric) -> None:
    assert re.fullmatch(r"[A-Z][^.]*(\.[a-z][^.]*)*\.", metric.description), metric.description
    assert not metric.note or metric.note.endswith((".", ")."))


@pytest.mark.parametrize("metric", semconv.ALL, ids=IDS)
def test_every_metric_carries_its_mode(metric: Metric) -> None:
    assert {use.attribute.name: use.level for use in metric.uses}["trading.mode"] is Level.REQUIRED


@pytest.mark.parametrize("metric", semconv.ALL, ids=IDS)
def test_money_carries_its_currency(metric: Metric) -> None:
    if metric.unit.text == "{currency}":
        levels = {use.attribute.name: use.level for use in metric.uses}
        assert levels[semconv.attributes.CURRENCY.name] is Level.REQUIRED


@pytest.mark.parametrize("metric", semconv.ALL, ids=IDS)
def test_a_duration_is_a_histogram_of_seconds_and_nothing_else_is_called_so(metric: Metric) -> None:
    named = metric.name.endswith(".duration")
    assert named == (metric.kind is semconv.Kind.HISTOGRAM and metric.unit.text == "s" and ".delay" not in metric.name)


@pytest.mark.parametrize("metric", semconv.ALL, ids=IDS)
def test_only_plumbing_may_be_hidden(metric: Metric) -> None:
    family = next(family for family in semconv.FAMILIES if metric in vars(family).values())
    assert not metric.hidden or family in HIDEABLE


def test_at_most_five_metrics_are_hidden() -> None:
    assert sum(bool(metric.hidden) for metric in semconv.ALL) <= 5


def test_there_are_as_many_metrics_as_the_first_line_promised() -> None:
    assert len(semconv.ALL) >= 25


@pytest.mark.parametrize("attribute", semconv.attributes.ALL.values(), ids=semconv.attributes.ALL)
def test_every_attribute_says_what_it_means_and_stands_on_a_metric_a_span_or_an_event(attribute: Attribute) -> None:
    assert attribute.brief.endswith(".")
    assert any(attribute in signal.attributes for signal in (*semconv.ALL, *SIGNALS))
    assert len(set(attribute.values)) == len(attribute.values)


@pytest.mark.parametrize("signal", SIGNALS, ids=str)
def test_a_span_or_an_event_says_what_it_is_and_carries_its_mode(signal: Span | Event) -> None:
    texts = [signal.brief, *filter(None, (signal.note, signal.pending))]

    assert all(re.match("[A-Z]", text) and text.endswith((".", ").")) for text in texts)
    assert semconv.attributes.MODE.name in signal.required
    assert semconv.attributes.ACCOUNT.name in signal.keys


def test_the_convention_has_every_span_and_event_that_it_promised() -> None:
    assert {span.title for span in semconv.spans.ALL} == {
        "trading.strategy.iteration",
        "trading.order {operation}",
        "trading.order.lifecycle",
        "trading.execution.process",
        "trading.reconciliation.run",
        "trading.backtest.run",
        "trading.market_data.fetch",
    }
    assert {event.name for event in semconv.events.ALL} >= {
        "trading.order.status_changed",
        "trading.order.rejected",
        "trading.execution.filled",
        "trading.kill_switch.changed",
        "trading.risk.limit_breached",
        "trading.reconciliation.break_found",
        "trading.reconciliation.break_resolved",
        "trading.connection.state_changed",
        "trading.market_data.gap_detected",
        "trading.instrument.status_changed",
        "trading.strategy.state_changed",
        "trading.backtest.completed",
        "trading.resilience.circuit_breaker.state_changed",
        "trading.session.rolled",
    }
