from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import StatusCode, get_current_span
from unit_support import attributes

from otel_trading import meter, semconv, spans
from otel_trading.errors import ConventionError
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


def test_an_order_request_is_the_parent_of_what_happens_in_it(traced: Tracing) -> None:
    with (
        meter.order_request(client_id="c-1", symbol="A", side="buy", type="limit", venue="v", account="alias"),
        traced.tracer.start_as_current_span("POST"),
    ):
        pass

    http, order = traced.span("POST"), traced.span("trading.order new")
    assert http.parent == context(order)
    assert order.parent is None
    assert order.kind.name == "CLIENT"
    assert order.attributes == {
        "trading.mode": "live",
        "trading.venue.name": "v",
        "trading.account.id": "alias",
        "trading.instrument.symbol": "A",
        "trading.order.side": "buy",
        "trading.order.type": "limit",
        "trading.order.operation": "new",
        "trading.order.client_id": "c-1",
    }


def test_a_loop_is_the_parent_of_its_orders(traced: Tracing) -> None:
    with meter.iteration(strategy="s"), meter.order_request(operation="cancel", client_id="c-1"):
        pass

    loop, order = traced.span("trading.strategy.iteration"), traced.span("trading.order cancel")
    assert order.parent == context(loop)
    assert loop.attributes == {"trading.mode": "live", "trading.strategy.name": "s"}


def test_an_error_leaves_its_class_and_none_of_its_words(traced: Tracing) -> None:
    secret = PermissionError("apiKey=abc123 is not allowed")
    with pytest.raises(PermissionError), meter.order_request(client_id="c-1"):
        raise secret

    order = traced.span("trading.order new")
    assert order.status.status_code is StatusCode.ERROR
    assert order.attributes is not None
    assert order.attributes["error.type"] == "PermissionError"
    assert "abc123" not in order.to_json()


def test_an_order_that_is_only_sent_has_a_span_too(traced: Tracing) -> None:
    meter.order_sent(client_id="c-1")
    meter.order_sent(client_id="c-2", error="8")

    first, second = traced.spans("trading.order new")
    assert first.status.status_code is StatusCode.UNSET
    assert (second.status.status_code, (second.attributes or {})["error.type"]) == (StatusCode.ERROR, "8")
    assert not get_current_span().get_span_context().is_valid


def test_a_fetch_is_a_client_span(traced: Tracing) -> None:
    with pytest.raises(TimeoutError), meter.market_data_fetch(source="polygon"):
        raise TimeoutError

    fetch = traced.span("trading.market_data.fetch")
    assert fetch.kind.name == "CLIENT"
    assert (fetch.attributes or {})["error.type"] == "timeout"


def test_a_decorator_makes_one_span_per_call_on_every_thread(traced: Tracing) -> None:
    both = threading.Barrier(2, timeout=10)

    @meter.order_request(operation="status")
    def ask() -> int:
        both.wait()
        return get_current_span().get_span_context().span_id

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len({context(span).trace_id for span in traced.spans("trading.order status")}) == 2


def test_tasks_that_overlap_do_not_become_each_others_parents(traced: Tracing) -> None:
    async def order(number: int) -> None:
        async with meter.order_request(client_id=f"c-{number}"):
            await asyncio.sleep(0.001 * (3 - number))

    async def main() -> None:
        await asyncio.gather(*(order(number) for number in range(3)))

    asyncio.run(main())
    orders = traced.spans("trading.order new")
    assert len(orders) == 3
    assert all(span.parent is None for span in orders)


def test_without_a_provider_nothing_is_started() -> None:
    with meter.order_request(client_id="c-1"), meter.iteration():
        assert not get_current_span().get_span_context().is_valid
    assert spans.tracer() is None


def test_what_the_sampler_leaves_out_is_still_timed(capmeter: CapturingMeter) -> None:
    with tracing(ALWAYS_OFF) as traced, meter.order_request(client_id="c-1"):
        pass

    assert traced.spans() == []
    assert capmeter.value("trading.order.request.duration") == 1


def test_a_broken_span_processor_does_not_reach_the_bot(
    production: CapturingMeter, traced: Tracing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(traced.provider._active_span_processor, "on_end", broken)
    with meter.order_request(client_id="c-1"):
        pass
    monkeypatch.setattr(traced.provider._active_span_processor, "on_start", broken)
    with meter.order_request(client_id="c-2"):
        pass

    assert production.value("trading.order.request.duration") == 2
    assert not get_current_span().get_span_context().is_valid


def test_dropped_attributes_stand_on_no_span(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRADING_DROPPED_ATTRIBUTES", "trading.account.*,trading.order.client_id")
    with tracing() as traced, meter.order_request(client_id="c-1", account="alias"):
        pass

    assert set(traced.span("trading.order new").attributes or {}) == {"trading.mode", "trading.order.operation"}


def test_a_required_attribute_that_is_missing_is_said(production: CapturingMeter, traced: Tracing) -> None:
    with spans.start(semconv.spans.ORDER, attributes()):
        pass

    assert traced.spans() == []
    assert production.value("trading.sdk.dropped", reason="invalid_value") == 1


def test_a_required_attribute_that_is_missing_raises_in_a_test(traced: Tracing) -> None:
    with pytest.raises(ConventionError, match=r"trading\.order needs trading\.order\.operation"):
        spans.start(semconv.spans.ORDER, attributes())
    assert traced.spans() == []


def test_a_provider_that_comes_later_is_found() -> None:
    script = (
        "import time\n"
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from otel_trading import meter, spans\n"
        "with meter.order_request(client_id='c-1'): pass\n"
        "trace.set_tracer_provider(TracerProvider())\n"
        "time.sleep(spans._PATIENCE)\n"
        "with meter.order_request(client_id='c-2'):\n"
        "    print(trace.get_current_span().get_span_context().is_valid)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == "True\n"
