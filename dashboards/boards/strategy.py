"""Strategy: one strategy, or all, from signal to money."""

from __future__ import annotations

from typing import Final

from .. import _house as house
from .._board import Board
from ..panels import accounts, first_look, money, strategy

BOARD: Final = Board(
    uid="otel-trading-strategy",
    title="Strategy",
    description="Does the loop turn, what does it decide, how long does it think, what does it earn.",
    rows={
        "": (
            house.sized(first_look.late_strategies, 6, 4),
            first_look.session_pnl,
            house.sized(first_look.drawdown, 6, 4),
            house.sized(first_look.fills, 6, 4),
        ),
        "The loop": (
            strategy.status,
            strategy.heartbeat,
            strategy.iteration,
            strategy.uptime,
        ),
        "Signals": (
            strategy.signals,
            strategy.signal_execution,
            strategy.tick_to_trade,
            strategy.indicators,
        ),
        "What it earns": (
            money.pnl_by_strategy,
            money.session_pnl,
        ),
        "Statistics": (accounts.statistics,),
    },
)
