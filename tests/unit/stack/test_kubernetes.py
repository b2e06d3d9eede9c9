"""The rules as objects of the Prometheus Operator: the same groups as in the files, in a form that it takes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result

from otel_trading.cli import cli
from otel_trading.errors import OtelTradingError
from otel_trading.stack import kubernetes

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "tests" / "data" / "prometheusrule.schema.json").read_text())
FILES = {
    f"otel-trading-{file.stem.replace('_', '-')}": file
    for file in (ROOT / "alerts" / "thresholds.yaml", *(ROOT / "alerts" / "rules").glob("*.yaml"))
}


def alerts(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["alerts", "--kubernetes", *map(str, arguments)])


def objects(*arguments: str | Path) -> dict[str, dict[str, Any]]:
    done = alerts(*arguments)
    assert done.exit_code == 0, done.output
    found = list(yaml.safe_load_all(done.stdout))
    for each in found:
        jsonschema.validate(each, SCHEMA)
    named = {each["metadata"]["name"]: each for each in found}
    assert len(named) == len(found)
    return named


def test_the_groups_are_those_of_the_files() -> None:
    found = objects()

    assert {name: each["spec"] for name, each in found.items()} == {
        name: yaml.safe_load(file.read_text()) for name, file in FILES.items()
    }


def test_a_kube_prometheus_stack_selects_them() -> None:
    usual = {"app.kubernetes.io/name": "otel-trading", "release": "kube-prometheus-stack"}

    assert [each["metadata"]["labels"] for each in objects().values()] == [usual] * len(FILES)
    other = objects("--label", "release=monitoring", "--label", "team=desk-a").values()
    assert [each["metadata"]["labels"] for each in other] == [
        {**usual, "release": "monitoring", "team": "desk-a"}
    ] * len(FILES)


def test_json_is_a_list_for_kubectl() -> None:
    said = json.loads(alerts("--json").stdout)

    assert (said["apiVersion"], said["kind"]) == ("v1", "List")
    assert {each["metadata"]["name"]: each for each in said["items"]} == objects()


def test_ones_own_rules_come_with_mine(tmp_path: Path) -> None:
    own = tmp_path / "config" / "my-rules" / "Desk_A.yaml"
    own.parent.mkdir(parents=True)
    own.write_text((ROOT / "alerts" / "my-rules.example.yaml").read_text())

    found = objects("--mine", "--home", tmp_path)

    assert set(found) == {*FILES, "my-rules-desk-a"}
    assert found["my-rules-desk-a"]["spec"] == yaml.safe_load(own.read_text())
    assert set(objects("--home", tmp_path)) == set(FILES)


def test_prometheus_reads_what_the_operator_writes(servers: dict[str, Path], tmp_path: Path) -> None:
    """The operator hands `spec` on as a file of rules."""
    for name, each in objects().items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(each["spec"]))
    command: list[str | Path] = [
        servers["promtool"],
        "check",
        "rules",
        "--lint=all",
        "--lint-fatal",
        *tmp_path.glob("*.yaml"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("label", ["release", "=a", "release=a b", "-a=b", "a/b/c=d", f"a={'b' * 64}"])
def test_a_label_that_kubernetes_refuses_is_refused(label: str) -> None:
    assert str(alerts("--label", label).exception) == (
        f"--label got {label!r}; allowed is KEY=VALUE as Kubernetes has it, like release=monitoring."
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"groups: [", "{file} is no YAML. Look closer: otel-trading check {file}"),
        (b"\xd0\xff", "{file} is no YAML. Look closer: otel-trading check {file}"),
        (b"", "{file} holds no groups of rules. Look closer: otel-trading check {file}"),
        (b"groups: a", "{file} holds no groups of rules. Look closer: otel-trading check {file}"),
    ],
)
def test_a_broken_file_of_ones_own_is_named(tmp_path: Path, text: bytes, sentence: str) -> None:
    file = tmp_path / "config" / "my-rules" / "a.yaml"
    file.parent.mkdir(parents=True)
    file.write_bytes(text)
    done = alerts("--mine", "--home", tmp_path)

    assert isinstance(done.exception, OtelTradingError)
    assert str(done.exception) == sentence.format(file=file)
    assert done.stdout == ""


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("a_b.yaml", "a-b.yaml"):
        (tmp_path / name).write_text("groups: [{name: a, rules: [{record: b, expr: 1}]}]")
    files = [("mine", tmp_path / name) for name in ("a_b.yaml", "a-b.yaml")]
    with pytest.raises(OtelTradingError, match=r"a-b\.yaml would be the second object of the name mine-a-b\. Rename"):
        kubernetes.prometheus_rules(files)


def test_a_file_that_is_gone_is_the_environment(tmp_path: Path) -> None:
    with pytest.raises(
        OtelTradingError, match=r"Cannot read .*a\.yaml: No such file or directory\. Give it to this user"
    ):
        kubernetes.prometheus_rules([("mine", tmp_path / "a.yaml")])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--label", "a=b"], "--label is for the objects of --kubernetes. Add that."),
        (["--kubernetes", "--changes"], "Say one of --set, --unset, --mine, --kubernetes and --changes at a time."),
    ],
)
def test_a_wrong_call_says_what_goes_together(arguments: list[str], sentence: str) -> None:
    done = CliRunner().invoke(cli, ["alerts", *arguments])

    assert done.exit_code == 2
    assert sentence in done.stderr
