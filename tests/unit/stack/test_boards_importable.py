"""Copies of boards for import: what Grafana's import asks for, and what it makes of the answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from otel_trading.cli.boards import command
from otel_trading.errors import ConfigError
from otel_trading.stack._files import shipped
from otel_trading.stack.boards import export, importable

if TYPE_CHECKING:
    from pathlib import Path

FILES = sorted(shipped("dashboards/json").glob("*.json"))


def _import(board: dict[str, Any], answers: dict[str, str]) -> dict[str, Any]:
    """What Grafana's import does (pkg/services/dashboardimport): every `${NAME}` of an input becomes its answer."""
    asked = {each["name"] for each in board["__inputs"]}
    assert asked <= answers.keys(), "Dashboard input variable missing from import command"
    text = json.dumps({key: value for key, value in board.items() if key != "__inputs"})
    for name in asked:
        text = text.replace(f"${{{name}}}", answers[name])
    imported: dict[str, Any] = json.loads(text)
    return imported


def _uids(part: Any) -> set[str]:
    found = {part["datasource"]["uid"]} if isinstance(part, dict) and part.get("datasource") else set()
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return found.union(*map(_uids, inner))


@pytest.mark.seed("S3-48")
def test_each_board_asks_for_its_data_source_and_names_no_other(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["export", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.output
    made = [json.loads((tmp_path / file.name).read_text()) for file in FILES]
    assert json.loads(done.stdout) == [str(tmp_path / file.name) for file in FILES]
    for board, ours in zip(made, (json.loads(file.read_text()) for file in FILES), strict=True):
        (asked,) = board["__inputs"]
        assert (asked["name"], asked["type"], asked["pluginId"]) == ("DS_PROMETHEUS", "datasource", "prometheus")
        imported = _import(board, {"DS_PROMETHEUS": "my-own-uid"})
        assert _uids(imported) == {"my-own-uid"}
        assert "${datasource}" not in json.dumps(imported)
        assert imported["uid"] == ours["uid"]
        assert imported["id"] is None
        assert [panel.get("targets", []) == [] for panel in board["panels"]] == [
            panel.get("targets", []) == [] for panel in ours["panels"]
        ]
        names = [variable["name"] for variable in ours["templating"]["list"] if variable["name"] != "datasource"]
        assert [variable["name"] for variable in imported["templating"]["list"]] == names


def test_it_says_what_it_needs() -> None:
    board = json.loads(shipped("dashboards/json/otel-trading-overview.json").read_text())
    required = importable(board)["__requires"]
    kinds = {panel["type"] for panel in board["panels"]} - {"row"}
    assert {each["id"] for each in required if each["type"] == "panel"} == kinds
    others = [(each["type"], each["id"], each["version"]) for each in required if each["type"] != "panel"]
    assert others == [("grafana", "grafana", "9.4.0"), ("datasource", "prometheus", "1.0.0")]


def test_the_board_itself_stays_as_it_is_and_a_copy_of_a_copy_is_the_same() -> None:
    text = FILES[0].read_text()
    board = json.loads(text)
    copy = importable(board)
    assert board == json.loads(text)
    assert importable(copy) == copy


def test_a_users_board_with_several_sources_asks_for_each_and_leaves_grafanas_own() -> None:
    sources = [
        {"type": "prometheus", "uid": "abc"},
        {"type": "prometheus", "uid": "def"},
        {"type": "loki", "uid": "$logs"},
        {"type": "datasource", "uid": "-- Mixed --"},
        {"type": "__expr__", "uid": "__expr__"},
        {"type": "prometheus", "uid": "abc"},
    ]
    panels = [{"type": "timeseries", "datasource": source, "targets": [{"datasource": source}]} for source in sources]
    logs = {"type": "datasource", "name": "logs", "query": "loki"}
    board = importable({"title": "x", "panels": panels, "templating": {"list": [logs]}})
    assert [each["name"] for each in board["__inputs"]] == ["DS_PROMETHEUS", "DS_PROMETHEUS_2", "DS_LOKI"]
    answers = {"DS_PROMETHEUS": "1", "DS_PROMETHEUS_2": "2", "DS_LOKI": "3"}
    chosen = [panel["targets"][0]["datasource"]["uid"] for panel in _import(board, answers)["panels"]]
    assert chosen == ["1", "2", "3", "-- Mixed --", "__expr__", "1"]


@pytest.mark.parametrize(("text", "words"), [("{", "cannot be read"), ("[]", "no panels"), ("{}", "no panels")])
def test_what_is_no_board_is_refused_and_nothing_is_written(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match=words):
        export([file], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_is_never_written_over_what_it_was_made_from(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Two boards would be one file"):
        export([FILES[0]], FILES[0].parent)
    with pytest.raises(ConfigError, match="Two boards would be one file"):
        export([FILES[0], FILES[0]], tmp_path)
