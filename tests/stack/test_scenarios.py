"""Every alert, from what a bot says to the delivered text, on one real stack whose rules pass faster."""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from otel_trading.demo.scenarios import ALL, thresholds
from otel_trading.demo.scenarios.player import Notification, play
from proof_support import RULES, faults_in_text
from stack_support import prometheus_query, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.demo.scenarios import Scenario
    from otel_trading.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(400)]

#: Bots at once: more would be late on two cores, and what is late looks like what is lost.
AT_ONCE: Final = 16
#: Seconds in which a scenario has to be delivered, and afterwards has to be resolved.
PATIENCE: Final = 120.0
#: Seconds to wait for what must not come: two rounds of Alertmanager's `group_interval`.
SETTLE: Final = 6.0


def _rule(scenario: Scenario) -> dict[str, Any]:
    """Return the one rule that a scenario provokes."""
    rule: dict[str, Any]
    (rule,) = [
        rule
        for rule in RULES
        if rule["alert"] == scenario.alert
        and all(rule["labels"].get(name, "") == value for name, value in scenario.labels.items())
    ]
    return rule


PLAYED = [scenario for scenario in ALL.values() if scenario.alert in {rule["alert"] for rule in RULES}]
each = pytest.mark.parametrize("scenario", PLAYED, ids=lambda scenario: scenario.name)


@dataclass(frozen=True)
class Played:
    """What came of one scenario, in the order in which it came; `seconds` from the fault to the first notification."""

    arrived: list[Notification]
    seconds: float
    complaint: str = ""

    def of(self, scenario: Scenario, status: str) -> list[Notification]:
        return [one for one in self.arrived if one.status == status and scenario.is_meant_by(one.labels)]

    def times(self, scenario: Scenario, status: str) -> int:
        """How often it was told; one notification may hold the alert for several sets of labels."""
        return len({one.received for one in self.of(scenario, status)})


@pytest.fixture(scope="module")
def played(
    fast_stack: Stack, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> dict[str, Played]:
    """All scenarios, or those that were selected, so many at once as the machine takes."""
    logs = tmp_path_factory.mktemp("logs")
    selected = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    scenarios = [scenario for scenario in PLAYED if {"scenario": scenario} in selected]
    with thresholds.in_force(fast_stack, scenarios), ThreadPoolExecutor(AT_ONCE) as pool:
        results = pool.map(lambda scenario: _play(fast_stack, scenario, logs), scenarios)
        return dict(zip((scenario.name for scenario in scenarios), results, strict=True))


def _play(running: Stack, scenario: Scenario, logs: Path) -> Played:
    """Play one scenario to its end; what did not come in time is for the test of that scenario to say."""
    begun = time.monotonic()
    seconds = float("nan")
    with play(running, scenario, logs) as playing:

        def has(status: str) -> bool:
            return bool(Played(playing.arrived(), seconds).of(scenario, status))

        try:
            wait_until(lambda: has("firing"), PATIENCE, f"{scenario.name} to be delivered")
            seconds = time.monotonic() - begun
            time.sleep(SETTLE)  # nothing marks the notification that does not come
            playing.end_cause()
            if scenario.resolves:
                wait_until(lambda: has("resolved"), PATIENCE, f"the end of {scenario.name} to be delivered")
        except AssertionError as error:
            said = (logs / f"{scenario.service}.log").read_text()[-2000:]
            return Played(playing.arrived(), seconds, f"{error}; its bot said: {said}")
        return Played(playing.arrived(), seconds)


@each
def test_a_scenario_raises_its_alert_once_at_the_right_receiver(
    scenario: Scenario, played: dict[str, Played], fast_stack: Stack, amtool: Path
) -> None:
    result, rule = played[scenario.name], _rule(scenario)
    assert not result.complaint

    assert result.times(scenario, "firing") == 1, "told once, however long it goes on"
    told = result.of(scenario, "firing")[0]
    assert told.receiver == _receiver(fast_stack, amtool, {"alertname": scenario.alert, **rule["labels"]})
    own = {"alertname": scenario.alert, "service_name": scenario.service, **rule["labels"]}
    assert own.items() <= told.labels.items()
    others = [one for one in result.arrived if one.alert not in {scenario.alert, *scenario.also}]
    assert others == []
    if scenario.resolves:
        assert result.times(scenario, "resolved") == 1


def _receiver(running: Stack, amtool: Path, labels: dict[str, str]) -> str:
    """Ask Alertmanager's own tool where an alert of these labels goes."""
    said = [f"{name}={value}" for name, value in labels.items()]
    config = running.home / "config" / "alerts" / "alertmanager.yaml"
    command = [str(amtool), "config", "routes", "test", f"--config.file={config}", *said]
    run = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    return run.stdout.strip()


@each
def test_the_delivered_text_of_an_alert_is_complete(scenario: Scenario, played: dict[str, Played]) -> None:
    for told in played[scenario.name].of(scenario, "firing"):
        assert faults_in_text(_rule(scenario), told.annotations) == []
        assert scenario.service in told.annotations["description"]


def test_nothing_of_one_scenario_reaches_another(played: dict[str, Played]) -> None:
    assert played
    for scenario in (one for one in PLAYED if one.name in played):
        own = {scenario.strategy, scenario.venue, scenario.account, ""}
        for one in played[scenario.name].arrived:
            named = {one.labels.get(f"trading_{what}", "") for what in ("strategy_name", "venue_name", "account_id")}
            assert named <= own, one.labels


def test_no_rule_fails_while_all_of_this_happens(fast_stack: Stack, played: dict[str, Played]) -> None:
    assert played
    assert prometheus_query(fast_stack, "increase(prometheus_rule_evaluation_failures_total[10m]) > 0") == []
