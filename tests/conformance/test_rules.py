"""Rules say only what the convention has, and every alert is explained, linked and proven."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from otel_trading.check import expressions, promql
from otel_trading.check.names import IDENTITY, VALUES, Names
from otel_trading.semconv import BY_SERIES

ROOT = Path(__file__).resolve().parents[2]
ALERTS = ROOT / "alerts"
RUNBOOK = "https://github.com/otel-trading/otel-trading/blob/main/alerts/RUNBOOK.md"
BOARDS = {
    board["uid"]: board for board in map(json.loads, (f.read_text() for f in ROOT.glob("dashboards/json/*.json")))
}

RECORD = re.compile(r"trading:threshold(_in_force)?:[a-z_0-9]+|[a-z]+(_[a-z]+)*:trading_[a-z_0-9]+:[a-z_0-9]+")


def rules() -> list[dict[str, Any]]:
    # Names of other systems are not for us to read: without them here, an alert that does is refused.
    ours = [file for file in sorted((ALERTS / "rules").glob("*.yaml")) if file.stem != "compatibility"]
    files = [ALERTS / "thresholds.yaml", *ours]
    return [rule for file in files for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


RULES = rules()
#: What is recorded for the boards, in every mode.
FOR_BOARDS = re.findall(r"record: (\S+)", (ALERTS / "rules" / "boards.yaml").read_text())
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
NAMES = Names(strict=True).and_rules(RULES)
#: The rules of each alert by its name; an alert that escalates has several.
ALERT_RULES = {
    name: [rule for rule in RULES if rule.get("alert") == name] for name in (r["alert"] for r in RULES if "alert" in r)
}
ALERTING = [rule for rules_of_one in ALERT_RULES.values() for rule in rules_of_one]
CASES = [
    (file.name, test)
    for file in sorted((ROOT / "tests" / "rules").glob("*.test.yaml"))
    if not file.name.startswith("compatibility.")
    for test in yaml.safe_load(file.read_text())["tests"]
]
each_alert = pytest.mark.parametrize("alert", ALERT_RULES)
each_rule = pytest.mark.parametrize("rule", ALERTING, ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}")


def complaints(expression: str, mode: str = "live") -> list[str]:
    """Say what is wrong with an expression of a rule of ours, empty when nothing is."""
    selectors = promql.read(expression).selectors
    others = [s.name for s in selectors if s.name in BY_SERIES and s.value("trading_mode") != mode]
    return [complaint.text for complaint in expressions.complaints(expression, NAMES)] + [
        f"{name} is not limited to {mode}" for name in others
    ]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_expression_says_what_the_convention_has(rule: dict[str, Any]) -> None:
    # What live is compared with: recorded under a level of its own, which no alert may read alone.
    model = rule.get("record", "").startswith("model:")
    if rule.get("record") in FOR_BOARDS:
        counter = rule["record"].endswith("_total")
        assert expressions.complaints(rule["expr"], NAMES, counter=counter, recorded=True) == []
    else:
        assert complaints(rule["expr"], "backtest" if model else "live") == []
    assert RECORD.fullmatch(rule["record"]) if "record" in rule else re.fullmatch(r"[A-Z][A-Za-z]+", rule["alert"])


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("daily_pnl < -500", "there is no series daily_pnl; all of them: otel-trading metrics"),
        ('trading_connection_status{trading_mode="paper"}', "trading_connection_status is not limited to live"),
    ],
)
def test_what_a_user_may_do_is_refused_here(expression: str, complaint: str) -> None:
    assert complaints(expression) == [complaint]


@each_rule
def test_a_backtest_alone_never_alerts(rule: dict[str, Any]) -> None:
    names = {selector.name for selector in promql.read(rule["expr"]).selectors}
    assert all(not name.startswith("model:") for name in names) or any(name.startswith("strategy:") for name in names)


@each_rule
def test_no_alert_reads_what_is_recorded_in_every_mode(rule: dict[str, Any]) -> None:
    assert not {selector.name for selector in promql.read(rule["expr"]).selectors} & set(FOR_BOARDS)


@pytest.mark.seed("S3-45")
@each_rule
def test_alert_says_who_and_what_and_where(rule: dict[str, Any]) -> None:
    severities = {"none"} if rule["alert"] == "Watchdog" else {"critical", "warning", "info"}
    assert rule["labels"]["severity"] in severities
    assert rule["labels"]["team"] in {"trading", "platform"}
    texts = rule["annotations"]
    assert set(texts) == {"summary", "description", "action", "runbook_url", "dashboard_url"}
    assert all(text.strip() for text in texts.values())
    assert "{{" not in texts["summary"] + texts["action"], "constant, so that people recognize it"
    assert texts["summary"].endswith(".")


@each_rule
def test_links_of_an_alert_resolve(rule: dict[str, Any]) -> None:
    texts = rule["annotations"]
    assert texts["runbook_url"] == f"{RUNBOOK}#{rule['alert'].lower()}"
    match = re.match(r"http://localhost:3000/d/([\w-]+)", texts["dashboard_url"])
    assert match
    variables = {variable["name"] for variable in BOARDS[match[1]]["templating"]["list"]}
    assert set(re.findall(r"[?&]var-(\w+)=", texts["dashboard_url"])) <= variables


@each_rule
def test_texts_of_an_alert_name_only_what_is_there(rule: dict[str, Any]) -> None:
    text = " ".join(rule["annotations"].values())
    labels = set(re.findall(r"\$labels\.(\w+)", text))
    query = promql.read(rule["expr"])
    # What no aggregation takes away, every series has.
    own = frozenset() if any(selector.aggregations for selector in query.selectors) else IDENTITY
    assert labels <= query.labels | query.made | _labels_of_recorded(query) | own
    for inner in re.findall(r'"(trading[\w:]+)\{', text):
        assert inner in RECORDED | set(BY_SERIES)


def _labels_of_recorded(query: promql.Query) -> set[str]:
    names = {selector.name for selector in query.selectors}
    expressions = [rule["expr"] for rule in RULES if rule.get("record") in names]
    return {label for expression in expressions for label in promql.read(expression).labels}


def test_runbook_has_exactly_the_alerts() -> None:
    headings = re.findall(r"(?m)^## (\w+)$", (ALERTS / "RUNBOOK.md").read_text())
    assert sorted(headings) == sorted(ALERT_RULES)


@each_alert
def test_runbook_section_answers_the_five_questions(alert: str) -> None:
    section = (ALERTS / "RUNBOOK.md").read_text().split(f"\n## {alert}\n")[1].split("\n## ")[0]
    assert re.findall(r"(?m)^\*\*(.+?)\.\*\*", section) == ["Means", "Look at", "Do first", "Do not", "Noise when"]
    known = set(BY_SERIES) | RECORDED | {name.replace("_in_force", "") for name in RECORDED} | set(VALUES)
    assert set(re.findall(r"`(trading[_:][\w:]+)", section)) <= known


# Those of ThresholdMissing are made from the declarations, in tests/rules/test_in_force.py.
@pytest.mark.parametrize("alert", sorted(set(ALERT_RULES) - {"ThresholdMissing"}))
def test_cases_of_an_alert_are_complete(alert: str) -> None:
    mine = [test for _, test in CASES if test["name"].startswith(f"{alert}: ")]
    names = [test["name"].removeprefix(f"{alert}: ") for test in mine]
    missing = [case for case in _cases_needed(alert) if not any(name.startswith(case) for name in names)]
    assert not missing, f"add cases named '{alert}: ...'"
    outcomes = {
        bool(check["exp_alerts"])
        for test in mine
        for check in test.get("alert_rule_test", [])
        if check["alertname"] == alert
    }
    assert outcomes == ({True} if alert == "Watchdog" else {True, False})


def _cases_needed(alert: str) -> list[str]:
    if alert == "Watchdog":
        return ["fires"]
    selectors = [selector for rule in ALERT_RULES[alert] for selector in _selectors(rule["expr"])]
    needed = ["fires", "quiet just below", "resolves"]
    needed += ["quiet before for"] if any("for" in rule for rule in ALERT_RULES[alert]) else []
    if any(selector.name in BY_SERIES for selector in selectors):
        needed += ["missing data", "restart", "quiet unless live"]
    if any(promql.RATES & set(selector.functions) for selector in selectors):
        needed += ["counter reset", "first event"]
    return needed


def _selectors(expression: str) -> list[promql.Selector]:
    """Return the selectors of an expression and of the recording rules that it reads."""
    found = list(promql.read(expression).selectors)
    names = {selector.name for selector in found}
    return found + [s for rule in RULES if rule.get("record") in names for s in _selectors(rule["expr"])]


def test_every_case_belongs_to_an_alert() -> None:
    strays = [f"{file}: {test['name']}" for file, test in CASES if test["name"].split(": ")[0] not in ALERT_RULES]
    assert not strays


def test_every_default_threshold_is_missed_when_it_is_gone() -> None:
    defaults = {rule["record"] for rule in RULES if rule.get("labels", {}).get("threshold_scope") == "default"}
    missed = {selector.name for selector in promql.read(ALERT_RULES["ThresholdMissing"][0]["expr"]).selectors}
    assert missed == defaults


@each_rule
def test_what_is_compared_is_a_threshold_in_force(rule: dict[str, Any]) -> None:
    read = {selector.name for selector in promql.read(rule["expr"]).selectors}
    assert rule["alert"] == "ThresholdMissing" or not [name for name in read if name.startswith("trading:threshold:")]
