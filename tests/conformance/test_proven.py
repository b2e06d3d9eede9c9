"""Every alert is raised end to end by a real fault: in a scenario that a bot plays, or on a stack that is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from otel_trading.demo.scenarios import ALL
from proof_support import CLOCKS, DEATHS, DEPENDENCIES, FAULTS, HARMS, RULES

if TYPE_CHECKING:
    from otel_trading.demo.scenarios import Scenario

#: No bot can raise these; the slow tests that do so go by these very tables.
BROKEN: Final = {**FAULTS, **DEATHS, **HARMS, **DEPENDENCIES, **CLOCKS}


def _provokes(scenario: Scenario, rule: dict[str, Any]) -> bool:
    given = {name: rule["labels"].get(name, "") for name in scenario.labels}
    return scenario.alert == rule["alert"] and given == scenario.labels


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_is_proven_end_to_end_in_one_way(rule: dict[str, Any]) -> None:
    played = [scenario.name for scenario in ALL.values() if _provokes(scenario, rule)]

    assert bool(played) != (rule["alert"] in BROKEN), played


def test_what_is_proven_is_an_alert_that_there_is() -> None:
    alerts = {rule["alert"] for rule in RULES}

    assert BROKEN.keys() | {scenario.alert for scenario in ALL.values()} == alerts
    assert len(BROKEN) == len(FAULTS) + len(DEATHS) + len(HARMS) + len(DEPENDENCIES) + len(CLOCKS)
