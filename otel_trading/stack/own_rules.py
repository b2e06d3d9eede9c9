"""What `up` says about the user's own rules: Prometheus takes a misspelt series, and its alert is silent for ever."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Final

from otel_trading.errors import StackError
from otel_trading.stack import build
from otel_trading.stack._files import rule_files

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack.progress import Progress

__all__ = ["look"]

_EXTRA: Final = ("promql_parser", "yaml")
#: What Prometheus would not load.
_REFUSED: Final = {"shape", "syntax"}


def look(folder: Path, progress: Progress, *, accepted: bool) -> None:
    """Judge the rules in `my-rules` as far as this installation can.

    Args:
        folder: The stack's configuration.
        progress: Who is told what Prometheus loads, but what will not work.
        accepted: Whether promtool has taken them already; without it, we refuse what Prometheus would.

    Raises:
        StackError: Prometheus would refuse to start with them.
    """
    own = sorted((folder / "my-rules").glob("*.yaml"))
    if not own or any(importlib.util.find_spec(module) is None for module in _EXTRA):
        return
    from otel_trading.check import files  # noqa: PLC0415  needs the extra

    findings = files.check(own, shipped=rule_files(), promtool=build.found("promtool")).findings
    words = "\n".join(str(finding) for finding in findings)
    if not accepted and any(finding.kind in _REFUSED for finding in findings):
        message = f"Your rules in {folder / 'my-rules'} are refused; nothing was started. Correct them:\n{words}"
        raise StackError(message)
    if findings:
        progress.say(f"Prometheus loads your rules, but not all of them will work:\n{words}")
