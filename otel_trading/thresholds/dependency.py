"""What a Redis and a PostgreSQL are compared with, by the Collector's receivers."""

from __future__ import annotations

from typing import Final

from otel_trading.thresholds._model import Threshold

REDIS_MEMORY: Final = Threshold(
    name="redis_memory_used_ratio",
    brief="Share of its maxmemory that a Redis may use, 0 to 1; for a cache that is meant to be full, 1.1.",
    default=0.9,
    allowed=(0, 2),
    of=("redis_memory_used_bytes",),
    per="stack",
)
POSTGRESQL_CONNECTIONS: Final = Threshold(
    name="postgresql_connections_ratio",
    brief="Share of its max_connections that a PostgreSQL may have open, 0 to 1.",
    default=0.8,
    allowed=(0, 1),
    of=("postgresql_backends",),
    per="stack",
)
