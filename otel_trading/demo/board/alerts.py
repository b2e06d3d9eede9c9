"""Alerts on their way: what Prometheus has pending or firing, and what arrived in the receiver's file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Alert", "Delivered", "current"]

#: Always firing: no news.
_NO_NEWS: Final = frozenset({"Watchdog"})
_ABOUT: Final = (a.CONNECTION, a.DATA_SOURCE, a.STRATEGY, a.ACCOUNT)
_ORDER: Final = {"firing": 0, "pending": 1}


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.

    Args:
        name: Of the rule.
        state: pending or firing; firing or resolved where it was delivered.
        severity: Of the rule.
        about: Which connection, feed or strategy.
        since: When it began, Unix seconds.
    """

    name: str
    state: str
    severity: str
    about: str
    since: float

    def __str__(self) -> str:
        """Return the name, and what it is about."""
        return f"{self.name} ({self.about})" if self.about else self.name


def current(rows: Iterable[dict[str, Any]], service: str) -> list[Alert]:
    """Return the alerts of one service in Prometheus' reply, firing ones first."""
    alerts = [_alert(row["labels"], row["state"], row["activeAt"]) for row in rows if _is_of(row["labels"], service)]
    return sorted(alerts, key=lambda alert: (_ORDER.get(alert.state, 2), alert.since))


class Delivered:
    """Follows the file into which the default receiver writes, from where it ends now.

    Args:
        file: One JSON object per line.
        service: Whose alerts count.
    """

    def __init__(self, file: Path, service: str) -> None:
        self._file = file
        self._service = service
        self._offset = file.stat().st_size if file.exists() else 0
        self.alerts: list[Alert] = []

    def read(self) -> list[Alert]:
        """Return what came since the last call; `alerts` keeps all of it."""
        if not self._file.exists():
            return []
        with self._file.open("rb") as file:
            file.seek(self._offset)
            whole = file.read().rpartition(b"\n")[0]
        self._offset += len(whole) + 1 if whole else 0
        rows = [json.loads(line) for line in whole.splitlines()]
        new = [
            _alert(row["labels"], row["status"], row["startsAt"])
            for row in rows
            if _is_of(row["labels"], self._service)
        ]
        self.alerts += new
        return new


def _is_of(labels: dict[str, str], service: str) -> bool:
    return labels["alertname"] not in _NO_NEWS and labels.get("service_name", service) == service


def _alert(labels: dict[str, str], state: str, since: str) -> Alert:
    about = next((labels[key.prometheus] for key in _ABOUT if labels.get(key.prometheus)), "")
    return Alert(labels["alertname"], state, labels.get("severity", ""), about, _unix(since))


def _unix(text: str) -> float:
    """Read RFC 3339, whose fraction may have more digits than Python 3.10 takes."""
    return datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc).timestamp()
