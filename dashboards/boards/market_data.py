"""Market data and connections."""

from __future__ import annotations

from typing import Final

from .. import _house as house
from .._board import Board
from ..panels import first_look, market_data, usual

BOARD: Final = Board(
    uid="otel-trading-market-data",
    title="Market data and connections",
    description="Is every feed alive, complete and on time; is every connection up, and since when.",
    rows={
        "": (
            house.sized(first_look.feed_age, 12, 8),
            house.sized(first_look.connections, 12, 8),
        ),
        "Feeds": (
            market_data.age,
            market_data.messages,
            market_data.delay,
            market_data.gaps,
            market_data.resyncs,
            usual.messages,
        ),
        "Connections": (
            market_data.uptime,
            market_data.reconnects,
            market_data.ping,
        ),
        "Fetched data": (
            market_data.fetches,
            market_data.fetches_failed,
            market_data.quality,
        ),
    },
)
