"""Writes every board: `python -m dashboards`."""

from __future__ import annotations

from .build import write

for path in write():
    print(path)
