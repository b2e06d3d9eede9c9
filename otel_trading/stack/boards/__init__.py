"""Boards between Grafanas: copies for import, a backup of all of them, and back."""

from __future__ import annotations

from otel_trading.stack.boards._grafana import Grafana, basic, bearer
from otel_trading.stack.boards.backup import Restored, backup, restore
from otel_trading.stack.boards.importable import export, importable

__all__ = ["Grafana", "Restored", "backup", "basic", "bearer", "export", "importable", "restore"]
