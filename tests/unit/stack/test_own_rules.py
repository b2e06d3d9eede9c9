"""What `up` says about a user's own rules, with and without promtool's word."""

from __future__ import annotations

import importlib.util
import io
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from otel_trading.errors import StackError
from otel_trading.stack import Ports, build, own_rules, status, up
from otel_trading.stack.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

MISSPELT = "groups: [{name: a, rules: [{record: b, expr: trading_ordr_active}]}]"
FINDING = (
    "b: there is no series trading_ordr_active (did you mean trading_order_active?); all of them: otel-trading metrics"
)


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(build, "found", lambda _name: None)
    file = tmp_path / "config" / "my-rules" / "mine.yaml"
    file.parent.mkdir(parents=True)
    return file


def said(mine: Path, *, accepted: bool = True) -> str:
    told = io.StringIO()
    own_rules.look(mine.parents[1], Progress(Console(file=told)), accepted=accepted)
    return told.getvalue()


@pytest.mark.parametrize("accepted", [True, False])
def test_a_misspelt_series_is_told_and_starts_nevertheless(mine: Path, *, accepted: bool) -> None:
    mine.write_text(MISSPELT)

    assert said(mine, accepted=accepted) == (
        f"Prometheus loads your rules, but not all of them will work:\n{mine}:1: {FINDING}\n"
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("groups: [", "this is no YAML: "),
        ("groups: [{name: a, rules: [{record: b, expr: 'sum('}]}]", "b: this is no PromQL: unclosed left parenthesis"),
        ("groups: [{name: a, rules: [{record: b, exprr: 1}]}]", "b: it has no expression; add `expr:` with PromQL"),
    ],
)
def test_without_promtool_what_prometheus_refuses_is_refused(mine: Path, text: str, sentence: str) -> None:
    mine.write_text(text)
    with pytest.raises(StackError) as refused:
        said(mine, accepted=False)
    words = f"Your rules in {mine.parent} are refused; nothing was started. Correct them:\n{mine}:1: "

    assert str(refused.value).startswith(f"{words}{sentence}")


def test_what_promtool_takes_is_not_refused(mine: Path) -> None:
    mine.write_text("groups: [{name: a, rules: [{record: b, expr: 'rate(mine_total[1h - 5m])'}]}]")

    assert "this is no PromQL" in said(mine)


@pytest.mark.parametrize("text", ["", "groups: []", "groups: [{name: a, rules: []}]"])
def test_a_file_without_rules_stops_nothing(mine: Path, text: str) -> None:
    mine.write_text(text)

    assert f"{mine}:1: " in said(mine, accepted=False)


def test_no_rules_and_good_rules_need_no_word(mine: Path) -> None:
    assert said(mine) == ""
    mine.write_text(MISSPELT.replace("trading_ordr_active", "mine_orders"))
    assert said(mine) == ""


def test_without_the_extra_nothing_is_said(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine.write_text(MISSPELT)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    assert said(mine) == ""


@pytest.mark.parametrize("kind", ["native", "docker"])
def test_up_looks_before_it_starts_anything(
    kind: str, stack_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tool = tmp_path / "bin" / "docker"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
    mine = stack_home / "config" / "my-rules" / "mine.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("groups: [{name: a, rules: [{record: b, expr: 'sum('}]}]")
    with pytest.raises(StackError, match=r"(?s)refused.*nothing was started.*unclosed left parenthesis"):
        up(home=stack_home, kind="docker" if kind == "docker" else "native", ports=Ports.free(), progress=Progress())

    assert status(home=stack_home) == []
