"""API service: HTTP server and client by the stable names of OpenTelemetry."""

from __future__ import annotations

from typing import Final

from .. import _house as house
from .._board import Board
from ..panels import service, venue

BOARD: Final = Board(
    uid="otel-trading-service",
    title="API service",
    description="The bot's own HTTP server, what it calls, and who asks too much.",
    rows={
        "": (
            house.sized(service.request_rate, 8, 4),
            house.sized(service.error_share, 8, 4),
            house.sized(service.latency_now, 8, 4),
        ),
        "Served": (
            service.requests,
            service.latency,
            service.errors,
            service.by_status,
        ),
        "Called": (
            service.calls,
            service.call_latency,
            service.call_errors,
        ),
        "Rate limits": (
            venue.budget_share,
            venue.refusals,
        ),
    },
)
