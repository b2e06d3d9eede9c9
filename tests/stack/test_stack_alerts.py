"""The alerts on the stack itself: servers that are down, files that are broken, telemetry that is refused."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
import urllib.error
from typing import TYPE_CHECKING, Any, Final

import pytest

from otel_trading.stack import Ports, status, up
from proof_support import DEATHS, FAULTS, RULES, faults_in_text
from stack_support import json_lines, metric, post, quiet, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(240)]

#: Numbers that a healthy stack passes too, for what no test can bring about: a full disk, a full queue.
_LOW: Final = {
    "disk_free_ratio": 1,
    "collector_queue_ratio": -1,
    "collector_memory_bytes": 1,
    "out_of_order_ratio": -1,
}
_TWO_HOURS: Final = 2 * 3600 * 10**9
_TWO_DAYS: Final = 48 * 3600 * 10**9


def test_every_fault_of_the_stack_is_told_once(stack_home: Path) -> None:
    running = up(
        home=stack_home, kind="native", ports=Ports.free(), evaluation_interval="1s", speedup=120, progress=quiet()
    )
    _break(running)

    wait_until(lambda: _provoke(running) >= set(FAULTS), 90, f"all of {sorted(FAULTS)}")
    pid = next(one.pid for one in status(home=stack_home) if one.service == "collector")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: _provoke(running) >= set(DEATHS), 90, "both alerts on the Collector")
    time.sleep(6)  # a round of Alertmanager's `group_interval`: nothing marks the notification that does not come

    told = _told(running)
    expected = {**FAULTS, **DEATHS}
    assert {alert: {one["receiver"] for one in told if one["labels"]["alertname"] == alert} for alert in expected} == {
        alert: {receiver} for alert, receiver in expected.items()
    }
    keys = [json.dumps([one["labels"], one["startsAt"]], sort_keys=True) for one in told]
    assert sorted(keys) == sorted(set(keys)), "each one is told once"
    rules = {rule["alert"]: rule for rule in RULES}
    for one in told:
        assert faults_in_text(rules[one["labels"]["alertname"]], one["annotations"]) == []


def _break(running: Stack) -> None:
    """Break what a person can break by hand."""
    config = running.home / "config"
    labels = {"threshold_scope": "local"}
    low = [
        {"record": f"trading:threshold:{name}", "expr": f"vector({value})", "labels": labels}
        for name, value in _LOW.items()
    ]
    failing = {"record": "trading:threshold:nothing", "expr": "up * on () up"}
    groups = [{"name": name, "interval": "1s", "rules": rules} for name, rules in (("low", low), ("bad", [failing]))]
    (config / "my-rules" / "faults.yaml").write_text(json.dumps({"groups": groups}))
    (config / "bots" / "dead.yaml").write_text("- targets: [127.0.0.1:1]\n")
    post(f"{running.urls['prometheus']}/-/reload", b"")
    for server, file in (("prometheus", "collector/prometheus.yaml"), ("alertmanager", "alerts/alertmanager.yaml")):
        with (config / file).open("a") as broken:
            broken.write("\nno such setting: 1\n")
        with pytest.raises(urllib.error.HTTPError) as refused:
            post(f"{running.urls[server]}/-/reload", b"")
        refused.value.close()


def _provoke(running: Stack) -> set[str]:
    """Send what is too old, to the Collector and past it; return what was told so far."""
    for url, age in (
        (f"{running.otlp_endpoint}/v1/metrics", _TWO_HOURS),
        (f"{running.urls['prometheus']}/api/v1/otlp/v1/metrics", _TWO_DAYS),
    ):
        with contextlib.suppress(OSError):
            try:
                post(url, _aged(age))
            except urllib.error.HTTPError as error:
                error.close()
    time.sleep(0.3)
    return {one["labels"]["alertname"] for one in _told(running)}


def _aged(age: int) -> dict[str, Any]:
    body = metric("late-bot", "trading.order.requests", 1)
    (point,) = body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["sum"]["dataPoints"]
    point["timeUnixNano"] = str(int(point["timeUnixNano"]) - age)
    point["startTimeUnixNano"] = str(int(point["startTimeUnixNano"]) - age)
    return body


def _told(running: Stack) -> list[dict[str, Any]]:
    return [one for one in json_lines(running.alerts_file) if one["status"] == "firing"]
