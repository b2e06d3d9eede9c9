"""Resilience and health."""

from __future__ import annotations

from typing import Final

from .._board import Board
from ..panels import health

BOARD: Final = Board(
    uid="otel-trading-resilience",
    title="Resilience and health",
    description="What the bot checks, guards, tries again and times itself, and what failed.",
    rows={
        "Health checks": (
            health.checks,
            health.check_duration,
        ),
        "Circuit breakers": (
            health.breakers,
            health.breaker_transitions,
            health.breaker_calls,
            health.breaker_call_duration,
        ),
        "Retries and timed blocks": (
            health.retries,
            health.operations,
            health.operations_failed,
        ),
        "Log": (health.logged_errors,),
    },
)
