"""Every alert that Prometheus knows: its state, since when, and the threshold that it is compared with."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from otel_trading.errors import StackError
from otel_trading.stack import loopback

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Alert", "InForce", "read"]

_IN_FORCE: Final = re.compile(r"trading:threshold_in_force:(\w+)")
_DEPTH: Final = 5
_RANGE: Final = "7d"
#: `unknown` until Prometheus has evaluated the rule once.
_LOUDEST: Final = ("firing", "pending", "unknown", "inactive")


@dataclass(frozen=True)
class InForce:
    """A number that holds now, and for what."""

    threshold: str
    labels: dict[str, str]
    number: float


@dataclass(frozen=True)
class Alert:
    """One alert of the stack.

    Attributes:
        name: Its name; two severities of one alert are two of these.
        severity: `critical`, `warning`, `info` or `none`.
        state: `firing`, `pending`, `inactive`, or `unknown` until it was evaluated once.
        active: Labels of what it fires or is pending for.
        changed: When it last began or stopped to fire, RFC 3339; empty when it did not within a week.
        thresholds: Names of the numbers that it is compared with.
        in_force: Those numbers, for each live bot that has what is compared.
        health: Empty, or why Prometheus cannot evaluate it.
    """

    name: str
    severity: str
    state: str
    active: list[dict[str, str]]
    changed: str
    thresholds: list[str]
    in_force: list[InForce]
    health: str


def read(prometheus: str) -> list[Alert]:
    """Ask a Prometheus for every alert, the loudest first.

    Args:
        prometheus: Its URL.

    Raises:
        StackError: It does not answer.
    """
    groups = _ask(prometheus, "rules")["groups"]
    rules = {rule["name"]: rule["query"] for group in groups for rule in group["rules"] if rule["type"] == "recording"}
    numbers = _numbers(prometheus)
    fired = _last_fired(prometheus)
    alerts = [
        _alert(rule, rules, numbers, fired) for group in groups for rule in group["rules"] if rule["type"] == "alerting"
    ]
    return sorted(alerts, key=lambda alert: (_LOUDEST.index(alert.state), alert.name, alert.severity))


def _alert(
    rule: dict[str, Any], rules: dict[str, str], numbers: dict[str, list[InForce]], fired: dict[tuple[str, str], str]
) -> Alert:
    active = [one for one in rule["alerts"] if one["state"] == rule["state"]]
    began = min((one["activeAt"] for one in active), default="")
    severity = rule["labels"].get("severity", "")
    names = list(_thresholds(rule["query"], rules))
    return Alert(
        name=rule["name"],
        severity=severity,
        state=rule["state"],
        active=[one["labels"] for one in active],
        changed=began[:19] + "Z" if began else fired.get((rule["name"], severity), ""),
        thresholds=names,
        in_force=[number for name in names for number in numbers[name]],
        health=rule.get("lastError", ""),
    )


def _thresholds(query: str, rules: dict[str, str], depth: int = _DEPTH) -> Iterable[str]:
    """Return the thresholds that an expression reads, through the recording rules that it reads too."""
    found = dict.fromkeys(_IN_FORCE.findall(query))
    if depth:
        for name in dict.fromkeys(re.findall(r"[a-z_]+:[\w:]+", query)):
            if name in rules and not name.startswith("trading:threshold"):
                found |= dict.fromkeys(_thresholds(rules[name], rules, depth - 1))
    return found


def _numbers(prometheus: str) -> dict[str, list[InForce]]:
    found: dict[str, list[InForce]] = defaultdict(list)
    for sample in _ask(prometheus, "query", query='{__name__=~"trading:threshold_in_force:.+"}')["result"]:
        labels = dict(sample["metric"])
        name = labels.pop("__name__").rpartition(":")[2]
        found[name].append(InForce(name, labels, float(sample["value"][1])))
    return found


def _last_fired(prometheus: str) -> dict[tuple[str, str], str]:
    query = f'max by (alertname, severity) (max_over_time(timestamp(ALERTS{{alertstate="firing"}})[{_RANGE}:1m]))'
    samples = _ask(prometheus, "query", query=query)["result"]
    return {
        (sample["metric"]["alertname"], sample["metric"].get("severity", "")): _time(float(sample["value"][1]))
        for sample in samples
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _ask(prometheus: str, path: str, **query: str) -> Any:
    try:
        answer = json.loads(loopback.ask(f"{prometheus.rstrip('/')}/api/v1/{path}?{urlencode(query)}", timeout=10))
        return answer["data"]
    except (OSError, ValueError, KeyError) as error:
        message = (
            f"Prometheus at {prometheus} does not answer as it should ({error}). "
            "See how the stack is: otel-trading status"
        )
        raise StackError(message) from error
