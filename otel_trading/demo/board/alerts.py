"""Alerts that arrived: what the receiver's file holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from otel_trading.top.alerts import NO_NEWS, parse
from otel_trading.top.queries import SERVICE

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.top.alerts import Alert

__all__ = ["Delivered"]


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
            parse(row["labels"], row["status"], row["startsAt"]) for row in rows if _is_of(row["labels"], self._service)
        ]
        self.alerts += new
        return new


def _is_of(labels: dict[str, str], service: str) -> bool:
    return labels["alertname"] not in NO_NEWS and labels.get(SERVICE, service) == service
