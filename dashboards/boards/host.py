"""Host: the machine that a bot runs on."""

from __future__ import annotations

from typing import Final

from .. import _house as house
from .._board import Board
from ..panels import host

BOARD: Final = Board(
    uid="otel-trading-host",
    title="Host",
    description="CPU, memory and disk of the machines and of the bots on them.",
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
    },
)
