"""Data plumbing: cache, event bus, fetch, quality."""

from __future__ import annotations

from typing import Final

from .._board import Board
from ..panels import market_data, plumbing

BOARD: Final = Board(
    uid="otel-trading-plumbing",
    title="Data plumbing",
    description="Do caches help, does the event bus keep up, is fetched data on time and whole.",
    rows={
        "Caches": (
            plumbing.cache_hits,
            plumbing.cache_requests,
            plumbing.cache_size,
        ),
        "Event bus": (
            plumbing.events,
            plumbing.events_failed,
            plumbing.queue,
            plumbing.handler_duration,
        ),
        "Fetched data": (
            market_data.fetches,
            market_data.fetches_failed,
            market_data.quality,
        ),
    },
)
