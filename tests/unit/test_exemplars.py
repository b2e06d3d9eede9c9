"""A point of a latency or of slippage leads to the trace of its order."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from otel_trading import meter
from trace_support import context, tracing

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

LEADING = {
    "trading.order.request.duration",
    "trading.venue.request.duration",
    "trading.order.acknowledgement.duration",
    "trading.order.fill.duration",
    "trading.execution.slippage",
}


def _exemplars(captured: CapturingMeter, name: str) -> list[int | None]:
    data = captured._reader.get_metrics_data()
    assert data is not None
    return [
        exemplar.trace_id
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == name
        for point in metric.data.data_points
        for exemplar in point.exemplars
    ]


def _live() -> None:
    with meter.order_request(client_id="c-1", symbol="A", side="buy", quantity=1):
        pass

    def report() -> None:
        meter.order_acknowledged(client_id="c-1")
        meter.order_filled(client_id="c-1", price=10, quantity=1, currency="USD", expected_price=9)

    reader = threading.Thread(target=report)
    reader.start()
    reader.join(10)


@pytest.mark.parametrize("name", sorted(LEADING))
def test_an_exemplar_leads_to_the_trace_of_its_order(capmeter: CapturingMeter, name: str) -> None:
    with tracing() as traced:
        _live()

    trace_id = context(traced.span("trading.order.lifecycle")).trace_id
    found = _exemplars(capmeter, name)
    assert found
    assert set(found) == {trace_id}


@pytest.mark.parametrize("name", sorted(LEADING))
def test_a_trace_that_nobody_keeps_is_no_exemplar(capmeter: CapturingMeter, name: str) -> None:
    with tracing(ALWAYS_OFF):
        _live()

    assert _exemplars(capmeter, name) == []
