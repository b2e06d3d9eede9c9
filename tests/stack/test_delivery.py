"""`otel-trading apply`: what a repository has is in force, or all is as before; and the workflow of the guide."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner, Result

from bot_support import COMMAND, environment
from otel_trading.cli import cli
from otel_trading.errors import ConfigError, StackError
from otel_trading.stack import Ports, delivery, up
from stack_support import prometheus_query, quiet, wait_until

if TYPE_CHECKING:
    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

_GUIDE = Path(__file__).parents[2] / "alerts" / "README.md"


def _rules(folder: Path, name: str, record: str, expr: str = "vector(1)") -> Path:
    file = folder / "my-rules" / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        json.dumps({"groups": [{"name": name, "interval": "1s", "rules": [{"record": record, "expr": expr}]}]})
    )
    return file


def _apply(folder: Path, home: Path) -> Result:
    return CliRunner().invoke(cli, ["apply", str(folder), "--home", str(home), "--json"])


@pytest.fixture
def running(stack_home: Path) -> Stack:
    return up(home=stack_home, kind="native", ports=Ports.free(), evaluation_interval="1s", progress=quiet())


@pytest.mark.seed("S1-54")
def test_the_workflow_of_the_guide_delivers_each_change_and_stops_at_a_finding(running: Stack, tmp_path: Path) -> None:
    (text,) = re.findall(r"(?s)```yaml\n(.*?)```", _GUIDE.read_text(encoding="utf-8"))
    workflow: dict[Any, Any] = yaml.safe_load(text)
    assert workflow[True]["push"]["paths"] == ["monitoring/**"]  # YAML 1.1 reads `on` as true
    steps = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    variables = environment(None, XDG_DATA_HOME=str(running.home.parent), PATH=f"{COMMAND.parent}:{os.environ['PATH']}")
    (running.home.parent / "otel-trading").symlink_to(running.home)

    def push() -> int:
        done = [
            subprocess.run(
                ["bash", "-ec", step], cwd=tmp_path, env=variables, capture_output=True, timeout=60, check=False
            )
            for step in steps
        ]
        return max(one.returncode for one in done)

    monitoring = tmp_path / "monitoring"
    _rules(monitoring, "desk", "desk:one")
    assert push() == 0
    wait_until(lambda: prometheus_query(running, "desk:one == 1"), 20, "the rule")
    _rules(monitoring, "desk", "desk:one", "vector(2)")
    assert push() == 0
    wait_until(lambda: prometheus_query(running, "desk:one == 2"), 20, "its change")
    _rules(monitoring, "desk", "desk:one", 'trading_order_requets_total{trading_mode="live"}')
    assert push() == 1
    assert "vector(2)" in (running.home / "config" / "my-rules" / "desk.yaml").read_text()


def test_what_the_repository_no_longer_has_goes_and_what_is_of_another_hand_stays(
    running: Stack, tmp_path: Path
) -> None:
    config = running.home / "config"
    mine = _rules(config, "mine", "mine:one")
    old = _rules(tmp_path, "old", "desk:old")
    board = tmp_path / "my-boards" / "desk" / "board.json"
    board.parent.mkdir(parents=True)
    board.write_text('{"title": "Desk", "panels": []}')
    assert json.loads(_apply(tmp_path, running.home).stdout)["new"] == [
        "my-rules/old.yaml",
        "my-boards/desk/board.json",
    ]
    old.unlink()
    _rules(tmp_path, "new", "desk:new")
    said = json.loads(_apply(tmp_path, running.home).stdout)

    assert (said["new"], said["changed"], said["gone"]) == (["my-rules/new.yaml"], [], ["my-rules/old.yaml"])
    assert mine.exists()
    wait_until(lambda: prometheus_query(running, "desk:new"), 20, "the new rule")
    assert json.loads(_apply(tmp_path, running.home).stdout) == {"new": [], "changed": [], "gone": [], "findings": []}
    assert (config / "my-boards" / "desk" / "board.json").stat().st_mode & 0o777 == 0o644


def test_what_prometheus_refuses_is_taken_back(running: Stack, tmp_path: Path) -> None:
    _rules(tmp_path, "desk", "desk:one")
    delivery.deliver(tmp_path, running.home)
    _rules(tmp_path, "desk", "desk:one", "sum(")
    _rules(tmp_path, "more", "desk:two")

    with pytest.raises(StackError, match=r"(?s)Nothing was delivered, everything is as before\. Prometheus refuses"):
        delivery.deliver(tmp_path, running.home)

    config = running.home / "config"
    assert "vector(1)" in (config / "my-rules" / "desk.yaml").read_text()
    assert not (config / "my-rules" / "more.yaml").exists()
    assert json.loads((config / "delivered.json").read_text()) == ["my-rules/desk.yaml"]
    wait_until(lambda: prometheus_query(running, "prometheus_config_last_reload_successful == 1"), 20, "the old rules")


def test_a_file_of_another_hand_is_not_overwritten(tmp_path: Path) -> None:
    mine = _rules(tmp_path / "home" / "config", "desk", "mine:one")
    _rules(tmp_path / "repository", "desk", "desk:one")
    before = mine.read_text()

    with pytest.raises(ConfigError, match=r"desk\.yaml is of another hand\. Move it away"):
        delivery.deliver(tmp_path / "repository", tmp_path / "home")
    assert mine.read_text() == before


def test_an_empty_folder_and_a_link_and_our_own_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"has nothing to deliver\. It may have the folders my-rules, my-boards, bots"
    ):
        delivery.deliver(tmp_path, tmp_path / "home")
    secret = tmp_path / "secret"
    secret.write_text("key")
    (tmp_path / "my-rules").mkdir()
    (tmp_path / "my-rules" / "a.yaml").symlink_to(secret)
    with pytest.raises(ConfigError, match=r"a\.yaml is a link, which may lead to anything"):
        delivery.deliver(tmp_path, tmp_path / "home")
    (tmp_path / "my-rules" / "a.yaml").unlink()
    _rules(tmp_path, "thresholds", "a:b")
    with pytest.raises(ConfigError, match="has the name of what `otel-trading alerts --set` writes"):
        delivery.deliver(tmp_path, tmp_path / "home")


def test_a_folder_that_the_repository_lacks_is_left_alone(tmp_path: Path) -> None:
    rules = _rules(tmp_path / "repository", "desk", "desk:one")
    bots = tmp_path / "repository" / "bots" / "a.yaml"
    bots.parent.mkdir()
    bots.write_text("- targets: ['127.0.0.1:9464']\n")
    delivery.deliver(tmp_path / "repository", tmp_path / "home")
    bots.unlink()
    bots.parent.rmdir()
    rules.unlink()
    changes = delivery.deliver(tmp_path / "repository", tmp_path / "home")

    assert changes == delivery.Changes(gone=["my-rules/desk.yaml"])
    assert (tmp_path / "home" / "config" / "bots" / "a.yaml").exists()


def test_a_note_that_cannot_be_read_takes_nothing_away(tmp_path: Path) -> None:
    _rules(tmp_path / "repository", "desk", "desk:one")
    note = tmp_path / "home" / "config" / "delivered.json"
    note.parent.mkdir(parents=True)
    note.write_text('["../../x", "my-rules/../../x", 7')
    with pytest.raises(StackError, match=r"Cannot read .*delivered\.json"):
        delivery.deliver(tmp_path / "repository", tmp_path / "home")
    note.write_text('["../x", "my-rules/../../x", 7]')
    (tmp_path / "home" / "x").write_text("mine")
    delivery.deliver(tmp_path / "repository", tmp_path / "home")
    assert (tmp_path / "home" / "x").exists()
