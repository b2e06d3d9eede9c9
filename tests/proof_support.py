"""Which alerts there are, which of them are raised by breaking the stack, and what is wrong with a text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CLOCKS", "DEATHS", "DEPENDENCIES", "FAULTS", "HARMS", "RULES", "faults_in_text"]

RULES: Final[list[dict[str, Any]]] = [
    rule
    for file in sorted((Path(__file__).parents[1] / "alerts" / "rules").glob("*.yaml"))
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
]
#: Alert -> who is told. `tests/stack/test_stack_alerts.py` breaks a stack for these, and at last ends its Collector.
FAULTS: Final = {
    "AlertmanagerConfigBad": "platform-critical",
    "CollectorMemoryHigh": "platform-warning",
    "CollectorQueueFilling": "platform-critical",
    "DiskFillingUp": "platform-warning",
    "PrometheusConfigBad": "platform-critical",
    "RuleFailing": "platform-critical",
    "SamplesOutOfOrder": "file",
    "SamplesRefused": "platform-warning",
    "ServiceDown": "platform-critical",
    "TelemetryRefused": "platform-warning",
}
DEATHS: Final = {"StackDown": "platform-critical", "TelemetryPathBroken": "platform-critical"}
#: `tests/stack/test_stack_harms.py` harms another for these.
HARMS: Final = {
    "AlertmanagerUnreachable": "platform-critical",
    "CollectorExportFailing": "platform-critical",
    "CertificateEnding": "platform-warning",
    "CollectorQueueFailing": "platform-critical",
    "CollectorQueueSpoilt": "platform-warning",
    "CollectorRestarting": "platform-warning",
    "GateDown": "platform-critical",
    "NotificationsFailing": "platform-critical",
    "PrometheusStorageFailing": "platform-critical",
    "RulesLate": "platform-warning",
    "ThresholdMissing": "platform-critical",
    "Watchdog": "watchdog",
}
#: `tests/stack/test_clock_jumps.py` sets the clock of bots.
CLOCKS: Final = {"BotClockWrong": "trading-critical"}
#: `tests/stack/test_dependency_alerts.py` takes a real Redis and a real PostgreSQL away, and fills them.
DEPENDENCIES: Final = {
    "DependencyDown": "platform-critical",
    "PostgresConnectionsHigh": "platform-warning",
    "RedisMemoryHigh": "platform-warning",
}


def faults_in_text(rule: Mapping[str, Any], annotations: Mapping[str, str]) -> list[str]:
    """Return what is missing or broken in the delivered texts of an alert; nothing when they are complete."""
    texts: dict[str, str] = rule["annotations"]
    faults = sorted(set(texts) ^ set(annotations))
    for name, text in annotations.items():
        broken = re.search(r"\{\{|\}\}|<no value>|<error|%!|NaN|\bInf\b|\(\s*\)", text)
        changed = name in texts and "{{" not in texts[name] and text != texts[name]
        if broken or changed or not text.strip():
            faults.append(f"{name}: {text}")
    return faults
