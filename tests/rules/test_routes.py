"""Who is told, how soon, how often: every severity and team through amtool, with and without market hours."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from alert_support import secret
from otel_trading.stack import notifying
from otel_trading.stack._files import shipped
from otel_trading.stack.ports import Ports

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = shipped("alerts/alertmanager.yaml")
#: severity, team -> receiver. What carries neither is sent rather than lost.
ROUTES = {
    ("critical", "trading"): "trading-critical",
    ("critical", "platform"): "platform-critical",
    ("critical", ""): "trading-critical",
    ("critical", "desk-7"): "trading-critical",
    ("warning", "trading"): "trading-warning",
    ("warning", "platform"): "platform-warning",
    ("warning", ""): "trading-warning",
    ("info", "trading"): "file",
    ("info", "platform"): "file",
    ("none", "platform"): "file",
    ("", ""): "trading-warning",
    ("urgent", "trading"): "trading-warning",
}


@pytest.fixture(scope="module", params=["as shipped", "with channels and market hours"])
def config(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    environ: dict[str, str] = {}
    if request.param != "as shipped":
        secret(home, "slack_url", "https://hooks.example/T0")
        environ = {"STACK_ALERT_MARKET_HOURS": "XNYS CME XLON XETR XTKS XHKG 24/7"}
    plan = notifying.compose(home, ports=Ports(), kind="native", interval=None, environ=environ)
    plan.write(home, "native")
    return notifying.config_file(home)


def _amtool(amtool: Path, *arguments: str) -> str:
    run = subprocess.run([amtool, *arguments], capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


@pytest.mark.seed("S1-42", "S2-28")
@pytest.mark.parametrize(("severity", "team"), ROUTES)
def test_each_severity_of_each_team_has_its_receiver(config: Path, amtool: Path, severity: str, team: str) -> None:
    labels = [f"{name}={value}" for name, value in (("severity", severity), ("team", team)) if value]
    verify = f"--verify.receivers={ROUTES[severity, team]}"
    _amtool(amtool, "config", "routes", "test", f"--config.file={config}", verify, "alertname=MarketDataStale", *labels)


def test_watchdog_goes_to_its_own_receiver_alone(config: Path, amtool: Path) -> None:
    command = ["config", "routes", "test", f"--config.file={config}", "--verify.receivers=watchdog"]
    _amtool(amtool, *command, "alertname=Watchdog", "severity=none", "team=platform")


def test_amtool_has_nothing_to_say_against_it(config: Path, amtool: Path) -> None:
    assert "SUCCESS" in _amtool(amtool, "check-config", str(config))


def _node(route: dict[str, Any], receiver: str, inherited: dict[str, Any]) -> dict[str, Any] | None:
    own = {**inherited, **{name: value for name, value in route.items() if name not in ("routes", "matchers")}}
    nodes = [_node(child, receiver, own) for child in route.get("routes", [])]
    found = next((node for node in nodes if node is not None), None)
    return own if own["receiver"] == receiver and route.get("matchers") else found


@pytest.mark.seed("S1-41")
@pytest.mark.parametrize(
    ("receiver", "wait", "interval", "repeat"),
    [
        ("trading-critical", "10s", "1m", "1h"),
        ("platform-critical", "10s", "1m", "1h"),
        ("trading-warning", "30s", "5m", "12h"),
        ("platform-warning", "30s", "5m", "12h"),
        ("watchdog", "0s", "1m", "1m"),
    ],
)
def test_a_page_is_soon_and_often_and_a_warning_is_neither(
    config: Path, receiver: str, wait: str, interval: str, repeat: str
) -> None:
    node = _node(yaml.safe_load(config.read_text())["route"], receiver, {})
    assert node is not None
    assert (node["group_wait"], node["group_interval"], node["repeat_interval"]) == (wait, interval, repeat)
    assert node["group_by"] == ["alertname", "service_name", "trading_venue_name"]


#: Labels of both alerts that say whose it is: a loss limit without a strategy is that of the whole account, without an
#: account that of the only one, and so is a heart that beats without a venue.
SCOPES = {
    "DailyLossLimitBreached": {"trading_account_id", "trading_strategy_name"},
    "StrategyHung": {"trading_venue_name", "trading_account_id"},
}


@pytest.mark.parametrize("rule", yaml.safe_load(CONFIG.read_text())["inhibit_rules"], ids=str)
def test_labels_that_must_be_equal_must_be_there(rule: dict[str, Any]) -> None:
    """A label that neither side has would count as equal, and mute what has nothing to do with it."""
    guarded = {found.group(1) for one in rule["source_matchers"] if (found := re.fullmatch(r'(\w+) =~ "\.\+"', one))}
    named = (*rule["source_matchers"], *rule["target_matchers"])
    scopes = [scope for name, scope in SCOPES.items() if f'alertname = "{name}"' in named]
    assert guarded == set(rule.get("equal", [])) - set[str]().union(*scopes)
