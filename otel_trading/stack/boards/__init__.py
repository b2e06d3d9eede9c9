"""Boards between Grafanas: copies for import."""

from __future__ import annotations

from otel_trading.stack.boards.importable import export, importable

__all__ = ["export", "importable"]
