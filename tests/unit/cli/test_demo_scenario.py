from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from otel_trading.cli import cli
from otel_trading.demo.scenarios import ALL

if TYPE_CHECKING:
    from click.testing import Result

    from otel_trading.demo.scenarios import Scenario


def demo(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["demo", *arguments])


def test_the_list_says_what_each_does() -> None:
    listed = json.loads(demo("--scenario", "list", "--json").stdout)
    assert set(listed) == set(ALL)
    shown = demo("--scenario", "list").stdout
    assert all(about in shown for about in listed.values())


@pytest.mark.parametrize("scenario", ALL.values(), ids=ALL)
def test_every_scenario_says_in_one_sentence_what_goes_wrong(scenario: Scenario) -> None:
    assert scenario.about.endswith(".")


def test_an_unknown_one_is_answered_with_those_that_there_are() -> None:
    refused = demo("--scenario", "MarketDataStalled")
    assert refused.exit_code == 2
    said = " ".join(refused.output.split())
    assert "got 'MarketDataStalled'" in said
    assert "DailyLossLimitBreached" in said
    assert "Did you mean MarketDataStale?" in said
    assert "otel-trading demo --scenario list" in said


def test_a_scenario_needs_servers() -> None:
    refused = demo("--scenario", "MarketDataStale", "--embedded")
    assert refused.exit_code == 2
    assert "Give one of the two" in refused.output
