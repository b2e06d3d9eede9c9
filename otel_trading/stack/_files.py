"""Where the shipped rooms are: beside the package in a wheel, at the repository root in a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from otel_trading.errors import StackError

__all__ = ["CANARY", "SERVERS", "WEBHOOK", "rule_files", "shipped"]

_PACKAGE: Final = Path(__file__).resolve().parents[1]

#: The Go modules that pin the servers, one folder each.
SERVERS: Final = Path(__file__).resolve().parent / "servers"

#: The receiver of Alertmanager's notifications: one file of standard library, run by any Python 3.
WEBHOOK: Final = Path(__file__).resolve().parent / "webhook.py"

#: What goes through the whole path every few seconds; likewise one file of standard library.
CANARY: Final = Path(__file__).resolve().parent / "canary.py"


def shipped(name: str) -> Path:
    """Return the path of a shipped room or file, for instance `collector` or `alerts/rules`.

    Args:
        name: Path relative to the repository root.

    Raises:
        StackError: This installation does not carry it.
    """
    for root in (_PACKAGE / "_shipped", _PACKAGE, _PACKAGE.parent):
        if (root / name).exists():
            return root / name
    message = f"This installation lacks its file {name}. Install it again: pip install --force-reinstall otel-trading"
    raise StackError(message)


def rule_files() -> list[Path]:
    """Return the shipped files of Prometheus rules.

    Raises:
        StackError: This installation does not carry them.
    """
    return [shipped("alerts/thresholds.yaml"), *sorted(shipped("alerts/rules").glob("*.yaml"))]
