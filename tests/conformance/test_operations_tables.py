"""alerts/OPERATIONS.md: every line of its tables names what exists: command, query, panel, alert, threshold or file."""

from __future__ import annotations

import configparser
import json
import re
import shlex
from typing import TYPE_CHECKING, Any

import click
import pytest
import yaml

from guide_support import ROOT, rows
from otel_trading.check.expressions import complaints
from otel_trading.check.names import Names
from otel_trading.cli import cli
from otel_trading.stack import Ports
from otel_trading.thresholds import BY_NAME
from proof_support import RULES
from stack_support import prometheus_query

if TYPE_CHECKING:
    from otel_trading.stack import Stack

SIGNS = rows("alerts/OPERATIONS.md", "Early signs")
REVIEWS = rows("alerts/OPERATIONS.md", "When to look again")
NAMES = Names(strict=True).and_rules(
    rule
    for file in (ROOT / "alerts").rglob("*.yaml")
    for group in (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("groups", ())
    for rule in group["rules"]
)


def _panels() -> set[str]:
    found: set[str] = set()
    for file in (ROOT / "dashboards" / "json").glob("*.json"):
        board: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        inner = [one for panel in board["panels"] for one in (panel, *panel.get("panels", ()))]
        found |= {f"{board['title']}: {panel['title']}" for panel in inner}
    return found


PANELS = _panels()


@pytest.mark.seed("S1-57", "S4-25")
def test_what_it_needs_is_what_is_set() -> None:
    needs = dict(rows("alerts/OPERATIONS.md", "What it needs"))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    servers = [file.read_text(encoding="utf-8") for file in (ROOT / "otel_trading/stack/servers").glob("*/go.mod")]
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    sizes = [one["mem_limit"] for name, one in services.items() if name != "prepare"]
    mib = sum(int(size[:-1]) * {"m": 1, "g": 1024}[size[-1]] for size in sizes)

    assert f'requires-python = ">={needs["Python"].split()[0]}"' in project
    assert {re.findall(r"(?m)^go (\d+\.\d+)", text)[0] for text in servers} == {
        re.findall(r"Go (\d+\.\d+)", needs["servers"])[0]
    }
    assert f"{mib / 1024:g} GiB together" in needs["memory"]
    assert mib < 4096
    assert set(map(int, re.findall(r"\d{4,}", needs["ports, on loopback"]))) == set(vars(Ports()).values())


@pytest.mark.seed("S1-57")
def test_nobody_signs_up_and_each_board_chooses_its_data_source() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "dashboards" / "provisioning" / "grafana.ini")
    assert settings["users"]["allow_sign_up"] == settings["auth.anonymous"]["enabled"] == "false"
    for file in (ROOT / "dashboards" / "json").glob("*.json"):
        variables = json.loads(file.read_text(encoding="utf-8"))["templating"]["list"]
        assert "datasource" in {variable["type"] for variable in variables}, file


@pytest.mark.seed("S3-61")
@pytest.mark.parametrize("row", SIGNS, ids=[row[0] for row in SIGNS])
def test_an_early_sign_can_be_looked_up(row: list[str], stack: Stack) -> None:
    _, query, panel, alert, threshold = row

    assert complaints(query.strip("`"), NAMES) == []
    prometheus_query(stack, query.strip("`"))
    assert panel in PANELS
    rules = [rule for rule in RULES if rule["alert"] == alert]
    assert threshold in BY_NAME or (alert, threshold) == ("SeriesFolded", "")
    assert any(threshold in rule["expr"] for rule in rules), "there is no such alert, or it compares with another one"


@pytest.mark.seed("S3-61")
def test_the_signs_that_the_practice_names_are_among_them() -> None:
    assert {"SlippageHigh", "VenueErrorRateHigh", "MemoryHigh"} <= {row[3] for row in SIGNS}


@pytest.mark.seed("S3-62")
@pytest.mark.parametrize("row", REVIEWS, ids=[f"{row[0]} {row[1]}"[:60] for row in REVIEWS])
def test_a_review_names_what_there_is(row: list[str]) -> None:
    commands = [text for text in re.findall(r"`([^`]+)`", row[2]) if text.startswith("otel-trading ")]
    files = [text for text in re.findall(r"`([^`]+)`", row[2]) if not text.startswith("otel-trading ")]
    panels = [text.strip() for text in re.sub(r"`[^`]*`", "", row[2]).split(",") if text.strip()]

    assert commands or files or panels
    for command in commands:
        name, *arguments = shlex.split(command)[1:]
        found = cli.get_command(click.Context(cli), name)
        assert found is not None
        found.make_context(name, [*arguments])  # it takes them out of the list
        assert name != "query" or complaints(arguments[0], NAMES) == []
    assert [file for file in files if not (ROOT / file).exists()] == []
    assert set(panels) <= PANELS


@pytest.mark.seed("S3-62")
def test_there_are_reviews_of_each_day_week_and_month() -> None:
    assert {row[0].split(",")[0] for row in REVIEWS} >= {"each day", "each week", "each month"}
