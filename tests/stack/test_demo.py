"""The demo end to end, as a user starts it: real servers, a real venue, a real bot."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from otel_trading import stack
from stack_support import json_lines

COMMAND = (sys.executable, "-c", "from otel_trading.cli import main; main()", "demo")


def demo(*arguments: str, seconds: float = 110, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def processes_with(text: str) -> list[str]:
    """Command lines that name a home, or that log into it: whatever the demo started does one or the other."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # gone meanwhile
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if text in line + str((process / "fd" / "2").readlink()) and int(process.name) != os.getpid():
                found.append(line)
    return found


def wait_for(path: Path, word: str, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not path.exists() or word not in path.read_text():
        assert time.monotonic() < until, f"{word!r} never came to {path}"
        time.sleep(0.1)


@pytest.mark.stack
def test_the_demo_trades_pages_and_leaves_nothing_behind(servers: dict[str, Path], tmp_path: Path) -> None:
    assert servers
    run = demo("--native", "--duration", "25", "--json", "--home", str(tmp_path), NO_COLOR="1")
    assert run.returncode == 0, run.stderr
    result: dict[str, Any] = json.loads(run.stdout)
    assert result["source"] == "prometheus"
    assert result["fills"] > 0
    assert result["orders"] > 0
    assert result["equity"] != 100_000
    assert "DailyLossLimitBreached" in result["alerts_delivered"]
    assert not result["kept"]
    lines = json_lines(Path(result["alerts_file"]))
    breached = next(line for line in lines if line["labels"]["alertname"] == "DailyLossLimitBreached")
    assert breached["labels"]["service_name"] == "demo-bot"
    for said in ("connection market_b is lost", "delivered: DailyLossLimitBreached", "fills"):
        assert said in run.stderr
    assert "\x1b" not in run.stderr
    assert stack.status(home=tmp_path) == []
    assert processes_with(str(tmp_path)) == []


@pytest.mark.stack
def test_a_scenario_shows_its_alert_from_the_fault_to_the_end(servers: dict[str, Path], tmp_path: Path) -> None:
    assert servers
    run = demo("--native", "--scenario", "DailyLossLimitBreached", "--json", "--home", str(tmp_path), NO_COLOR="1")
    assert run.returncode == 0, run.stderr
    result: dict[str, Any] = json.loads(run.stdout)
    assert [one["status"] for one in result["delivered"]] == ["firing", "resolved"]
    for said in (result["about"], "delivered to trading-critical", "the cause has ended", "resolved"):
        assert said in run.stderr
    assert processes_with(str(tmp_path)) == []


@pytest.mark.stack
def test_a_scenario_whose_alert_does_not_arrive_is_a_failure(stack_home: Path) -> None:
    stack.up(home=stack_home, kind="native", ports=stack.Ports.free(), evaluation_interval="1s", speedup=60)
    run = demo("--scenario", "DailyLossLimitMissing", "--duration", "1", "--home", str(stack_home))
    assert run.returncode == 1
    assert "not firing within 1 s" in run.stderr


@pytest.mark.stack
def test_a_stack_that_was_up_stays_up(stack_home: Path) -> None:
    stack.up(home=stack_home, kind="native", ports=stack.Ports.free(), evaluation_interval="1s")
    run = demo("--duration", "6", "--home", str(stack_home))
    assert "The stack runs on:" in run.stdout, run.stderr
    assert {service.state for service in stack.status(home=stack_home)} == {"healthy"}


def test_embedded_needs_no_server(tmp_path: Path) -> None:
    run = demo("--embedded", "--duration", "20", "--json", "--home", str(tmp_path))
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert result["source"] == "embedded"
    assert result["fills"] > 0
    assert result["urls"] == {}
    assert "session P&L" in run.stderr


def test_without_docker_go_and_servers_it_starts_anyway_and_says_what_is_missing(tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    run = demo("--duration", "10", "--json", "--home", str(tmp_path / "home"), PATH="", XDG_CACHE_HOME=cache)
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert result["source"] == "embedded"
    assert "go.dev" in result["missing"] or "Docker" in result["missing"]
    assert result["missing"] in run.stderr


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_everything_in_order(tmp_path: Path, sign: signal.Signals) -> None:
    said = tmp_path / "said"
    with (
        said.open("w") as out,
        subprocess.Popen([*COMMAND, "--embedded", "--home", str(tmp_path)], stdout=out, stderr=out) as process,
    ):
        wait_for(said, "connection market_a is connected")
        children = processes_of(process.pid)
        process.send_signal(sign)
        process.wait(timeout=20)
    assert len(children) == 2
    assert "Traceback" not in said.read_text()
    assert not [child for child in children if Path(f"/proc/{child}").exists()]


def processes_of(parent: int) -> list[str]:
    stats = [(path.parent.name, path.read_text()) for path in Path("/proc").glob("[0-9]*/stat") if path.exists()]
    return [name for name, stat in stats if stat.rpartition(")")[2].split()[1] == str(parent)]


def test_a_duration_that_is_no_number_is_a_usage_error() -> None:
    run = demo("--duration", "soon")
    assert run.returncode == 2
