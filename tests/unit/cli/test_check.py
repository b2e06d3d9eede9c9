"""`otel-trading check`: exit codes, words and JSON."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from otel_trading.cli import cli
from otel_trading.stack import build

TEMPLATE = Path(__file__).resolve().parents[3] / "alerts" / "my-rules.example.yaml"
BAD = "groups: [{name: a, rules: [{record: b, expr: trading_ordr_active}]}]"
SENTENCE = (
    "there is no series trading_ordr_active (did you mean trading_order_active?); all of them: otel-trading metrics"
)


def check(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["check", *map(str, arguments)])


def test_nothing_to_say_is_exit_0() -> None:
    result = check(TEMPLATE)

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.endswith("no findings in 1 file.\n")


def test_a_finding_is_exit_1_and_one_line(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(BAD)
    result = check(file, TEMPLATE)

    assert (result.exit_code, result.stdout) == (1, f"{file}:1: b: {SENTENCE}\n")
    assert result.stderr.endswith("1 finding in 2 files.\n")


def test_json_says_all_of_it(tmp_path: Path) -> None:
    file, other = tmp_path / "a.yaml", tmp_path / "alertmanager.yaml"
    file.write_text(BAD)
    other.write_text("receivers: []")
    result = check("--json", tmp_path)

    said: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == 1
    assert said["findings"] == [
        {"file": str(file), "line": 1, "where": "b", "kind": "unknown-series", "message": SENTENCE}
    ]
    assert (said["checked"], said["skipped"]) == ([str(file)], [str(other)])


def test_strict_refuses_what_nobody_declares(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("groups: [{name: a, rules: [{record: b, expr: 'mybot_rebalances + b'}]}]")

    assert check(file).exit_code == 0
    assert "there is no series mybot_rebalances; " in check("--strict", file).stdout


def test_without_promtool_it_says_who_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "found", lambda _name: None)

    assert "promtool is not built yet (otel-trading up builds it)" in check(TEMPLATE).stderr


@pytest.mark.parametrize(("path", "code"), [("nowhere.yaml", 2), ("", 2)])
def test_a_wrong_call_is_exit_2(path: str, code: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from otel_trading.cli import main; main()", "check", *([path] if path else [])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)

    assert done.returncode == code, done.stderr


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "promql_parser" else there(name))
    result = check(TEMPLATE)

    assert str(result.exception) == "This needs promql-parser. Install: pip install 'otel-trading[check]'"
