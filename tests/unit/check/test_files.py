"""Files and folders as they lie on a disk: broken, empty, binary, unreadable, beside others."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from otel_trading.check import files
from otel_trading.errors import ConfigError, StackError

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = [ROOT / "alerts" / "thresholds.yaml", *sorted((ROOT / "alerts" / "rules").glob("*.yaml"))]
RULE = "groups: [{name: NAME, rules: [{record: 'mine:NAME', expr: 'EXPR'}]}]"


def found(file: Path, text: str | bytes) -> list[str]:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [str(finding).removeprefix(f"{file}:") for finding in files.check([file]).findings]


def test_everything_that_ships_passes(servers: dict[str, Path]) -> None:
    report = files.check(
        [ROOT / "alerts", ROOT / "dashboards" / "json"], shipped=SHIPPED, strict=False, promtool=servers["promtool"]
    )

    assert report.findings == []
    assert {Path(file) for file in report.checked} == {
        *SHIPPED,
        ROOT / "alerts" / "my-rules.example.yaml",
        *(ROOT / "dashboards" / "json").glob("*.json"),
    }
    routing = [ROOT / "alerts" / "alertmanager.yaml", ROOT / "alerts" / "market_hours.yaml"]
    assert set(report.skipped) == {*map(str, routing), *map(str, (ROOT / "alerts" / "channels").glob("*.yaml"))}


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        (
            "a.yaml",
            "groups:\n  - name: [\n",
            (
                "3: this is no YAML: while parsing a flow node expected the node content, but found '<stream end>'; "
                "correct it here or in the line before"
            ),
        ),
        (
            "a.yaml",
            "groups:\n\t- name: a\n",
            (
                "2: this is no YAML: while scanning for the next token found character '\\t' "
                "that cannot start any token; "
                "correct it here or in the line before"
            ),
        ),
        (
            "a.yaml",
            "a: 1\n---\nb: 2\n",
            (
                "2: this is no YAML: expected a single document in the stream but found another document; "
                "correct it here or in the line before"
            ),
        ),
        (
            "a.yaml",
            "a: &x [*x]\n",
            "1: this is no YAML: an anchor contains itself; correct it here or in the line before",
        ),
        (
            "a.yaml",
            "",
            "1: this holds no rules, got nothing; a file of rules begins with `groups:` and a list of groups",
        ),
        (
            "a.yaml",
            "# only words\n",
            "1: this holds no rules, got nothing; a file of rules begins with `groups:` and a list of groups",
        ),
        (
            "a.yaml",
            "group: []\n",
            "1: this holds no rules, got group; a file of rules begins with `groups:` and a list of groups",
        ),
        (
            "a.yaml",
            "- a\n",
            "1: this holds no rules, got no mapping; a file of rules begins with `groups:` and a list of groups",
        ),
        ("a.yaml", b"\x7fELF\xd0", "1: this is no text, got the byte 0xd0; allowed is UTF-8: name another file"),
        ("a.json", b"\xff\xfe{", "1: this is no text, got the byte 0xff; allowed is UTF-8: name another file"),
        (
            "a.json",
            '{"panels": [\n}',
            "2: this is no JSON: Expecting value; correct it here or in the line before",
        ),
        ("a.json", "", "1: this is no JSON: Expecting value; correct it here or in the line before"),
        (
            "a.json",
            "[" * 200_000,
            "1: this is no JSON: it is nested without end; correct it here or in the line before",
        ),
        (
            "a.yaml",
            "[" * 600,
            "1: this is no YAML: it is nested without end; correct it here or in the line before",
        ),
    ],
    ids=itertools.count(),
)
def test_a_broken_file_is_one_finding(tmp_path: Path, name: str, text: str | bytes, sentence: str) -> None:
    assert found(tmp_path / name, text) == [sentence]


def test_aliases_cost_nothing(tmp_path: Path) -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30)]

    assert len(found(tmp_path / "a.yaml", "\n".join(["l0: &l0 [x]", *levels]))) == 1


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "nowhere.yaml",
            r"There is no file or folder .*nowhere\.yaml\. Name what is to be checked: otel-trading check",
        ),
        (
            "notes.txt",
            r"notes\.txt cannot be checked; allowed are rules \(\.yaml, \.yml\), boards \(\.json\) and folders",
        ),
        ("empty", r"The folder .*empty has no rules \(\.yaml, \.yml\) and no boards \(\.json\)\. Name one that has\."),
        (
            "others",
            r"The folder .*others has no rules \(\.yaml, \.yml\) and no boards \(\.json\)\. Name one that has\.",
        ),
    ],
)
def test_what_cannot_be_checked_is_a_wrong_call(tmp_path: Path, path: str, message: str) -> None:
    (tmp_path / "notes.txt").write_text("groups: []")
    (tmp_path / "empty").mkdir()
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "package.json").write_text("{}")
    with pytest.raises(ConfigError, match=message):
        files.check([tmp_path / path])


def test_a_file_that_cannot_be_read_is_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("groups: []")
    file.chmod(0)
    if os.access(file, os.R_OK):  # root reads everything

        def refuse(*_: object, **__: object) -> str:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(StackError, match=r"Cannot read .*a\.yaml: Permission denied\. Give it to this user"):
        files.check([file])


def test_a_folder_is_read_deeply_and_others_are_named(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.yml").write_text(RULE.replace("NAME", "a").replace("EXPR", "vector(1)"))
    (tmp_path / "b.json").write_text('{"panels": []}')
    (tmp_path / "alertmanager.yaml").write_text("receivers: []")
    (tmp_path / "targets.yaml").write_text("- targets: []")

    report = files.check([tmp_path, tmp_path / "b.json"])

    assert report.checked == [str(tmp_path / "b.json"), str(tmp_path / "deep" / "a.yml")]
    assert report.skipped == [str(tmp_path / "alertmanager.yaml"), str(tmp_path / "targets.yaml")]
    assert report.findings == []


@pytest.mark.parametrize("text", ["", "group: []", "Groups: []"])
def test_what_should_be_rules_is_not_left_out_of_a_folder(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text)

    assert [finding.kind for finding in files.check([tmp_path]).findings] == ["empty"]


def test_what_the_file_beside_it_records_is_known(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(RULE.replace("NAME", "trading_a").replace("EXPR", "vector(1)"))
    reader = tmp_path / "b.yaml"
    reader.write_text(RULE.replace("NAME", "b").replace("EXPR", "mine:trading_a > 1"))

    assert files.check([reader]).findings == []
    (tmp_path / "a.yaml").unlink()
    (finding,) = files.check([reader]).findings
    assert finding.kind == "unknown-series"


def test_promtool_has_the_last_word(tmp_path: Path, servers: dict[str, Path]) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("groups:\n  - name: a\n    rules:\n      - record: mine:a\n        expr: limitk(2, up)\n")

    (finding,) = files.check([file], promtool=servers["promtool"]).findings

    assert (finding.line, finding.kind) == (5, "syntax")
    assert finding.message.startswith("Prometheus refuses this: ")
    assert "experimental" in finding.message
    assert files.check([file]).findings == []
