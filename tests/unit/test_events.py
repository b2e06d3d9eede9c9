from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from opentelemetry._logs import SeverityNumber
from unit_support import attributes

from otel_trading import events, meter, semconv, trackers
from otel_trading.semconv import Severity
from trace_support import context, tracing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.testing import CapturingMeter
    from trace_support import Tracing

pytestmark = pytest.mark.usefixtures("capmeter")


@pytest.fixture
def traced() -> Iterator[Tracing]:
    with tracing() as made:
        yield made


def test_a_rejection_is_a_warning_with_the_order_id(traced: Tracing) -> None:
    meter.order_rejected(client_id="c-1", reason="price_band", symbol="A", venue="v")

    event = traced.event("trading.order.rejected")
    assert event.severity_number is SeverityNumber.WARN
    assert event.attributes == {
        "trading.mode": "live",
        "trading.venue.name": "v",
        "trading.instrument.symbol": "A",
        "trading.order.client_id": "c-1",
        "trading.order.reject.source": "venue",
        "trading.order.reject.reason": "price_band",
    }


def test_an_event_stands_in_the_trace_in_which_it_happened(traced: Tracing) -> None:
    with meter.iteration(strategy="s"):
        meter.order_denied(reason="size_limit")

    loop = context(traced.span("trading.strategy.iteration"))
    event = traced.event("trading.order.rejected")
    assert (event.trace_id, event.span_id) == (loop.trace_id, loop.span_id)


def test_a_state_is_told_when_it_is_entered_and_not_again(traced: Tracing) -> None:
    for state in ("connected", "connected", "disconnected"):
        meter.connection_changed(name="md", state=state, error="1006" if state == "disconnected" else None)
    for _ in range(2):
        meter.strategy_state(state="running", strategy="s")
    trackers.default().strategies.stop_all()

    told = [dict(event.attributes or {}) for event in traced.events("trading.connection.state_changed")]
    assert [one["trading.connection.state"] for one in told] == ["connected", "disconnected"]
    assert [one.get("error.type") for one in told] == [None, "1006"]
    states = [(event.attributes or {})["trading.strategy.state"] for event in traced.events()[2:]]
    assert states == ["running", "stopped"]


def test_a_gap_is_a_warning(traced: Tracing) -> None:
    for sequence in (1, 2, 5):
        meter.market_data_received(source="kraken", kind="trade", symbol="A", sequence=sequence)

    assert traced.event("trading.market_data.gap_detected").severity_text == "WARN"


def test_one_event_may_be_louder_than_its_kind(traced: Tracing) -> None:
    events.emit(semconv.events.STRATEGY_STATE_CHANGED, attributes(strategy_state="stopped"), severity=Severity.ERROR)

    event = traced.event("trading.strategy.state_changed")
    assert (event.severity_number, event.severity_text) == (SeverityNumber.ERROR, "ERROR")


def test_ids_are_cut_and_only_those_that_were_declared_stand(traced: Tracing) -> None:
    stated = attributes(reject_source="venue", reject_reason="other")
    events.emit(semconv.events.ORDER_REJECTED, stated, client_id="x" * 10_000, backtest_id="b")

    carried = traced.event("trading.order.rejected").attributes or {}
    assert carried["trading.order.client_id"] == "x" * 256
    assert "trading.backtest.id" not in carried


def test_an_event_without_what_it_needs_is_lost_and_counted(production: CapturingMeter, traced: Tracing) -> None:
    events.emit(semconv.events.ORDER_REJECTED, attributes())

    assert traced.events() == []
    assert production.value("trading.sdk.dropped", reason="invalid_value") == 1


def test_the_ids_of_an_order_stand_on_all_that_follows(traced: Tracing) -> None:
    with meter.order_request(
        client_id="c-1", order_id="O-7", symbol="A", side="buy", type="limit", quantity=2, post_only=True, venue="v"
    ):
        pass
    meter.order_acknowledged(client_id="c-1", venue_order_id="V-9")
    meter.order_filled(client_id="c-1", price=10, quantity=2, currency="USD", position_id="P-3")

    request = traced.span("trading.order new").attributes or {}
    assert (request["trading.order.id"], request["trading.order.post_only"]) == ("O-7", True)
    told = [dict(event.attributes or {}) for event in traced.events("trading.order.status_changed")]
    ids = [(one.get("trading.order.id"), one.get("trading.order.venue_id")) for one in told]
    assert ids == [("O-7", None), ("O-7", "V-9"), ("O-7", "V-9")]
    lifecycle = traced.span("trading.order.lifecycle").attributes or {}
    assert (lifecycle["trading.order.id"], lifecycle["trading.order.venue_id"]) == ("O-7", "V-9")
    assert (traced.event("trading.execution.filled").attributes or {})["trading.position.id"] == "P-3"
    assert (traced.span("trading.execution.process").attributes or {})["trading.position.id"] == "P-3"


def test_a_rejection_carries_the_ids_that_are_known_and_those_that_it_brings(traced: Tracing) -> None:
    meter.order_sent(client_id="c-1", order_id="O-7", symbol="A", side="buy", venue="v", post_only=False)
    meter.order_rejected(client_id="c-1", venue_order_id="V-9", reason="post_only_would_cross")
    meter.order_denied(client_id="c-2", order_id="x" * 300, reason="size_limit", venue="v")

    known, unknown = (dict(event.attributes or {}) for event in traced.events("trading.order.rejected"))
    assert (known["trading.order.id"], known["trading.order.venue_id"]) == ("O-7", "V-9")
    assert unknown["trading.order.id"] == "x" * 256
    assert (traced.span("trading.order new").attributes or {})["trading.order.post_only"] is False


def test_no_id_becomes_a_label(capmeter: CapturingMeter) -> None:
    meter.order_sent(client_id="c-1", order_id="O-7", symbol="A", side="buy", venue="v", post_only=True)
    meter.order_acknowledged(client_id="c-1", venue_order_id="V-9")
    with meter.iteration(strategy="s", strategy_version="2.3.1"):
        pass

    labels = {key for sample in capmeter.samples() for key in sample.attributes}
    assert not labels & {"trading.order.id", "trading.order.venue_id", "trading.order.post_only"}
    assert "trading.strategy.version" not in labels


def test_an_iteration_says_which_version_of_the_strategy_ran(traced: Tracing) -> None:
    with meter.iteration(strategy="s", strategy_version="2.3.1"):
        pass

    assert (traced.span("trading.strategy.iteration").attributes or {})["trading.strategy.version"] == "2.3.1"
