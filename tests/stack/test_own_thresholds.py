"""A threshold of one's own on the real Prometheus: in force at once, refused ones change nothing."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from bot_support import COMMAND, environment, running
from stack_support import prometheus_query, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

_ORDERS = """
meter.defaults(venue='kraken', strategy='setter')
meter.order_sent(symbol='BTC/USD', side='buy', client_id='1')
"""
_IN_FORCE = 'trading:threshold_in_force:order_rejection_ratio{job="setter"}'


def alerts(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(COMMAND), "alerts", "--home", str(stack.home), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def number(stack: Stack) -> float | None:
    samples = prometheus_query(stack, _IN_FORCE)
    return float(samples[0]["value"][1]) if samples else None


def listed(stack: Stack, name: str) -> dict[str, Any]:
    (row,) = [row for row in json.loads(alerts(stack, "--json").stdout) if row["name"] == name]
    found: dict[str, Any] = row
    return found


def test_a_number_of_ones_own_is_in_force_at_once_and_can_be_taken_back(stack: Stack, tmp_path: Path) -> None:
    place = ["--strategy", "setter"]
    with running(tmp_path, "setter", _ORDERS, environment(stack)):
        wait_until(lambda: number(stack) == 0.1, 20, "the default to be in force")
        done = alerts(stack, "--set", "order_rejection_ratio=0.05", *place, "--why", "a test")
        assert done.returncode == 0, done.stderr
        wait_until(lambda: number(stack) == 0.05, 20, "the own number to be in force")

        row = listed(stack, "OrderRejectionRateHigh")
        mine = [one for one in row["in_force"] if one["labels"]["job"] == "setter"]
        assert (row["state"], row["health"]) == ("inactive", "")
        assert [(one["threshold"], one["number"]) for one in mine] == [("order_rejection_ratio", 0.05)]
        mark = 'trading:threshold_change:time_seconds{threshold="order_rejection_ratio",why="a test"}'
        assert wait_until(lambda: prometheus_query(stack, mark), 20, "the mark of the change")

        assert alerts(stack, "--unset", "order_rejection_ratio", *place, "--why", "back", "--yes").returncode == 0
        wait_until(lambda: number(stack) == 0.1, 20, "the default to be in force again")
    assert listed(stack, "Watchdog")["state"] == "firing"


def test_what_prometheus_refuses_changes_nothing(stack: Stack) -> None:
    broken = stack.home / "config" / "my-rules" / "broken.yaml"
    broken.write_text("groups: [{name: mine, rules: [{alert: Mine, expr: 'sum('}]}]")
    try:
        done = alerts(stack, "--set", "order_rejection_ratio=0.01", "--why", "a test")
    finally:
        broken.unlink()

    assert done.returncode == 3
    assert "Prometheus refuses its new configuration and goes on with the old one." in done.stderr
    assert json.loads(alerts(stack, "--mine", "--json").stdout) == []
    assert alerts(stack, "--set", "order_rejection_ratio=0.01", "--why", "a test").returncode == 0
    assert alerts(stack, "--unset", "order_rejection_ratio", "--why", "a test", "--yes").returncode == 0
