"""Host and dependencies: the machine that a bot runs on, and the servers that it needs."""

from __future__ import annotations

from typing import Final

from .. import _house as house
from .._board import Board
from ..panels import dependencies, host

BOARD: Final = Board(
    uid="otel-trading-host",
    title="Host and dependencies",
    description="CPU, memory and disk of the machines and of the bots on them; Redis and PostgreSQL.",
    rows={
        "": (
            house.sized(host.cpu_now, 8, 4),
            house.sized(host.memory_now, 8, 4),
            house.sized(host.disk_now, 8, 4),
        ),
        "Machine": (
            host.cpu,
            host.memory,
            host.network,
        ),
        "Bots": (
            host.process_cpu,
            host.process_memory,
            host.process_threads,
        ),
        "Dependencies": (dependencies.answers,),
        "Redis": (
            dependencies.redis_memory,
            dependencies.redis_clients,
            dependencies.redis_hits,
            house.sized(dependencies.redis_commands, 12, 8),
            house.sized(dependencies.redis_keys_gone, 12, 8),
        ),
        "PostgreSQL": (
            dependencies.postgresql_connections,
            dependencies.postgresql_transactions,
            dependencies.postgresql_size,
            house.sized(dependencies.postgresql_deadlocks, 12, 8),
            house.sized(dependencies.postgresql_replication, 12, 8),
        ),
    },
)
