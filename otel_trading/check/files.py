"""Reads files and folders of rules and boards, and judges each by all of them."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from otel_trading.check import _yaml, boards, rules
from otel_trading.check._finding import Finding
from otel_trading.check.names import Names
from otel_trading.errors import ConfigError, StackError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

__all__ = ["Report", "check"]

_RULES: Final = {".yaml", ".yml"}
_BOARDS: Final = {".json"}
_TIMEOUT: Final = 30.0
#: How promtool names a place: `mine.yaml: 7:15: group "g", rule 1, "A": words` or `mine.yaml: yaml: line 3: words`.
_WORDS: Final = re.compile(r"(?m)^.*?: (?:(?P<line>\d+):\d+: |(?:.*\bline (?P<yaml>\d+): ))?(?P<words>.+)$")


@dataclass
class Report:
    """What a check has found.

    Attributes:
        findings: Sorted by file and line.
        checked: The files that were judged.
        skipped: Files of a folder that are neither rules nor boards.
    """

    findings: list[Finding] = field(default_factory=list[Finding])
    checked: list[str] = field(default_factory=list[str])
    skipped: list[str] = field(default_factory=list[str])


@dataclass
class _Read:
    path: Path
    text: str
    loaded: Any = None
    broken: Finding | None = None

    @property
    def is_rules(self) -> bool:
        return self.path.suffix in _RULES


def check(
    paths: Sequence[Path], *, shipped: Iterable[Path] = (), strict: bool = False, promtool: Path | None = None
) -> Report:
    """Judge rules and boards.

    Args:
        paths: Files (`.yaml`, `.yml`: rules; `.json`: boards) and folders of them.
        shipped: Our own files of rules: what they record may be named.
        strict: Refuse every name that neither the convention nor a rule declares.
        promtool: Prometheus' own tool, which has the last word about syntax.

    Raises:
        ConfigError: A path is nothing that can be checked.
        StackError: A file cannot be read.
    """
    report = Report()
    chosen = list(dict.fromkeys(file for path in paths for file in _files(path, report)))
    read = [_read(file) for file in chosen]
    ours = {file.resolve() for file in shipped}
    # A rule may read what a rule in the file beside it records.
    beside = {file for path in chosen if path.suffix in _RULES for file in _of(path.parent, _RULES, deep=False)}
    known = {one.path.resolve(): one for one in (*map(_read, {*ours, *beside}), *read)}
    names = Names(strict=strict)
    for one in known.values():
        if one.is_rules and not one.broken:
            names = names.and_rules(rules.declared(one.loaded))
    for one in read:
        report.checked.append(str(one.path))
        report.findings += _judged(one, names, shipped=one.path.resolve() in ours, promtool=promtool)
    report.findings.sort()
    return report


def _judged(one: _Read, names: Names, *, shipped: bool, promtool: Path | None) -> list[Finding]:
    file = str(one.path)
    if one.broken:
        return [one.broken]
    if not one.is_rules:
        return boards.check(file, one.text, one.loaded, names)
    found = rules.check(file, one.text, one.loaded, names, shipped=shipped)
    if promtool is not None and not any(finding.kind in {"shape", "syntax"} for finding in found):
        found += _by_promtool(promtool, one.path)
    return found


def _files(path: Path, report: Report) -> list[Path]:
    if path.is_file():
        if path.suffix not in _RULES | _BOARDS:
            message = f"{path} cannot be checked; allowed are rules (.yaml, .yml), boards (.json) and folders of them."
            raise ConfigError(message)
        return [path]
    if not path.is_dir():
        message = f"There is no file or folder {path}. Name what is to be checked: otel-trading check PATH"
        raise ConfigError(message)
    chosen: list[Path] = []
    for file in _of(path, _RULES | _BOARDS, deep=True):
        one = _read(file)
        wanted = rules.is_rules(one.loaded) if one.is_rules else boards.is_board(one.loaded)
        if one.broken or wanted:
            chosen.append(file)
        else:
            report.skipped.append(str(file))
    if not chosen:
        message = f"The folder {path} has no rules (.yaml, .yml) and no boards (.json). Name one that has."
        raise ConfigError(message)
    return chosen


def _of(folder: Path, suffixes: set[str], *, deep: bool) -> list[Path]:
    return sorted(file for file in folder.glob("**/*" if deep else "*") if file.suffix in suffixes and file.is_file())


def _read(path: Path) -> _Read:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        words = f"this is no text, got the byte 0x{error.object[error.start]:02x}; allowed is UTF-8: name another file"
        return _Read(path, "", broken=Finding(str(path), 1, "", "shape", words))
    except OSError as error:
        message = f"Cannot read {path}: {error.strerror}. Give it to this user, or leave it out."
        raise StackError(message) from error
    one = _Read(path, text)
    try:
        one.loaded = _yaml.load(text) if one.is_rules else json.loads(text)
    except _yaml.NotYamlError as error:
        one.broken = _broken(path, error.line, "YAML", str(error))
    except json.JSONDecodeError as error:
        one.broken = _broken(path, error.lineno, "JSON", error.msg)
    except RecursionError:
        one.broken = _broken(path, 1, "JSON", "it is nested without end")
    return one


def _broken(path: Path, line: int, what: str, words: str) -> Finding:
    return Finding(str(path), line, "", "syntax", f"this is no {what}: {words}; correct it here or in the line before")


def _by_promtool(promtool: Path, path: Path) -> list[Finding]:
    command = [str(promtool), "check", "rules", "--lint=none", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    if done.returncode == 0:
        return []
    said = re.sub(r"\n\s+line", " line", done.stderr or done.stdout).replace(f"{path}: ", "\0")
    found = [_WORDS.match(line.replace("\0", ": ")) for line in said.splitlines() if "\0" in line]
    return [
        Finding(
            str(path), max(1, int(m["line"] or m["yaml"] or 1)), "", "syntax", f"Prometheus refuses this: {m['words']}"
        )
        for m in found
        if m
    ] or [Finding(str(path), 1, "", "syntax", f"Prometheus refuses this: {' '.join(said.split())}")]
