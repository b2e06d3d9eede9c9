"""The machine of the stack, told by the stack itself: no bot and no extra needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otel_trading.stack._files import shipped
from stack_support import prometheus_query, wait_until

if TYPE_CHECKING:
    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

_OURS = 'service_name="otel-trading-canary"'


def _states(stack: Stack, name: str) -> dict[str, float]:
    found = prometheus_query(stack, f"{name}{{{_OURS}}}")
    return {row["metric"]["state"]: float(row["value"][1]) for row in found}


@pytest.mark.seed("S0-35")
def test_processors_memory_and_disk_of_the_machine_are_in_prometheus_and_on_a_board(stack: Stack) -> None:
    cpu = wait_until(lambda: _states(stack, "system_cpu_utilization_ratio"), 20, "the processors")
    assert set(cpu) == {"user", "system", "idle", "iowait", "steal"}
    memory = _states(stack, "system_memory_utilization_ratio")
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    held = {words[0]: int(words[1]) for words in lines}
    assert memory["used"] == pytest.approx(1 - held["MemAvailable:"] / held["MemTotal:"], abs=0.15)
    assert memory["used"] + memory["free"] == pytest.approx(1)
    assert prometheus_query(stack, "otel_trading_disk_free_bytes < otel_trading_disk_size_bytes")

    board = json.loads(shipped("dashboards/json/otel-trading-host.json").read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    variables = {"${service:regex}": ".*", "${environment:regex}": ".*"}
    for name in ("system_cpu_utilization_ratio", "system_memory_utilization_ratio", "otel_trading_disk_free_bytes"):
        expressions = [expression for expression in asked if name in expression]
        assert expressions
        for expression in expressions:
            for variable, value in variables.items():
                expression = expression.replace(variable, value)  # noqa: PLW2901  what Grafana does
            (row,) = prometheus_query(stack, expression)
            assert 0 <= float(row["value"][1]) <= 1
