"""What rules record for the boards, as the real promtool computes it: the same rates, with the symbols added up."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards import _recorded as recorded
from otel_trading.semconv import Metric
from otel_trading.semconv import attributes as a

RULES = Path(__file__).resolve().parents[2] / "alerts" / "rules" / "boards.yaml"
SAID = {
    "job": "bot",
    "service_name": "bot",
    "deployment_environment_name": "production",
    a.STRATEGY.prometheus: "one",
    a.VENUE.prometheus: "kraken",
    a.ACCOUNT.prometheus: "main",
    a.CURRENCY.prometheus: "USD",
    "le": "0.1",
}


def promtool_test(promtool: Path, folder: Path, name: str, tests: list[dict[str, Any]]) -> str:
    """Run cases on the rules that record one name: promtool evaluates every rule that it loads at every step."""
    file, rules = folder / "cases.test.yaml", folder / "rules.yaml"
    groups = yaml.safe_load(RULES.read_text())["groups"]
    for group in groups:
        group["rules"] = [rule for rule in group["rules"] if rule["record"] == name]
    rules.write_text(json.dumps({"groups": groups}))
    cases = {"rule_files": [str(rules)], "evaluation_interval": "1m", "fuzzy_compare": True, "tests": tests}
    file.write_text(json.dumps(cases))
    command: tuple[str | Path, ...] = (promtool, "test", "rules", file)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def written(name: str, labels: dict[str, str]) -> str:
    return f"{name}{{{','.join(f'{label}={json.dumps(value)}' for label, value in labels.items())}}}"


def case(
    metric: Metric, part: str, grows: dict[tuple[str, str], str], rates: dict[str, float], at: tuple[str, str]
) -> dict[str, Any]:
    """Return the case of a rule: what each mode and symbol counts, by mode what has to be recorded, when and how."""
    eval_time, steps = at
    name, kept = f"{metric.prometheus}_{part}" if part else metric.prometheus, recorded.labels(metric, part)
    always = {label: SAID.get(label, "any") for label in kept}
    name_recorded = recorded.name(metric, part)
    given = [
        written(name, always | {a.MODE.prometheus: mode, a.SYMBOL.prometheus: symbol, "instance": symbol})
        for mode, symbol in grows
    ]
    samples = [
        {"labels": written(name_recorded, always | {a.MODE.prometheus: mode, recorded.STEPS: steps}), "value": rate}
        for mode, rate in rates.items()
    ]
    return {
        "interval": "15s",
        "input_series": [
            {"series": each, "values": values} for each, values in zip(given, grows.values(), strict=True)
        ],
        "promql_expr_test": [
            {"expr": f'{name_recorded}{{{recorded.STEPS}="{steps}"}}', "eval_time": eval_time, "exp_samples": samples}
        ],
    }


@pytest.mark.parametrize(
    ("metric", "part"), [pair for pair in recorded.RECORDED if not recorded.is_state(pair[0])], ids=str
)
def test_symbols_are_added_up_and_modes_are_not(promtool: Path, tmp_path: Path, metric: Metric, part: str) -> None:
    grows = {("live", "BTC/USD"): "0+15x50", ("live", "SAP"): "7+30x50", ("paper", "SAP"): "0+150x50"}
    # The step of the restart is lost, as in any rate: six of seven count.
    restarted = {("live", "BTC/USD"): "0+14x12 0+14x20", ("live", "SAP"): "0+15x20"}
    # Three per second until minute seven: the points of minutes six, seven and eight are 3, 3 and 1.6875.
    ended = {("live", "SAP"): "0+45x28 stale"}
    tests = [
        case(metric, part, grows, {"live": 3, "paper": 10}, ("4m", recorded.SHORT)),
        case(metric, part, restarted, {"live": 1.8}, ("4m", recorded.SHORT)),
        case(metric, part, {("live", "SAP"): "0+15x4 stale"}, {}, ("4m", recorded.SHORT)),
        case(metric, part, grows, {"live": 3, "paper": 10}, ("10m", recorded.LONG)),
        case(metric, part, ended, {"live": 2.5625}, ("10m", recorded.LONG)),
    ]
    assert "SUCCESS" in promtool_test(promtool, tmp_path, recorded.name(metric, part), tests)


@pytest.mark.parametrize(
    ("metric", "part"), [pair for pair in recorded.RECORDED if recorded.is_state(pair[0])], ids=str
)
def test_states_are_added_up_as_they_are(promtool: Path, tmp_path: Path, metric: Metric, part: str) -> None:
    held = {("live", "BTC/USD"): "2x50", ("live", "SAP"): "3x20 1x30", ("paper", "SAP"): "40x50"}
    tests = [
        case(metric, part, held, {"live": 5, "paper": 40}, ("4m", recorded.SHORT)),
        case(metric, part, held, {"live": 3, "paper": 40}, ("10m", recorded.LONG)),
        case(metric, part, {("live", "SAP"): "3x4 stale"}, {}, ("4m", recorded.SHORT)),
    ]
    assert "SUCCESS" in promtool_test(promtool, tmp_path, recorded.name(metric, part), tests)
