"""One order, one trace: whatever thread or task its reports arrive on, and whatever the sampler says of the rest."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased
from opentelemetry.trace import StatusCode

from otel_trading import meter, trackers
from otel_trading.sdk.sampling import KeepingSampler
from otel_trading.trackers import orders as orders_module
from trace_support import context, tracing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan

    from otel_trading.testing import CapturingMeter
    from trace_support import Tracing

pytestmark = pytest.mark.usefixtures("capmeter")

LIFECYCLE = "trading.order.lifecycle"
PROCESS = "trading.execution.process"


@pytest.fixture
def traced() -> Iterator[Tracing]:
    with tracing() as made:
        yield made


def _send(client_id: str = "c-1", **words: Any) -> None:
    with meter.order_request(client_id=client_id, symbol="A", side="buy", type="limit", quantity=2, **words):
        pass


def _fill(client_id: str = "c-1", quantity: float = 2, **words: Any) -> None:
    meter.order_filled(client_id=client_id, price=10, quantity=quantity, currency="USD", **words)


def _statuses(span: ReadableSpan) -> list[object]:
    return [(event.attributes or {})["trading.order.status"] for event in span.events]


def test_an_order_is_one_span_from_its_first_state_to_its_last(traced: Tracing) -> None:
    with meter.iteration(strategy="s"):
        _send()
    meter.order_acknowledged(client_id="c-1")
    _fill(quantity=1)
    with meter.order_request(operation="status", client_id="c-1"):
        pass
    assert traced.spans(LIFECYCLE) == []
    _fill(quantity=1)

    life, request = traced.span(LIFECYCLE), traced.span("trading.order new")
    assert _statuses(life) == ["pending_new", "new", "partially_filled", "filled"]
    assert life.parent == context(request)
    assert [link.context for link in life.links] == [
        context(traced.span("trading.strategy.iteration")),
        context(request),
        context(traced.span("trading.order status")),
    ]
    assert (life.start_time, life.end_time) == (life.events[0].timestamp, life.events[-1].timestamp)
    assert life.attributes == {
        "trading.mode": "live",
        "trading.instrument.symbol": "A",
        "trading.order.side": "buy",
        "trading.order.type": "limit",
        "trading.order.status": "filled",
        "trading.order.client_id": "c-1",
    }
    assert life.status.status_code is StatusCode.UNSET


def test_every_state_is_an_event_in_the_trace_of_the_order(traced: Tracing) -> None:
    _send()
    meter.order_canceled(client_id="c-1")

    request = context(traced.span("trading.order new"))
    told = traced.events("trading.order.status_changed")
    assert [(event.attributes or {})["trading.order.status"] for event in told] == ["pending_new", "canceled"]
    assert {(event.trace_id, event.span_id) for event in told} == {(request.trace_id, request.span_id)}
    assert {(event.attributes or {})["trading.order.client_id"] for event in told} == {"c-1"}


def test_a_lost_order_is_an_error(traced: Tracing) -> None:
    _send()
    meter.order_status_changed(client_id="c-1", status="lost")

    assert traced.events("trading.order.status_changed")[-1].severity_text == "ERROR"
    assert traced.span(LIFECYCLE).status.status_code is StatusCode.ERROR


def test_a_fill_on_another_thread_joins_its_order(traced: Tracing) -> None:
    _send()
    reader = threading.Thread(target=_fill, kwargs={"execution_id": "x-1"})
    reader.start()
    reader.join(10)

    request = context(traced.span("trading.order new"))
    process = traced.span(PROCESS)
    assert process.parent == request
    assert process.kind.name == "CONSUMER"
    assert (process.attributes or {})["trading.execution.id"] == "x-1"
    assert context(traced.span(LIFECYCLE)).trace_id == request.trace_id
    filled = traced.event("trading.execution.filled")
    assert (filled.trace_id, filled.span_id) == (request.trace_id, context(process).span_id)
    assert (filled.attributes or {})["trading.order.client_id"] == "c-1"


def test_a_fill_in_another_task_joins_its_order_and_links_what_it_arrived_in(traced: Tracing) -> None:
    async def read(queue: asyncio.Queue[str]) -> None:
        client_id = await queue.get()
        with traced.tracer.start_as_current_span("message"):
            _fill(client_id)

    async def main() -> None:
        queue: asyncio.Queue[str] = asyncio.Queue()
        reader = asyncio.create_task(read(queue))
        async with meter.order_request(client_id="c-1", side="buy", quantity=2, symbol="A"):
            queue.put_nowait("c-1")
        await reader

    asyncio.run(main())
    process = traced.span(PROCESS)
    assert process.parent == context(traced.span("trading.order new"))
    assert [link.context for link in process.links] == [context(traced.span("message"))]


def test_a_fill_of_an_unknown_order_is_part_of_what_it_arrives_in(traced: Tracing) -> None:
    with traced.tracer.start_as_current_span("message"):
        _fill("nobody")

    process = traced.span(PROCESS)
    assert process.parent == context(traced.span("message"))
    assert list(process.links) == []


def test_a_late_fill_still_joins_and_ends_nothing_twice(traced: Tracing) -> None:
    _send()
    meter.order_canceled(client_id="c-1")
    _fill()

    assert traced.span(PROCESS).parent == context(traced.span("trading.order new"))
    assert len(traced.spans(LIFECYCLE)) == 1


def test_reports_under_the_id_of_a_replace_belong_to_the_same_order(traced: Tracing) -> None:
    _send()
    meter.order_acknowledged(client_id="c-1")
    with meter.order_request(operation="replace", client_id="c-2", original_client_id="c-1", quantity=3):
        pass
    meter.order_status_changed(client_id="c-2", status="replaced")
    _fill("c-2", quantity=3)

    life = traced.span(LIFECYCLE)
    assert (life.attributes or {})["trading.order.client_id"] == "c-1"
    assert context(traced.span("trading.order replace")) in [link.context for link in life.links]
    assert _statuses(life) == ["pending_new", "new", "pending_replace", "replaced", "filled"]


def test_ten_threads_that_end_one_order_emit_it_once(traced: Tracing) -> None:
    _send()
    together = threading.Barrier(10, timeout=10)

    def cancel() -> None:
        together.wait()
        meter.order_canceled(client_id="c-1")

    threads = [threading.Thread(target=cancel) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(traced.spans(LIFECYCLE)) == 1


def test_the_table_is_bounded_and_what_gave_way_is_not_joined(
    production: CapturingMeter, traced: Tracing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders_module, "MAX_ORDERS", 3)
    monkeypatch.setattr(orders_module, "MAX_ENDED", 2)
    for number in range(9):
        _send(f"c-{number}")
    orders = trackers.default().orders

    assert [orders.context(f"c-{number}") is not None for number in range(9)] == [False] * 4 + [True] * 5
    assert production.value("trading.sdk.dropped", reason="queue_full") == 6
    assert len(traced.spans("trading.order new")) == 9


def test_an_order_that_changes_all_day_stays_small(traced: Tracing) -> None:
    _send()
    for _ in range(200):
        meter.order_status_changed(client_id="c-1", status="suspended")
        meter.order_status_changed(client_id="c-1", status="stopped")
        with meter.order_request(operation="status", client_id="c-1"):
            pass
    meter.order_canceled(client_id="c-1")

    life = traced.span(LIFECYCLE)
    assert (len(life.events), len(life.links)) == (64, 32)
    assert (_statuses(life)[0], _statuses(life)[-1]) == ("pending_new", "canceled")


@pytest.mark.parametrize(
    ("reason", "kept"), [("filled", False), ("canceled", False), ("rejected", True), ("denied", True), ("lost", True)]
)
def test_an_order_that_went_wrong_is_kept_whatever_the_sampler_says(reason: Any, *, kept: bool) -> None:
    with tracing(KeepingSampler(ParentBased(ALWAYS_OFF))) as traced:
        _send()
        meter.order_status_changed(client_id="c-1", status=reason)

    assert [span.name for span in traced.spans()] == ([LIFECYCLE] if kept else [])


def test_an_order_that_was_acknowledged_late_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 10**11, 1_500_000_000))
    with tracing(KeepingSampler(ParentBased(ALWAYS_OFF))) as traced:
        monkeypatch.setattr("otel_trading.trackers._lifecycle.time.time_ns", lambda: next(now))
        _send()
        meter.order_acknowledged(client_id="c-1")
        meter.order_canceled(client_id="c-1")

    life = traced.span(LIFECYCLE)
    assert (life.start_time, life.end_time) == (0, 3_000_000_000)


def test_the_other_sampler_decides_on_everything_else() -> None:
    sampler = KeepingSampler(ALWAYS_ON)
    with tracing(sampler) as traced:
        _send()

    assert len(traced.spans()) == 1
    assert sampler.get_description() == "TradingKeeping{AlwaysOnSampler}"


def test_without_a_trace_an_order_has_no_lifecycle() -> None:
    _send()
    assert trackers.default().orders.context("c-1") is None
    _fill()
