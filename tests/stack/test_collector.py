"""The real Collector: no warning, every signal lands, nothing acknowledged is lost."""

from __future__ import annotations

import os
import signal
from functools import partial
from typing import TYPE_CHECKING

import pytest

from otel_trading.stack import Ports, down, processes, status, up
from otel_trading.stack.state import State
from stack_support import json_lines, logs, metric, post, prometheus_query, quiet, spans, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack


def test_starts_without_one_warning(stack: Stack) -> None:
    lines = json_lines(stack.home / "logs" / "collector.log")
    assert any("Everything is ready" in line["msg"] for line in lines)
    assert [line for line in lines if line["level"] != "info"] == []


def test_metrics_arrive_in_prometheus_with_their_resource(stack: Stack) -> None:
    assert post(f"{stack.otlp_endpoint}/v1/metrics", metric("arrival", "orders.sent", 3)) == 200
    query = 'orders_sent_total{service_name="arrival"}'
    (series,) = wait_until(lambda: prometheus_query(stack, query), 10, "the counter in Prometheus")
    assert series["value"][1] == "3"
    assert series["metric"]["instance"] == "arrival-1"


def test_the_first_event_of_a_counter_is_an_increase(stack: Stack) -> None:
    post(f"{stack.otlp_endpoint}/v1/metrics", metric("first", "orders.lost", 1))
    query = "increase(orders_lost_total[1m]) > 0"
    assert wait_until(lambda: prometheus_query(stack, query), 10, "an increase from nothing to one")


def test_one_bad_item_does_not_take_the_good_ones_with_it(stack: Stack) -> None:
    request = metric("poisoned", "good.items", 1)
    delta = metric("poisoned", "bad.items", 1)["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]
    delta["sum"]["aggregationTemporality"] = 1
    request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].append(delta)
    post(f"{stack.otlp_endpoint}/v1/metrics", request)
    assert wait_until(lambda: prometheus_query(stack, "good_items_total"), 10, "the good item")
    assert prometheus_query(stack, "bad_items_total") == []


@pytest.mark.parametrize("name", ["", "日本", "!"])
def test_an_attribute_that_gives_no_label_loses_neither_its_point_nor_others(stack: Stack, name: str) -> None:
    request = metric(f"nameless-{name}", "beside.it", 1)
    resource = metric(f"nameless-{name}", "in.resource", 1)["resourceMetrics"][0]
    point = metric(f"nameless-{name}", "in.point", 1)["resourceMetrics"][0]
    attribute = {"key": name, "value": {"stringValue": "kept"}}
    resource["resource"]["attributes"].append(attribute)
    point["scopeMetrics"][0]["metrics"][0]["sum"]["dataPoints"][0]["attributes"] = [attribute]
    request["resourceMetrics"] += [resource, point]
    post(f"{stack.otlp_endpoint}/v1/metrics", request)
    for series in ("beside_it_total", "in_resource_total", "in_point_total"):
        query = f'{series}{{service_name="nameless-{name}"}}'
        (found,) = wait_until(partial(prometheus_query, stack, query), 10, query)
        assert found["metric"].get("unnamed") == ("kept" if series == "in_point_total" else None)


@pytest.mark.parametrize(
    ("signal_name", "request_body"), [("traces", spans("s", "needle")), ("logs", logs("s", "needle"))]
)
def test_traces_and_logs_go_to_files(stack: Stack, signal_name: str, request_body: dict[str, object]) -> None:
    assert post(f"{stack.otlp_endpoint}/v1/{signal_name}", request_body) == 200
    file = stack.home / "data" / "collector" / signal_name / f"{signal_name}.jsonl"
    wait_until(lambda: "needle" in str(json_lines(file)), 10, f"a line in {file}")


def test_what_was_acknowledged_survives_a_kill(stack_home: Path) -> None:
    running = up(home=stack_home, kind="native", ports=Ports.free(), evaluation_interval="1s", progress=quiet())
    pids = {service.service: service.pid for service in status(home=stack_home)}
    _kill(stack_home, pids["prometheus"])
    for number in range(20):
        assert post(f"{running.otlp_endpoint}/v1/metrics", metric("killed", f"queued.{number}", 1)) == 200
    _kill(stack_home, pids["collector"])
    running = up(home=stack_home, progress=quiet())
    query = 'count({__name__=~"queued_.*_total"})'
    wait_until(lambda: [row["value"][1] for row in prometheus_query(running, query)] == ["20"], 30, "all 20 series")


def test_a_backend_is_named_by_environment_alone(stack_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    receiver = Ports.free()
    backend = up(home=stack_home / "backend", kind="native", ports=receiver, progress=quiet())
    monkeypatch.setenv("STACK_BACKEND_ENDPOINT", backend.otlp_endpoint)
    front = up(home=stack_home / "front", kind="native", ports=Ports.free(), progress=quiet())
    try:
        post(f"{front.otlp_endpoint}/v1/traces", spans("s", "forwarded"))
        file = backend.home / "data" / "collector" / "traces" / "traces.jsonl"
        wait_until(
            lambda: file.exists() and "forwarded" in file.read_text(), 10, "the span behind the second Collector"
        )
    finally:
        down(home=front.home)
        down(home=backend.home)


def _kill(stack_home: Path, pid: int | None) -> None:
    state = State.load(stack_home)
    assert state is not None
    (birth,) = [service.birth for service in state.services if service.pid == pid]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not processes.is_alive(pid, birth), 5, f"the end of {pid}")
