"""The overview: eight questions, the first five answered on the first screen."""

from __future__ import annotations

from typing import Final

from .._board import Board
from ..panels import (
    first_look,
    health,
    market_data,
    money,
    orders,
    pipeline,
    plumbing,
    strategy,
    telemetry,
    venue,
)

BOARD: Final = Board(
    uid="otel-trading-overview",
    title="Trading overview",
    description="Money, orders, data, venue, strategy and telemetry of one or all bots.",
    rows={
        "": (
            first_look.session_pnl,
            first_look.equity,
            first_look.drawdown,
            first_look.fills,
            first_look.late_strategies,
            first_look.feed_age,
            first_look.connections,
            first_look.orders_get_through,
            first_look.acknowledgement,
            first_look.limits_used,
            first_look.alerts,
        ),
        "Money": (
            money.equity_curve,
            money.pnl_by_strategy,
            money.drawdown,
        ),
        "Orders": (
            orders.requests,
            orders.rejected_share,
            orders.request_duration,
        ),
        "Data and venue": (
            market_data.age,
            venue.latency_by_operation,
            venue.budget_share,
        ),
        "The bot itself": (
            strategy.status,
            health.checks,
            health.breakers,
        ),
        "The monitoring itself": (
            telemetry.dropped,
            pipeline.queue,
            plumbing.cache_hits,
        ),
    },
)
