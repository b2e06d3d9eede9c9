"""Thresholds as Prometheus rules: the numbers that are set, which of them wins, and an alert when a default is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from otel_trading.semconv import attributes as a
from otel_trading.thresholds import ALL
from otel_trading.thresholds._model import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.thresholds._model import Threshold

__all__ = ["defaults", "in_force"]

_INTERVALS: Final = {"fast": "1s", "trading": "15s", "slow": "1m", "stack": "15s"}
_STRATEGY: Final = a.STRATEGY.prometheus
_LIVE: Final = '{trading_mode="live"}'


def defaults() -> list[dict[str, Any]]:
    """Return the group that records every shipped number."""
    return [{"name": "thresholds", "interval": "15s", "rules": [rule for each in ALL for rule in _defaults(each)]}]


def _defaults(threshold: Threshold) -> Iterator[dict[str, Any]]:
    for value, number in threshold.defaults.items():
        labels = {"threshold_scope": Scope.DEFAULT.value}
        if threshold.key is not None:
            labels[threshold.key.prometheus] = value
        yield {"record": threshold.record, "expr": f"vector({number:.12g})", "labels": labels}


def in_force() -> list[dict[str, Any]]:
    """Return the groups that record the winners, and the alert that misses a default."""
    groups: list[dict[str, Any]] = []
    for name, interval in _INTERVALS.items():
        rules = [
            {"record": each.in_force, "expr": _winner(each)}
            for each in ALL
            if each.group == name and each.per != "account"
        ]
        rules += [_missing()] if name == "stack" else []
        groups += [{"name": name, "interval": interval, "rules": rules}] if rules else []
    return groups


def _winner(threshold: Threshold) -> str:
    keys = [threshold.key.prometheus] if threshold.key else []
    identity = {"strategy": ["job", _STRATEGY], "job": ["job"], "stack": []}[threshold.per] + keys
    parts = [*_app_limit(threshold, identity)]
    scopes = [scope for scope in reversed(threshold.scopes) if scope is not Scope.ACCOUNT] + [Scope.DEFAULT]
    for scope in scopes:
        matched = [_STRATEGY] * (scope is Scope.STRATEGY) + keys
        chosen = "max" if threshold.higher_is_stricter else "min"
        number = f'{chosen} {_by(matched)}({threshold.record}{{threshold_scope="{scope.value}"}})'
        if threshold.per == "stack":
            parts.append(number)
        else:
            compared = _compared(threshold, identity)
            parts.append(f"{compared}\n  * on ({', '.join(matched)}) group_left ()\n    {number}")
    joined = f"\nor on ({', '.join(identity)})\n" if identity else "\nor\n"
    return joined.join(parts) + "\n"


def _app_limit(threshold: Threshold, identity: list[str]) -> Iterator[str]:
    if threshold.limit is not None:
        name, unit = a.RISK_LIMIT.prometheus, a.LIMIT_UNIT.prometheus
        said = f'{name}="{threshold.limit.name}",{unit}="{threshold.limit.unit}"'
        chosen = "max" if threshold.higher_is_stricter else "min"
        # Some apps write a limit on losses as -0.2.
        yield f'{chosen} {_by(identity)}(abs(trading_risk_limit{{trading_mode="live",{said}}}))'


def _compared(threshold: Threshold, identity: list[str]) -> str:
    series = [name + (_LIVE if name.startswith("trading_") else "") for name in threshold.series]
    return f"group {_by(identity)}({' or '.join(series)})"


def _by(labels: list[str]) -> str:
    return f"by ({', '.join(labels)}) " if labels else ""


def _missing() -> dict[str, Any]:
    gone = [
        f"label_replace(absent({rule['record']}{{{_matchers(rule['labels'])}}}), "
        f'"threshold", "{rule["record"].rpartition(":")[2]}", "threshold_scope", ".*")'
        for each in ALL
        for rule in _defaults(each)
    ]
    keys = dict.fromkeys(each.key.prometheus for each in ALL if each.key is not None and each.defaults)
    at = "".join(f'{{{{ with $labels.{key} }}}},{key}="{{{{ . }}}}"{{{{ end }}}}' for key in keys)
    runbook = "https://github.com/otel-trading/otel-trading/blob/main/alerts/RUNBOOK.md#thresholdmissing"
    return {
        "alert": "ThresholdMissing",
        "expr": "\nor\n".join(gone) + "\n",
        "for": "2m",
        "labels": {"severity": "critical", "team": "platform"},
        "annotations": {
            "summary": "A default threshold is missing, so its alert cannot fire.",
            "description": (
                'Prometheus holds no trading:threshold:{{ $labels.threshold }}{threshold_scope="'
                f'{{{{ $labels.threshold_scope }}}}"{at}}}.'
            ),
            "action": (
                "Run `otel-trading up`, which writes alerts/thresholds.yaml anew, or restore the default by hand, run "
                "`promtool check rules alerts/thresholds.yaml` and reload Prometheus."
            ),
            "runbook_url": runbook,
            "dashboard_url": "http://localhost:3000/d/otel-trading-pipeline",
        },
    }


def _matchers(labels: dict[str, str]) -> str:
    return ",".join(f'{name}="{value}"' for name, value in labels.items())
