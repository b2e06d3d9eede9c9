"""Writes every board, and the rules that record what they read: `python -m dashboards`."""

from __future__ import annotations

from .build import write, write_rules

for path in (*write(), *write_rules()):
    print(path)
