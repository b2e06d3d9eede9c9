"""promtool and amtool read what we ship: rules, their cases, routes and inhibition."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ALERTS = Path(__file__).resolve().parents[2] / "alerts"
RULES = [ALERTS / "thresholds.yaml", *sorted((ALERTS / "rules").glob("*.yaml"))]
#: Alerts of the older systems, by the file whose cases prove ours.
SEEDS = {
    "venue": ["S2-16"],
    "order": ["S2-22"],
    "portfolio": ["S2-17", "S3-38", "S3-39", "S3-41"],
    "intent": ["S2-18", "S2-19", "S2-20"],
    "execution": ["S2-21", "S3-40"],
    "service": ["S0-17", "S1-26", "S1-27", "S1-28", "S3-44"],
    "host": ["S0-19", "S1-29", "S3-42", "S3-43"],
    "resilience": ["S0-15", "S0-16", "S2-15", "S4-11"],
    "plumbing": ["S0-18", "S4-12"],
}
SHARED = {ALERTS / "thresholds.yaml", ALERTS / "rules" / "in_force.yaml"}
THRESHOLD = re.compile(r"trading:threshold(?:_in_force)?:(\w+)")
CASES = sorted(Path(__file__).parent.glob("*.test.yaml"))


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_rules_are_lint_free(promtool: Path) -> None:
    assert "FAILED" not in run(promtool, "check", "rules", "--lint=all", "--lint-fatal", *RULES)


@pytest.mark.parametrize(
    "file",
    [pytest.param(file, marks=pytest.mark.seed(*SEEDS.get(file.name.split(".")[0], ()))) for file in CASES],
    ids=lambda file: file.name.removesuffix(".test.yaml"),
)
def test_cases_hold(promtool: Path, file: Path, tmp_path: Path) -> None:
    assert "SUCCESS" in run(promtool, "test", "rules", only_needed(file, tmp_path))


def only_needed(file: Path, folder: Path) -> Path:
    """Return a copy of the cases that loads only the thresholds which they or their rules name.

    promtool evaluates every rule at every step: without this, most of a run goes into thresholds of other families.
    """
    text = file.read_text()
    rules = {name: (file.parent / name).resolve() for name in re.findall(r"\.\./\.\./alerts/[\w/]+\.yaml", text)}
    named = set(THRESHOLD.findall(text + "".join(path.read_text() for path in rules.values() if path not in SHARED)))
    for name, path in rules.items():
        loaded = _reduced(path, named, folder) if path in SHARED else path
        text = text.replace(name, str(loaded))
    copy = folder / file.name
    copy.write_text(text)
    return copy


def _reduced(path: Path, named: set[str], folder: Path) -> Path:
    groups = yaml.safe_load(path.read_text())["groups"]
    for group in groups:
        group["rules"] = [rule for rule in group["rules"] if rule.get("record", "").rpartition(":")[2] in named]
    (folder / path.name).write_text(json.dumps({"groups": groups}))
    return folder / path.name


def test_every_rule_file_has_cases() -> None:
    with_cases = {file.name.split(".")[0] for file in CASES}
    # Theirs are made from declarations: test_in_force.py, test_for_boards.py, test_bands.py.
    assert with_cases | {"in_force", "boards", "bands"} == {file.stem for file in (ALERTS / "rules").glob("*.yaml")}


def test_alertmanager_accepts_its_configuration(amtool: Path) -> None:
    assert "SUCCESS" in run(amtool, "check-config", ALERTS / "alertmanager.yaml")
