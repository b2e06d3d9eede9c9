"""What Prometheus holds, in files for other tools: exact numbers, times in UTC, a bounded piece at a time."""

from __future__ import annotations

__all__: list[str] = []
