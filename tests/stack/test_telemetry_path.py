"""The canary through the whole real path, and what is said when the path breaks."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from otel_trading.stack import Ports, status, up
from stack_support import prometheus_query, quiet, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack


def test_it_arrives_with_the_room_on_the_disk(stack: Stack) -> None:
    (time_,) = wait_until(lambda: prometheus_query(stack, "otel_trading_canary_time_seconds"), 20, "the canary")
    free, size = (
        float(prometheus_query(stack, f"otel_trading_disk_{what}_bytes")[0]["value"][1]) for what in ("free", "size")
    )

    assert abs(float(time_["value"][1]) - time.time()) < 30
    assert time_["metric"]["job"] == "otel-trading-canary"
    assert 0 < free <= size


def test_a_collector_that_died_is_said_by_the_path_and_by_its_part(stack_home: Path) -> None:
    stack = up(home=stack_home, kind="native", ports=Ports.free(), evaluation_interval="1s", progress=quiet())
    wait_until(lambda: prometheus_query(stack, "otel_trading_canary_time_seconds"), 20, "the canary")
    own = 'trading:threshold:canary_age_seconds{threshold_scope="local"}'
    file = stack.home / "config" / "my-rules" / "canary.yaml"
    rule = "{record: trading:threshold:canary_age_seconds, expr: vector(5), labels: {threshold_scope: local}}"
    file.write_text(f"groups: [{{name: mine, interval: 1s, rules: [{rule}]}}]")
    pids = {one.service: one.pid for one in status(home=stack.home)}
    prometheus, collector = pids["prometheus"], pids["collector"]
    assert prometheus is not None
    assert collector is not None
    os.kill(prometheus, signal.SIGHUP)
    wait_until(lambda: prometheus_query(stack, own), 20, "the own threshold")

    os.kill(collector, signal.SIGKILL)

    pending = 'count by (alertname) (ALERTS{alertname=~"StackDown|TelemetryPathBroken"})'
    wait_until(lambda: len(prometheus_query(stack, pending)) == 2, 30, "both alerts to be pending")
