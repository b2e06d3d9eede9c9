"""What the machines of bots are compared with, by OpenTelemetry's own convention."""

from __future__ import annotations

from typing import Final

from otel_trading.thresholds._model import Threshold

MEMORY: Final = Threshold(
    name="memory_used_ratio",
    brief="Share of a machine's memory that may be used, caches not counted, 0 to 1.",
    default=0.85,
    allowed=(0, 1),
    of=("system_memory_utilization_ratio",),
    per="job",
)
CPU: Final = Threshold(
    name="cpu_used_ratio",
    brief="Share of a machine's processors that may be busy, 0 to 1.",
    default=0.8,
    allowed=(0, 1),
    of=("system_cpu_utilization_ratio",),
    per="job",
)
