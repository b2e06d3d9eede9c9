"""Judges a file of Prometheus rules: its shape, its alerts' labels and texts, and every expression."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Final

from otel_trading.check._finding import Finding, alternatives, meant
from otel_trading.check._records import record
from otel_trading.check.expressions import Complaint, complaints
from otel_trading.check.names import IDENTITY, VALUES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.check._yaml import Node
    from otel_trading.check.names import Names

__all__ = ["check", "declared", "is_rules"]

_GROUP: Final = {"name", "rules", "interval", "limit", "query_offset", "labels", "partial_response_strategy"}
_RECORD: Final = {"record", "expr", "labels"}
_ALERT: Final = {"alert", "expr", "labels", "annotations", "for", "keep_firing_for"}
_DURATION: Final = re.compile(r"0|(?=\d)(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?")
#: A recording rule that hands a counter on says so in its name.
_COUNTER: Final = re.compile(r".+_(total|count|sum|bucket)")
_LABELS: Final = {
    "severity": ("critical", "warning", "info", "none"),
    "team": ("trading", "platform"),
}
_WHY: Final = {
    "severity": "critical wakes someone, warning is for today, info is context",
    "team": "Alertmanager routes by it",
}
_TEXTS: Final = {
    "summary": "one constant sentence that people recognize",
    "description": "the values, with labels and units",
    "action": "what the operator does first",
    "runbook_url": "a link to what it means and when it is noise",
}
_TEMPLATE_LABEL: Final = re.compile(r"\$labels\.(\w+)")


def is_rules(root: Node | None) -> bool:
    """Whether a file in a folder wants to be one of rules; an Alertmanager configuration does not."""
    return root is None or bool(difflib.get_close_matches("groups", root.mapping, n=1))


def declared(root: Node | None) -> list[dict[str, object]]:
    """Return the rules of a file as plain data, as far as it is in order."""
    groups = root.mapping["groups"].items if root and "groups" in root.mapping else []
    rules = [rule for group in groups if "rules" in group.mapping for rule in group.mapping["rules"].items]
    return [rule.plain() for rule in rules if rule.mapping]


def check(file: str, text: str, root: Node | None, names: Names, *, shipped: bool = False) -> list[Finding]:
    """Return what is wrong with a file of rules.

    Args:
        file: Its name in the findings.
        text: What is in it.
        root: The same, loaded.
        names: What all rules record, those of this file included.
        shipped: Whether it is one of ours.
    """
    return sorted(set(_File(file, text.splitlines(), names, shipped=shipped).findings(root)))


class _File:
    """One file under check; yields its findings from the top down."""

    def __init__(self, file: str, lines: list[str], names: Names, *, shipped: bool) -> None:
        self._file, self._lines, self._names, self._shipped = file, lines, names, shipped

    def findings(self, root: Node | None) -> Iterator[Finding]:
        groups = root.mapping.get("groups") if root else None
        if root is None or groups is None or not groups.items:
            got = alternatives(root.mapping) if root and root.mapping else "nothing" if root is None else "no mapping"
            text = f"this holds no rules, got {got}; a file of rules begins with `groups:` and a list of groups"
            yield Finding(self._file, 1, "", "empty", text)
            return
        yield from self._keys(root, {"groups"}, "")
        seen: set[str] = set()
        for number, group in enumerate(groups.items, 1):
            name = self._text(group, "name")
            where = f"group {name or number}"
            if name is None or name in seen:
                text = (
                    "its name is missing; add `name:`" if name is None else "its name was given before; choose another"
                )
                yield self._shape(group.line, where, text)
            seen.add(name or "")
            yield from self._group(group, where)

    def _group(self, group: Node, where: str) -> Iterator[Finding]:
        yield from self._keys(group, _GROUP, where)
        yield from self._durations(group, ("interval", "query_offset"), where)
        rules = group.mapping.get("rules")
        if rules is None or not rules.items:
            text = "it has no rules; add `rules:` and a list of rules, or remove it"
            yield Finding(self._file, group.line, where, "empty", text)
        for rule in rules.items if rules else ():
            yield from self._rule(rule)

    def _rule(self, rule: Node) -> Iterator[Finding]:
        alert, recorded = self._text(rule, "alert"), self._text(rule, "record")
        where = alert or recorded or "rule without a name"
        if (alert is None) == (recorded is None):
            got = "both" if alert else "none of them"
            yield self._shape(rule.line, where, f"a rule has `alert:` or `record:`, got {got}; keep one")
        yield from self._keys(rule, _ALERT if alert is not None else _RECORD, where)
        yield from self._durations(rule, ("for", "keep_firing_for"), where)
        expression = self._text(rule, "expr")
        if expression is None:
            yield self._shape(rule.line, where, "it has no expression; add `expr:` with PromQL")
        else:
            counter = bool(recorded and _COUNTER.fullmatch(recorded))
            wrong = complaints(expression, self._names, counter=counter, recorded=bool(recorded))
            yield from self._complaints(rule, "expr", wrong, where)
        if recorded is not None:
            labels = {key: node.text or "" for key, node in self._child(rule, "labels").items()}
            found = record(recorded, expression or "", labels, shipped=self._shipped)
            for one in found:
                yield self._finding(rule, one.word if one.word in rule.mapping else "labels", one, where)
        if alert is not None:
            yield from self._alert(rule, where)

    def _alert(self, rule: Node, where: str) -> Iterator[Finding]:
        labels = self._child(rule, "labels")
        for label, allowed in _LABELS.items():
            got = labels[label].text if label in labels else None
            if got not in allowed and "{{" not in (got or ""):
                said = f"the label {label} is missing" if got is None else f"{label} is {got!r}"
                text = f"{said}; allowed are {', '.join(allowed)}: {_WHY[label]}"
                kind = "missing-label" if got is None else "unknown-value"
                yield self._finding(rule, "labels", Complaint(kind, text, label), where)
        texts = self._child(rule, "annotations")
        for name, what in _TEXTS.items():
            if name not in texts or not (texts[name].text or "").strip():
                complaint = Complaint("missing-annotation", f"the annotation {name} is missing; add {what}", name)
                yield self._finding(rule, "annotations", complaint, where)
        yield from self._templates(rule, where)

    def _templates(self, rule: Node, where: str) -> Iterator[Finding]:
        known = {*VALUES, *IDENTITY, *self._names.labels, *self._child(rule, "labels"), "alertname"}
        expression = self._text(rule, "expr") or ""
        for name, node in self._child(rule, "annotations").items():
            text = node.text or ""
            if text.count("{{") != text.count("}}"):
                words = f"the braces of {name} do not match; write {{{{ and }}}} in pairs"
                yield self._finding(rule, "annotations", Complaint("template", words, name), where)
            for label in _TEMPLATE_LABEL.findall(text):
                if label not in known and not re.search(rf"\b{label}\b", expression):
                    words = (
                        f"{name} shows $labels.{label}, which the expression has not{meant(label, known)}; correct it"
                    )
                    yield self._finding(rule, "annotations", Complaint("unknown-label", words, label), where)

    def _keys(self, node: Node, allowed: set[str], where: str) -> Iterator[Finding]:
        for key, value in node.mapping.items():
            if key not in allowed:
                text = f"there is no field {key} here{meant(key, allowed)}; allowed are {alternatives(allowed)}"
                yield self._shape(value.line, where, text)
        nested = [node, *(value for value in node.mapping.values() if value.mapping)]
        for key, line in (twice for one in nested for twice in one.twice):
            yield self._shape(line, where, f"{key} is given twice; keep one")

    def _durations(self, node: Node, keys: tuple[str, ...], where: str) -> Iterator[Finding]:
        for key in keys:
            value = node.mapping.get(key)
            if value is not None and not _DURATION.fullmatch(value.text or ""):
                text = f"{key} is {value.plain()!r}; allowed is a time like 30s, 5m or 1h30m"
                yield self._shape(value.line, where, text)

    def _complaints(self, rule: Node, key: str, found: list[Complaint], where: str) -> Iterator[Finding]:
        for one in found:
            yield self._finding(rule, key, one, where)

    def _finding(self, rule: Node, key: str, complaint: Complaint, where: str) -> Finding:
        """Place a complaint on the line of its word, from the key on; where the rule begins if there is none."""
        value = rule.mapping.get(key)
        first, last = (value.line, value.end) if value else (rule.line, rule.line)
        word = complaint.word
        found = (n for n in range(first, last + 1) if word and word in "".join(self._lines[n - 1 : n]))
        return Finding(self._file, next(found, first), where, complaint.kind, complaint.text)

    def _shape(self, line: int, where: str, text: str) -> Finding:
        return Finding(self._file, line, where, "shape", text)

    @staticmethod
    def _text(node: Node, key: str) -> str | None:
        value = node.mapping.get(key)
        return value.text if value else None

    @staticmethod
    def _child(node: Node, key: str) -> dict[str, Node]:
        value = node.mapping.get(key)
        return value.mapping if value else {}
