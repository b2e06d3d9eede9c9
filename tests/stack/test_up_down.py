"""`up`, `status` and `down` with the real servers, and what goes wrong in real life."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from otel_trading.cli import cli
from otel_trading.errors import StackError
from otel_trading.stack import Ports, Progress, down, health, loopback, processes, status, up
from otel_trading.stack._files import shipped
from otel_trading.stack.state import State
from stack_support import json_lines, prometheus_query, quiet, wait_until

pytestmark = pytest.mark.stack

_SERVICES = {"webhook", "alertmanager", "prometheus", "collector", "canary"}


def _states(stack_home: Path) -> dict[str, str]:
    return {one.service: one.state for one in status(home=stack_home)}


def _pids(stack_home: Path) -> dict[str, int]:
    return {one.service: one.pid for one in status(home=stack_home) if one.pid is not None}


def _processes_of(home: Path) -> list[str]:
    """Return the command lines of all processes that mention this home, recorded in its state or not."""
    found = subprocess.run(["ps", "-e", "-o", "stat=,args="], capture_output=True, text=True, timeout=10, check=True)
    return [line for line in found.stdout.splitlines() if f"{home}/" in line and not line.startswith("Z")]


def _cli(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.mark.seed("S0-31")
def test_up_is_healthy_at_once_and_harmless_twice(stack_home: Path) -> None:
    begun = time.monotonic()
    first = up(home=stack_home, kind="native", ports=Ports.free(), progress=quiet())
    assert time.monotonic() - begun < 10  # three seconds on an idle machine; this one may be busy
    assert set(_states(stack_home).items()) >= {(name, "healthy") for name in _SERVICES}
    pids = _pids(stack_home)
    second = up(home=stack_home, progress=quiet())
    assert (first.started, second.started) == (True, False)
    assert (first.urls, first.ports) == (second.urls, second.ports)
    assert _pids(stack_home) == pids


@pytest.mark.seed("S1-40", "S1-56")
def test_prometheus_loads_rules_targets_and_alertmanager(stack_home: Path) -> None:
    running = up(home=stack_home, kind="native", ports=Ports.free(), evaluation_interval="1s", progress=quiet())
    targets = "count(up == 1)"
    wait_until(lambda: [row["value"][1] for row in prometheus_query(running, targets)] == ["3"], 15, "three targets")
    base = running.urls["prometheus"]
    groups = json.loads(loopback.ask(f"{base}/api/v1/rules"))["data"]["groups"]
    assert {group["interval"] for group in groups} == {1}
    assert any(rule["name"] == "Watchdog" for group in groups for rule in group["rules"])
    wanted = f"http://127.0.0.1:{running.ports.alertmanager}/api/v2/alerts"
    found = json.loads(loopback.ask(f"{base}/api/v1/alertmanagers"))["data"]["activeAlertmanagers"]
    assert [one["url"] for one in found] == [wanted]


@pytest.mark.seed("S0-20")
def test_a_rule_of_ones_own_fires_into_the_file_and_survives_the_next_up(stack_home: Path) -> None:
    rules = stack_home / "config" / "my-rules" / "mine.yaml"
    rules.parent.mkdir(parents=True)
    template = shipped("alerts/my-rules.example.yaml").read_text()
    # The template as it is, but that it fires at once and without a bot.
    rules.write_text(
        re.sub(r"(?s)expr: \|.*?\n        for: 5m", "expr: vector(1)\n        for: 1s", template.replace("15s", "1s"))
    )
    running = up(home=stack_home, kind="native", ports=Ports.free(), evaluation_interval="1s", progress=quiet())
    lines = wait_until(lambda: json_lines(running.alerts_file), 20, "an alert")
    (mine,) = [alert for alert in lines if alert["labels"]["alertname"] == "OpenOrdersMany"]
    assert (mine["labels"]["severity"], mine["labels"]["team"]) == ("warning", "trading")
    assert mine["annotations"]["summary"] == "A strategy has many open orders."
    assert mine["annotations"]["description"].endswith("has 1 orders open.")
    assert rules.exists()


@pytest.mark.seed("S1-47")
def test_a_bot_that_is_scraped_keeps_its_own_labels(stack_home: Path) -> None:
    running = up(home=stack_home, kind="native", ports=Ports.free(), evaluation_interval="1s", progress=quiet())
    # Any /metrics will do: the Collector's own, as if it were a bot.
    target = {"targets": [f"127.0.0.1:{running.ports.collector_metrics}"], "labels": {"job": "shop/bot"}}
    (running.bots / "bot.yaml").write_text(json.dumps([target]))
    wait_until(lambda: prometheus_query(running, 'up{job="shop/bot"} == 1'), 20, "the bot's target")


@pytest.mark.seed("S1-55")
def test_a_killed_collector_is_seen_and_up_brings_it_back(stack_home: Path) -> None:
    up(home=stack_home, kind="native", ports=Ports.free(), progress=quiet())
    pids = _pids(stack_home)
    os.kill(pids["collector"], signal.SIGKILL)
    wait_until(lambda: _states(stack_home)["collector"] == "down", 5, "the Collector to be down")
    shown = _cli("status", "--home", str(stack_home))
    assert shown.exit_code == 1
    assert "down" in next(line for line in shown.output.splitlines() if "collector" in line)
    up(home=stack_home, progress=quiet())
    assert set(_states(stack_home).values()) == {"healthy"}
    again = _pids(stack_home)
    assert again["collector"] != pids["collector"]
    assert {name: again[name] for name in again if name != "collector"} == {
        name: pids[name] for name in pids if name != "collector"
    }


def test_a_frozen_server_is_unhealthy_not_down(stack_home: Path) -> None:
    up(home=stack_home, kind="native", ports=Ports.free(), progress=quiet())
    pid = _pids(stack_home)["alertmanager"]
    os.kill(pid, signal.SIGSTOP)
    try:
        assert _states(stack_home)["alertmanager"] == "unhealthy"
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_taken_port_stops_everything_before_it_starts(stack_home: Path) -> None:
    ports = Ports.free()
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", ports.collector_health))
        occupant.listen()
        with pytest.raises(
            StackError, match=rf"Port {ports.collector_health} \(collector_health\) is taken by .*--port"
        ):
            up(home=stack_home, kind="native", ports=ports, progress=quiet())
    assert status(home=stack_home) == []
    assert not health.answers(f"http://127.0.0.1:{ports.prometheus}/-/healthy")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("groups: [", "promtool.*mine.yaml"),
        ("groups: [{name: g, rules: [{alert: A, expr: 'sum('}]}]", "promtool.*parse error"),
        ("groups: [{name: g, rules: [{alert: A, expr: '1', fro: 5m}]}]", "promtool.*field fro not found"),
    ],
)
def test_an_unreadable_rule_is_refused_in_the_tools_own_words(stack_home: Path, text: str, words: str) -> None:
    rules = stack_home / "config" / "my-rules" / "mine.yaml"
    rules.parent.mkdir(parents=True)
    rules.write_text(text)
    whose = r"These rules are yours\. Correct them and look again: otel-trading check .*/config/my-rules"
    with pytest.raises(StackError, match=f"(?s)is refused by {words}.*{whose}"):
        up(home=stack_home, kind="native", ports=Ports.free(), progress=quiet())
    assert status(home=stack_home) == []


def test_a_server_that_cannot_start_leaves_no_half_stack(stack_home: Path) -> None:
    ports = Ports.free()
    # Prometheus cannot lock its database where a folder has that name; no tool sees that beforehand.
    (stack_home / "data" / "prometheus" / "lock").mkdir(parents=True)
    with pytest.raises(StackError, match=r"(?s)prometheus ended right after its start\. .*prometheus\.log says.*lock"):
        up(home=stack_home, kind="native", ports=ports, progress=quiet())
    assert status(home=stack_home) == []
    for port in (ports.prometheus, ports.alertmanager, ports.webhook, ports.otlp_http):
        assert not health.answers(f"http://127.0.0.1:{port}/-/healthy")


def test_ctrl_c_leaves_no_half_stack(stack_home: Path) -> None:
    ports = Ports.free()
    arguments = [word for name, port in vars(ports).items() for word in ("--port", f"{name}={port}")]
    command = [
        sys.executable,
        "-c",
        "from otel_trading.cli import main; main()",
        "up",
        "--native",
        "--home",
        str(stack_home),
    ]
    waiting = subprocess.Popen([*command, *arguments], stderr=subprocess.PIPE, cwd=Path(__file__).parents[2])
    state = wait_until(lambda: State.load(stack_home), 20, "the first server")
    waiting.send_signal(signal.SIGINT)
    waiting.communicate(timeout=30)
    if waiting.returncode == 0:
        pytest.fail("the stack was up before the signal came")
    assert not State.path(stack_home).exists()
    assert not any(processes.is_alive(service.pid, service.birth) for service in state.services)
    assert _processes_of(stack_home) == []


def test_another_kind_or_other_ports_need_a_down_first(stack_home: Path) -> None:
    up(home=stack_home, kind="native", ports=Ports.free(), progress=quiet())
    with pytest.raises(StackError, match=r"docker was asked for\. End it first: otel-trading down"):
        up(home=stack_home, kind="docker", progress=quiet())
    with pytest.raises(StackError, match=r"on other ports .* End it first: otel-trading down"):
        up(home=stack_home, ports=Ports.free(), progress=quiet())


def test_docker_without_a_daemon_says_what_to_do(stack_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(StackError, match=r"Docker does not answer .* otel-trading up --native"):
        up(home=stack_home, kind="docker", progress=quiet())
    assert status(home=stack_home) == []


def test_grafana_is_left_out_with_one_line(
    stack_home: Path, monkeypatch: pytest.MonkeyPatch, servers: dict[str, Path]
) -> None:
    bin_only = os.pathsep.join({str(path.parent) for path in servers.values()})
    monkeypatch.setenv("PATH", bin_only)
    said: list[str] = []

    class _Heard(Progress):
        def say(self, line: str) -> None:
            said.append(line)

    up(home=stack_home, kind="native", ports=Ports.free(), progress=_Heard())
    assert [line for line in said if "Grafana is left out" in line] == said


@pytest.mark.seed("S0-33")
def test_down_keeps_what_was_stored_unless_told_otherwise(stack_home: Path) -> None:
    up(home=stack_home, kind="native", ports=Ports.free(), progress=quiet())
    assert set(down(home=stack_home)) >= _SERVICES
    assert status(home=stack_home) == []
    assert (stack_home / "data" / "prometheus").is_dir()
    assert down(home=stack_home) == []

    asked = CliRunner().invoke(cli, ["down", "--volumes", "--home", str(stack_home)], input="n\n")
    assert asked.exit_code == 1
    assert (stack_home / "data").exists()
    assert _cli("down", "--volumes", "--yes", "--home", str(stack_home)).exit_code == 0
    assert not (stack_home / "data").exists()


def test_the_commands_speak_json(stack_home: Path) -> None:
    arguments = [word for name, port in vars(Ports.free()).items() for word in ("--port", f"{name}={port}")]
    shown = _cli("up", "--native", "--home", str(stack_home), "--interval", "1s", "--json", *arguments)
    assert shown.exit_code == 0, shown.output
    result = json.loads(shown.stdout)
    assert result["kind"] == "native"
    assert set(result["urls"]) >= _SERVICES
    rows = json.loads(_cli("status", "--home", str(stack_home), "--json").stdout)
    assert {row["service"]: row["state"] for row in rows}.items() >= dict.fromkeys(_SERVICES, "healthy").items()
    assert json.loads(_cli("down", "--home", str(stack_home), "--json").stdout)["volumes_deleted"] is False
    empty = _cli("status", "--home", str(stack_home), "--json")
    assert (empty.exit_code, json.loads(empty.stdout)) == (1, [])
