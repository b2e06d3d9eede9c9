"""`otel-trading doctor` on the real stack: green when it is, and at the right hop when one is really broken."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from bot_support import COMMAND, environment, prometheus_get
from otel_trading.stack import Ports, status, up
from stack_support import prometheus_query, quiet, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

_HOPS = [
    "environment",
    "distro",
    "libraries",
    "OTLP reachable",
    "Collector accepted",
    "Prometheus has the series",
    "rules loaded",
    "Alertmanager reachable",
    "targets",
    "bots",
    "series",
    "Grafana has the boards",
]


@dataclass(frozen=True)
class _Finding:
    code: int
    states: list[str]
    broken: dict[str, str]
    error: str


def _doctor(*arguments: str, **variables: str) -> _Finding:
    run = subprocess.run(
        [COMMAND, "doctor", "--json", *arguments],
        env=environment(None, **variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    hops = json.loads(run.stdout)
    assert [hop["name"] for hop in hops] == _HOPS
    broken = [hop for hop in hops if hop["state"] == "broken"]
    assert len(broken) <= 1, "only the first break is blamed"
    return _Finding(run.returncode, [hop["state"] for hop in hops], broken[0] if broken else {}, run.stderr)


def _assert_stops_at(found: _Finding, hop: str, evidence: str) -> None:
    assert found.broken.get("name") == hop, found
    assert evidence in found.broken["evidence"]
    assert found.broken["fix"], "a finding says what to do"
    place = _HOPS.index(hop)
    assert set(found.states[:place]) == {"ok"} if place else True
    assert set(found.states[place + 1 :]) <= {"unchecked"}
    assert found.code == 1


def _kill(stack: Stack, service: str) -> None:
    (pid,) = [one.pid for one in status(home=stack.home) if one.service == service]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(
        lambda: {one.service: one.state for one in status(home=stack.home)}[service] == "down", 5, f"{service}'s end"
    )


def _own(home: Path) -> Stack:
    return up(home=home, kind="native", ports=Ports.free(), evaluation_interval="1s", progress=quiet())


def _reload(stack: Stack) -> None:
    with urllib.request.urlopen(urllib.request.Request(f"{stack.urls['prometheus']}/-/reload", method="POST")) as done:
        assert done.status == 200


@pytest.mark.seed("S0-32")
def test_all_green_while_the_stack_runs(stack: Stack) -> None:
    found = _doctor("--home", str(stack.home))

    assert found.states[:8] == ["ok"] * 8, found
    assert set(found.states[8:]) <= {"absent", "ok"}, "what breaks no hop; Grafana is there where a binary is"
    assert found.code == 0


def test_for_people_it_numbers_the_hops_and_leaves_grafana_out(stack: Stack) -> None:
    run = subprocess.run(
        [COMMAND, "doctor", "--home", stack.home],
        env=environment(None),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    lines = run.stdout.splitlines()

    assert run.returncode == 0, run.stdout
    assert [line.split()[:2] for line in lines[:8]] == [[str(number), "ok"] for number in range(1, 9)]
    assert "grafana" in stack.urls or lines[-1].startswith("12 - Grafana has the boards: this stack runs without")


def test_a_wrong_setting(stack: Stack) -> None:
    found = _doctor("--home", str(stack.home), OTEL_TRADING_MODE="lvie")

    _assert_stops_at(found, "environment", "OTEL_TRADING_MODE is 'lvie'. Allowed: live, paper, backtest, replay.")


def test_delta_temporality(stack: Stack) -> None:
    found = _doctor("--home", str(stack.home), OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE="delta")

    _assert_stops_at(found, "environment", "Prometheus refuses the whole request otherwise")


def test_the_bots_own_endpoint_is_followed_not_the_stacks(stack: Stack) -> None:
    found = _doctor("--home", str(stack.home), OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")

    _assert_stops_at(found, "OTLP reachable", "http://127.0.0.1:9 does not answer")


def test_without_a_collector(stack_home: Path) -> None:
    own = _own(stack_home)
    _kill(own, "collector")

    _assert_stops_at(_doctor("--home", str(own.home)), "OTLP reachable", "does not answer")


class _Refusal(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(400)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its parent's name
        del format, args


@contextmanager
def _refusing() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Refusal) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(5)


def test_something_else_listens_where_the_collector_should(stack: Stack) -> None:
    with _refusing() as url:
        found = _doctor("--home", str(stack.home), "--otlp", url)

    _assert_stops_at(found, "Collector accepted", "refused the canary")


def test_with_prometheus_killed_the_collector_still_accepts(stack_home: Path) -> None:
    own = _own(stack_home)
    _kill(own, "prometheus")

    _assert_stops_at(_doctor("--home", str(own.home)), "Prometheus has the series", "Prometheus does not answer at")


def test_without_rules(stack_home: Path) -> None:
    own = _own(stack_home)
    for file in (own.home / "config" / "alerts" / "rules").glob("*.yaml"):
        file.unlink()
    _reload(own)

    _assert_stops_at(_doctor("--home", str(own.home)), "rules loaded", "Prometheus has no alert rules")


def test_with_a_rule_that_cannot_be_evaluated(stack_home: Path) -> None:
    two = 'vector(1) or label_replace(vector(1), "a", "x", "", "")'
    rule = {"record": "broken:rule", "expr": f"vector(1) * on () ({two})"}
    (stack_home / "config" / "my-rules").mkdir(parents=True)
    (stack_home / "config" / "my-rules" / "mine.yaml").write_text(
        json.dumps({"groups": [{"name": "mine", "interval": "1s", "rules": [rule]}]})
    )
    own = _own(stack_home)
    wait_until(lambda: '"health": "err"' in json.dumps(prometheus_get(own, "rules")), 20, "a failure")

    _assert_stops_at(_doctor("--home", str(own.home)), "rules loaded", "broken:rule cannot be evaluated")


def test_without_an_alertmanager(stack_home: Path) -> None:
    own = _own(stack_home)
    _kill(own, "alertmanager")

    _assert_stops_at(_doctor("--home", str(own.home)), "Alertmanager reachable", "Alertmanager does not answer at")


def test_with_an_alertmanager_that_prometheus_does_not_know(stack_home: Path) -> None:
    own = _own(stack_home)
    (own.home / "config" / "collector" / "targets" / "alertmanager.yaml").write_text("[]\n")
    _reload(own)
    wait_until(
        lambda: not prometheus_query(own, "prometheus_notifications_alertmanagers_discovered > 0"),
        15,
        "no Alertmanager",
    )

    _assert_stops_at(_doctor("--home", str(own.home)), "Alertmanager reachable", "Prometheus sends alerts to none")


def test_with_no_stack_at_all(tmp_path: Path) -> None:
    found = _doctor("--home", str(tmp_path), OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")

    _assert_stops_at(found, "OTLP reachable", "does not answer")
    assert "otel-trading up" in found.broken["fix"]
