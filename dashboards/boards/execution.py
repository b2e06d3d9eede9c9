"""Execution: orders, fills, latency, slippage, markouts, rejections."""

from __future__ import annotations

from typing import Final

from .. import _house as house
from .._board import Board
from ..panels import first_look, orders, usual

BOARD: Final = Board(
    uid="otel-trading-execution",
    title="Execution",
    description="Do orders get through, how fast, at what price, at what cost; what was rejected and why.",
    rows={
        "": (
            house.sized(first_look.fills, 6, 4),
            house.sized(first_look.orders_get_through, 6, 4),
            house.sized(first_look.acknowledgement, 6, 4),
            orders.open_now,
        ),
        "Orders": (
            orders.requests,
            orders.acknowledgement,
            orders.acknowledgement_spread,
            orders.rejected_share,
            orders.transitions,
            orders.request_duration,
            orders.rejections,
            orders.active,
            orders.fill_duration,
            orders.unacknowledged_age,
            orders.rate_max,
            usual.acknowledgement,
        ),
        "Intents and workers": (
            orders.intents,
            orders.intents_active,
            orders.intent_lag,
        ),
        "Fills and their price": (
            orders.fills,
            orders.slippage,
            orders.slippage_size,
            orders.shortfall,
            orders.markout,
            orders.notional,
            orders.fees,
        ),
        "Round trips": (
            orders.closures,
            orders.trade_return,
            orders.holding_time,
        ),
    },
)
