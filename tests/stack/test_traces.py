"""One order on the real stack: from a point of its latency in Prometheus to its trace, and from there to its events."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from bot_support import environment, prometheus_get, running
from stack_support import json_lines, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

BOT = """
import threading, requests
with meter.iteration(strategy='s'):
    with meter.order_request(client_id='c-1', symbol='A', side='buy', type='limit', quantity=1, venue='v'):
        requests.get({url!r}, timeout=5)
def report():
    meter.order_acknowledged(client_id='c-1')
    meter.order_filled(client_id='c-1', price=10, quantity=1, currency='USD', expected_price=9)
thread = threading.Thread(target=report); thread.start(); thread.join()
"""
LEADING = (
    "trading_order_request_duration_seconds_bucket",
    "trading_venue_request_duration_seconds_bucket",
    "trading_order_acknowledgement_duration_seconds_bucket",
    "trading_order_fill_duration_seconds_bucket",
    "trading_execution_slippage_bucket",
)
SPANS = {
    "trading.strategy.iteration",
    "trading.order new",
    "GET",
    "trading.execution.process",
    "trading.order.lifecycle",
}
EVENTS = {"trading.strategy.state_changed", "trading.order.status_changed", "trading.execution.filled"}


def _records(stack: Stack, kind: str, service: str) -> list[dict[str, Any]]:
    """Spans or log records of a service, as the Collector wrote them."""
    file = stack.home / "data" / "collector" / kind / f"{kind}.jsonl"
    resource, scope, record = ("resourceSpans", "scopeSpans", "spans")
    if kind == "logs":
        resource, scope, record = ("resourceLogs", "scopeLogs", "logRecords")
    return [
        one
        for line in json_lines(file)
        for every in line[resource]
        if f'"{service}"' in json.dumps(every["resource"])
        for within in every[scope]
        for one in within[record]
    ]


def _exemplars(stack: Stack, name: str, service: str) -> set[str]:
    now = time.time()
    found = prometheus_get(
        stack, "query_exemplars", query=f'{name}{{service_name="{service}"}}', start=str(now - 300), end=str(now + 60)
    )
    return {exemplar["labels"]["trace_id"] for row in found for exemplar in row["exemplars"]}


def test_an_exemplar_in_prometheus_leads_to_the_trace_of_the_order(stack: Stack, tmp_path: Path) -> None:
    service = "traced-order"
    body = BOT.format(url=f"{stack.urls['prometheus']}/-/healthy")
    with running(tmp_path, service, body, environment(stack)):
        wait_until(lambda: all(_exemplars(stack, name, service) for name in LEADING), 20, "exemplars of all")
    led = set().union(*(_exemplars(stack, name, service) for name in LEADING))

    def traced() -> dict[str, Any]:
        return {span["name"]: span for span in _records(stack, "traces", service) if span["traceId"] in led}

    spans = wait_until(lambda: set(traced()) >= SPANS and traced(), 10, "the spans of that trace")
    assert len(led) == 1
    assert set(spans) == SPANS
    assert spans["GET"]["parentSpanId"] == spans["trading.order new"]["spanId"]
    assert [event["name"] for event in spans["trading.order.lifecycle"]["events"]] == 3 * [
        "trading.order.status_changed"
    ]


def test_events_leave_as_log_records_with_a_name_in_the_trace_of_the_order(stack: Stack, tmp_path: Path) -> None:
    service = "told-order"
    body = BOT.format(url=f"{stack.urls['prometheus']}/-/healthy")
    with running(tmp_path, service, body, environment(stack)):
        pass

    def told() -> dict[str, Any]:
        return {one["eventName"]: one for one in _records(stack, "logs", service) if one.get("eventName")}

    events = wait_until(lambda: set(told()) >= EVENTS and told(), 10, "the events")
    spans = wait_until(lambda: _records(stack, "traces", service), 10, "the spans")
    assert set(events) == EVENTS
    assert events["trading.execution.filled"]["traceId"] in {span["traceId"] for span in spans}
    assert events["trading.execution.filled"]["severityText"] == "INFO"
