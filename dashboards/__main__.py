"""Writes every board: `python -m dashboards`."""

from __future__ import annotations

from dashboards.build import write

for path in write():
    print(path)
