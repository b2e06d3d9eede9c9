"""Thresholds as the real promtool computes them: who wins for each of them, and that a missing default is noticed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from otel_trading.thresholds import ALL, Scope, Threshold
from otel_trading.thresholds import rules as made

ALERTS = Path(__file__).resolve().parents[2] / "alerts"
COMPUTED = [threshold for threshold in ALL if threshold.per != "account"]
DEFAULTS = [(each, value) for each in ALL for value in each.defaults]


def promtool_test(promtool: Path, folder: Path, rule_files: list[Path], tests: list[dict[str, Any]]) -> None:
    file = folder / "cases.test.yaml"
    cases = {"rule_files": [str(path) for path in rule_files], "evaluation_interval": "15s", "tests": tests}
    file.write_text(json.dumps(cases))
    done = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def compared(threshold: Threshold, job: str, strategy: str, key: str) -> dict[str, str]:
    """Return a series of what is compared, of one bot and strategy."""
    name, labels = threshold.series[0], {"job": job, "trading_mode": "live", "trading_strategy_name": strategy}
    if threshold.key is not None:
        labels[threshold.key.prometheus] = key
    return {"series": series(name, labels), "values": "1x4"}


def series(name: str, labels: dict[str, str]) -> str:
    return f"{name}{{{','.join(f'{label}={json.dumps(value)}' for label, value in labels.items())}}}"


def said(threshold: Threshold, scope: Scope, key: str, number: float, **labels: str) -> dict[str, str]:
    """Return a series of a number that is set."""
    labels |= {"threshold_scope": scope.value} | ({threshold.key.prometheus: key} if threshold.key else {})
    return {"series": series(threshold.record, labels), "values": f"{number}x4"}


def winner(threshold: Threshold, expected: dict[tuple[str, str], float], key: str) -> dict[str, Any]:
    labels = {threshold.key.prometheus: key} if threshold.key else {}
    samples = []
    for (job, strategy), number in expected.items():
        mine = {"strategy": {"job": job, "trading_strategy_name": strategy}, "job": {"job": job}, "stack": {}}
        samples.append({"labels": series(threshold.in_force, mine[threshold.per] | labels), "value": number})
    query = threshold.in_force + (f"{{{threshold.key.prometheus}={json.dumps(key)}}}" if threshold.key else "")
    return {"expr": query, "eval_time": "45s", "exp_samples": samples}


@pytest.mark.parametrize("threshold", COMPUTED, ids=lambda threshold: threshold.name)
def test_who_wins(promtool: Path, tmp_path: Path, threshold: Threshold) -> None:
    key = next(iter(threshold.defaults), "")
    stricter, looser = (7.0, 5.0) if threshold.higher_is_stricter else (5.0, 7.0)
    bots = [compared(threshold, "a", "one", key), compared(threshold, "a", "two", key)]
    local = [
        said(threshold, Scope.LOCAL, key, stricter, why="mine"),
        said(threshold, Scope.LOCAL, key, looser, why="twice"),
    ]
    default = threshold.defaults.get(key)
    shipped = {("a", "one"): default, ("a", "two"): default} if default is not None else {}
    own: dict[tuple[str, str], float] = {("a", "one"): stricter, ("a", "two"): stricter}
    cases: list[tuple[list[dict[str, str]], dict[tuple[str, str], float]]] = [(bots, shipped), (bots + local, own)]
    if threshold.per == "strategy":
        one = said(threshold, Scope.STRATEGY, key, 6, trading_strategy_name="one")
        cases.append(([*bots, *local, one], {**own, ("a", "one"): 6}))
    if threshold.limit is not None:
        limit = {"trading_risk_limit_name": threshold.limit.name, "trading_risk_limit_unit": threshold.limit.unit}
        app = {"job": "a", "trading_mode": "live", "trading_strategy_name": "one", **limit}
        row = {"series": series("trading_risk_limit", app), "values": "-9x4"}
        cases.append(([*bots, *local, row], {**own, ("a", "one"): 9}))
    if threshold.per != "strategy":
        cases = [(rows, dict(list(expected.items())[:1])) for rows, expected in cases]
    tests = [
        {"interval": "15s", "input_series": rows, "promql_expr_test": [winner(threshold, expected, key)]}
        for rows, expected in cases
    ]

    promtool_test(promtool, tmp_path, [ALERTS / "thresholds.yaml", ALERTS / "rules" / "in_force.yaml"], tests)


def missing(threshold: Threshold, value: str) -> dict[str, Any]:
    key = {threshold.key.prometheus: value} if threshold.key else {}
    at = "".join(f',{name}="{text}"' for name, text in key.items())
    texts = made.in_force()[-1]["rules"][-1]["annotations"]
    labels = {"severity": "critical", "team": "platform", "threshold": threshold.name, "threshold_scope": "default"}
    description = f'Prometheus holds no {threshold.record}{{threshold_scope="default"{at}}}.'
    return {"exp_labels": labels | key, "exp_annotations": {**texts, "description": description}}


def test_every_missing_default_is_noticed_once_it_is_missing_for_two_minutes(promtool: Path, tmp_path: Path) -> None:
    alerts = [missing(threshold, value) for threshold, value in DEFAULTS]
    checks = [
        {"alertname": "ThresholdMissing", "eval_time": "1m45s", "exp_alerts": []},
        {"alertname": "ThresholdMissing", "eval_time": "2m", "exp_alerts": alerts},
    ]
    # A number of another scope is no default.
    others = [said(threshold, Scope.LOCAL, value, 1) for threshold, value in DEFAULTS]
    tests = [{"interval": "15s", "input_series": others, "alert_rule_test": checks}]

    promtool_test(promtool, tmp_path, [ALERTS / "rules" / "in_force.yaml"], tests)


def test_a_default_that_is_there_again_is_not_missed(promtool: Path, tmp_path: Path) -> None:
    one, value = DEFAULTS[0]
    (group,) = yaml.safe_load((ALERTS / "thresholds.yaml").read_text())["groups"]
    group["rules"] = [rule for rule in group["rules"] if rule["record"] != one.record]
    rest = tmp_path / "rest.yaml"
    rest.write_text(json.dumps({"groups": [group]}))
    comes_back = said(one, Scope.DEFAULT, value, 1) | {"values": "_x12 1x20"}
    checks = [
        {"alertname": "ThresholdMissing", "eval_time": "2m45s", "exp_alerts": [missing(one, value)]},
        {"alertname": "ThresholdMissing", "eval_time": "4m", "exp_alerts": []},
    ]
    tests = [{"interval": "15s", "input_series": [comes_back], "alert_rule_test": checks}]

    promtool_test(promtool, tmp_path, [rest, ALERTS / "rules" / "in_force.yaml"], tests)


def test_nothing_is_missed_with_the_shipped_files(promtool: Path, tmp_path: Path) -> None:
    tests = [{"interval": "15s", "alert_rule_test": [{"alertname": "ThresholdMissing", "eval_time": "10m"}]}]

    promtool_test(promtool, tmp_path, [ALERTS / "thresholds.yaml", ALERTS / "rules" / "in_force.yaml"], tests)
