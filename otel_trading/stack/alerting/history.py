"""Every change of a threshold, in a log that only grows: `data/alerts/changes.jsonl` of the stack's home."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from otel_trading.errors import StackError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Change", "append", "changes", "file"]

_PRIVATE: Final = 0o600


@dataclass(frozen=True)
class Change:
    """One change of one threshold.

    Attributes:
        at: When, RFC 3339 in UTC.
        who: Login name of whoever changed it.
        threshold: Its name.
        labels: Scope, and strategy, account, currency or key where they are said.
        old: The number that held until then; None when there was none.
        new: The number from then on; None when it was removed and nothing else holds.
        why: In the words of whoever changed it.
    """

    at: str
    who: str
    threshold: str
    labels: dict[str, str]
    old: float | None
    new: float | None
    why: str


def file(home: Path) -> Path:
    """Return the log of a stack."""
    return home / "data" / "alerts" / "changes.jsonl"


def append(home: Path, change: Change) -> None:
    """Add a line and have it on disk; nothing that stands there is ever written again.

    Raises:
        StackError: It cannot be written.
    """
    path = file(home)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _PRIVATE)
        with os.fdopen(opened, "a", encoding="utf-8") as log:
            log.write(json.dumps(asdict(change), sort_keys=True) + "\n")
            log.flush()
            os.fsync(log.fileno())
    except OSError as error:
        message = (
            f"Cannot write the log of changes {path}: {error}. Nothing was changed; make room or give it to this user."
        )
        raise StackError(message) from error


def changes(home: Path) -> list[Change]:
    """Return every change, the oldest first; a line that is none is left out.

    Raises:
        StackError: The log is there and cannot be read.
    """
    path = file(home)
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        message = f"Cannot read the log of changes {path}: {error}. Move it away to begin a new one."
        raise StackError(message) from error
    return [change for line in lines if (change := _read(line)) is not None]


def _read(line: str) -> Change | None:
    try:
        return Change(**json.loads(line))
    except (ValueError, TypeError):  # the end of a line that a full disk cut off
        return None
