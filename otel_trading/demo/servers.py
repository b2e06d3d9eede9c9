"""The demo's stack: in a home of its own, fresh, on ports that are free."""

from __future__ import annotations

import os
import shutil
from dataclasses import fields
from typing import TYPE_CHECKING, Final, Literal

from otel_trading import stack
from otel_trading.errors import StackError

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Progress, Stack

__all__ = ["up"]

_INTERVAL: Final = "1s"


def up(
    home: Path, kind: Literal["auto", "native", "docker"], progress: Progress, *, speedup: float | None = None
) -> Stack:
    """Start the demo's stack, or take the one that runs in this home.

    Args:
        home: The stack's home.
        kind: Which stack.
        progress: Who is told.
        speedup: See `stack.up`.

    Raises:
        StackError: It cannot be started.
    """
    if not stack.status(home=home):
        # What the last demo left would count again, and Alertmanager would not repeat what it has just delivered.
        shutil.rmtree(home / "data", ignore_errors=True)
    # A demo wakes nobody: no channel that the user set for the stack of real money.
    for name in [name for name in os.environ if name.startswith("STACK_ALERT_")]:
        del os.environ[name]
    return stack.up(
        home=home, kind=kind, ports=_ports(home), evaluation_interval=_INTERVAL, speedup=speedup, progress=progress
    )


def _ports(home: Path) -> stack.Ports | None:
    """Take free ports where the usual ones are in use: a demo must not fail on that."""
    if stack.status(home=home):
        return None
    try:
        stack.Ports().check(tuple(field.name for field in fields(stack.Ports)))
    except StackError:
        return stack.Ports.free()
    return None
