"""`otel-trading restore`; beside its counterpart in `backup.py`."""

from __future__ import annotations

from otel_trading.cli.backup import restore_command as command

__all__ = ["command"]
