"""Venues: latency, errors, budgets, sessions, clocks, keys."""

from __future__ import annotations

from typing import Final

from .._board import Board
from ..panels import venue

BOARD: Final = Board(
    uid="otel-trading-venues",
    title="Venues and rate limits",
    description="Is the venue slow or am I; how much of its budget is left; is it open; do clocks and keys hold.",
    rows={
        "Requests": (
            venue.latency,
            venue.latency_by_operation,
            venue.errors,
        ),
        "Rate limits": (
            venue.budget_share,
            venue.budget,
            venue.refusals,
            venue.waits,
        ),
        "Session, clock and keys": (
            venue.session,
            venue.clock_offset,
            venue.credentials,
        ),
    },
)
