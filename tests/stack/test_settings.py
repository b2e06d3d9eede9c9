"""What the running Prometheus itself says about its settings."""

from __future__ import annotations

import configparser
import json
import re
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner

from bot_support import prometheus_get
from otel_trading.cli import cli
from otel_trading.stack import Ports, Stack, down, find, status
from otel_trading.stack._files import shipped
from stack_support import prometheus_query, wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.stack

_DAY = 86400


def _up(home: Path, *arguments: str) -> Stack:
    done = CliRunner().invoke(cli, ["up", "--native", "--home", str(home), *arguments])
    assert done.exit_code == 0, (done.output, done.exception)
    return find(home=home)


def _ports() -> list[str]:
    return [word for name, port in vars(Ports.free()).items() for word in ("--port", f"{name}={port}")]


def _shown(home: Path) -> tuple[dict[str, str], str]:
    """What `status` says of Prometheus, for programs and for people."""
    words = CliRunner().invoke(cli, ["status", "--home", str(home)]).stdout.splitlines()[-1]
    rows = json.loads(CliRunner().invoke(cli, ["status", "--home", str(home), "--json"]).stdout)
    (settings,) = [row["settings"] for row in rows if row["settings"]]
    return settings, words


def _intervals(stack: Stack) -> dict[str, float]:
    return {group["name"]: group["interval"] for group in prometheus_get(stack, "rules")["groups"]}


@pytest.mark.seed("S1-37")
def test_it_keeps_data_for_a_bounded_time_and_size_and_reloads_on_request(stack: Stack) -> None:
    config = yaml.safe_load(prometheus_get(stack, "status/config")["yaml"])

    assert prometheus_get(stack, "status/flags")["web.enable-lifecycle"] == "true"
    assert re.fullmatch(r"\d+d", config["storage"]["tsdb"]["retention"]["time"])
    assert re.fullmatch(r"\d+[GM]i?B", config["storage"]["tsdb"]["retention"]["size"])


@pytest.mark.seed("S0-37")
def test_the_interval_is_fifteen_seconds_and_another_one_when_asked(stack: Stack) -> None:
    config = yaml.safe_load(prometheus_get(stack, "status/config")["yaml"])
    ours = yaml.safe_load(shipped("collector/prometheus.yaml").read_text(encoding="utf-8"))

    assert ours["global"]["scrape_interval"] == "15s"
    assert config["global"]["scrape_interval"] == config["global"]["evaluation_interval"] == "1s"


@pytest.mark.seed("S2-27", "S4-21")
def test_what_is_said_once_holds_for_the_next_stack_too(stack_home: Path) -> None:
    first = _up(
        stack_home, *_ports(), "--retention-time", "30d", "--scrape-interval", "5s", "--evaluation-interval", "30s"
    )
    said = {
        "retention_time": "30d",
        "retention_size": "10GB",
        "scrape_interval": "5s",
        "evaluation_interval": "30s",
    }
    words = "retention time 30d, retention size 10GB, scrape interval 5s, evaluation interval 30s"
    assert _shown(stack_home) == (said, f"prometheus: {words}")
    assert prometheus_get(first, "status/runtimeinfo")["storageRetention"] == "30d or 10GiB"
    asked = wait_until(lambda: prometheus_get(first, "targets")["activeTargets"], 20, "the targets")
    assert {target["scrapeInterval"] for target in asked} == {"5s"}
    rules: list[dict[str, Any]] = []
    for file in [shipped("alerts/thresholds.yaml"), *shipped("alerts/rules").glob("*.yaml")]:
        rules += yaml.safe_load(file.read_text())["groups"]
    shipped_ones = {group["name"]: group.get("interval", "15s") for group in rules}
    seconds = {"1s": 1, "15s": 30, "1m": 60, "5m": 300}
    assert _intervals(first) == {name: seconds[text] for name, text in shipped_ones.items()}

    pids = {one.service: one.pid for one in status(home=stack_home)}
    _up(stack_home, "--retention-time", "5d", "--retention-size", "2GB")
    assert prometheus_get(first, "status/runtimeinfo")["storageRetention"] == "5d or 2GiB"
    assert {one.service: one.pid for one in status(home=stack_home)} == pids

    down(home=stack_home)
    _up(stack_home, *_ports())
    assert _shown(stack_home)[0] == said | {"retention_time": "5d", "retention_size": "2GB"}


def _store(promtool: Path, home: Path, ages: list[int]) -> None:
    """Have Prometheus' own tool write one block for each of so many days ago."""
    now = int(time.time())
    lines = [f'old{{days="{age}"}} 1 {now - age * _DAY}' for age in sorted(ages, reverse=True)]
    text = "\n".join(["# TYPE old gauge", *lines, "# EOF", ""])
    data = home / "data" / "prometheus"
    data.mkdir(parents=True)
    command = [str(promtool), "tsdb", "create-blocks-from", "openmetrics", "/dev/stdin", str(data)]
    subprocess.run(command, input=text, text=True, check=True, capture_output=True, timeout=60)


@pytest.mark.seed("S3-58")
def test_what_is_older_goes_and_what_is_younger_stays(stack_home: Path, promtool: Path) -> None:
    _store(promtool, stack_home, [2, 20, 45])
    running = _up(stack_home, *_ports(), "--retention-time", "30d")

    def _days() -> set[str]:
        return {row["metric"]["days"] for row in prometheus_query(running, "last_over_time(old[90d])")}

    wait_until(lambda: _days() == {"2", "20"}, 20, "the oldest block to go")
    down(home=stack_home)
    running = _up(stack_home, *_ports())
    assert _days() == {"2", "20"}


def test_no_board_asks_more_often_than_grafana_allows() -> None:
    settings = configparser.ConfigParser()
    settings.read(shipped("dashboards/provisioning/grafana.ini"))
    least = settings["dashboards"]["min_refresh_interval"]
    refreshes = {json.loads(file.read_text())["refresh"] for file in shipped("dashboards/json").glob("**/*.json")}

    assert least == "5s"
    assert refreshes
    assert all(int(text.removesuffix("s")) >= int(least.removesuffix("s")) for text in refreshes)
