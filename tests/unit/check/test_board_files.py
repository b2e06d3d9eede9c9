"""What is wrong with a Grafana board, with its line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from otel_trading.check import files

if TYPE_CHECKING:
    from pathlib import Path

BAD = 'trading_order_requests_total{trading_mode="$mode"}'
SENTENCE = (
    "trading_order_requests_total is a counter: it only grows and starts again with the process, so that its value "
    "says nothing; use rate(trading_order_requests_total[5m]) or increase"
)


def board(**more: Any) -> dict[str, Any]:
    return {"title": "Mine", "schemaVersion": 38, "panels": [], **more}


def panel(expression: str, **more: Any) -> dict[str, Any]:
    return {"title": "Orders", "targets": [{"expr": expression}], **more}


def found(tmp_path: Path, loaded: Any) -> list[str]:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(loaded, indent=1))
    return [str(finding).removeprefix(f"{file}:") for finding in files.check([file]).findings]


def test_an_expression_of_a_panel_is_judged_on_its_own_line(tmp_path: Path) -> None:
    assert found(tmp_path, board(panels=[panel("up"), panel(BAD), panel(BAD)])) == [
        f"17: panel 'Orders': {SENTENCE}",
        f"25: panel 'Orders': {SENTENCE}",
    ]


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"panels": [{"type": "row", "panels": [panel(BAD)]}]}, "panel 'Orders'"),
        ({"annotations": {"list": [{"name": "Halts", "expr": BAD}]}}, "annotation 'Halts'"),
        (
            {"templating": {"list": [{"type": "query", "name": "n", "query": {"query": f"query_result({BAD})"}}]}},
            "variable 'n'",
        ),
        ({"panels": [panel(BAD, datasource={"type": "prometheus", "uid": "${datasource}"})]}, "panel 'Orders'"),
        ({"panels": [panel(BAD, datasource="Prometheus")]}, "panel 'Orders'"),
    ],
)
def test_every_expression_is_found(tmp_path: Path, more: dict[str, Any], where: str) -> None:
    (finding,) = found(tmp_path, board(**more))
    assert finding.endswith(f"{where}: {SENTENCE}")
    (wrapped,) = found(tmp_path, {"meta": {}, "dashboard": board(**more)})
    assert wrapped.endswith(f"{where}: {SENTENCE}")


def test_a_variable_asks_for_labels_that_are_there(tmp_path: Path) -> None:
    query = 'label_values(trading_order_active{trading_mode="live"}, trading_venue)'
    (finding,) = found(tmp_path, board(templating={"list": [{"type": "query", "name": "venue", "query": query}]}))

    assert "trading_order_active has no label trading_venue (did you mean trading_venue_name?)" in finding


@pytest.mark.parametrize(
    "more",
    [
        {"panels": [panel(BAD, datasource={"type": "loki", "uid": "logs"})]},
        {"panels": [{"title": "Text", "type": "text"}, {"title": "Empty", "targets": [{"expr": ""}, {"refId": "B"}]}]},
        {"templating": {"list": [{"type": "query", "name": "all", "query": 'label_values({job="a"}, job)'}]}},
        {"templating": {"list": [{"type": "query", "name": "names", "query": "label_values(job)"}]}},
        {"templating": {"list": [{"type": "custom", "name": "mode", "query": "live,paper"}]}},
    ],
)
def test_what_is_no_query_of_ours_is_left_alone(tmp_path: Path, more: dict[str, Any]) -> None:
    assert found(tmp_path, board(**more)) == []


@pytest.mark.parametrize(
    ("loaded", "got"),
    [
        ([], "no list of panels"),
        ({"title": "Mine"}, "no list of panels"),
        ({"elements": {}}, "a board of schema v2"),
        ({"dashboard": None}, "no list of panels"),
    ],
)
def test_what_is_no_board_is_refused(tmp_path: Path, loaded: Any, got: str) -> None:
    assert found(tmp_path, loaded) == [
        f"1: this is no board that can be read, got {got}; export it from Grafana as classic JSON"
    ]
