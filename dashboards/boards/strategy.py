"""Strategy: one strategy, or all, from signal to money."""

from __future__ import annotations

from typing import Final

from dashboards._board import Board
from dashboards.panels import accounts, first_look, money, strategy

BOARD: Final = Board(
    uid="otel-trading-strategy",
    title="Strategy",
    description="Does the loop turn, what does it decide, how long does it think, what does it earn.",
    rows={
        "": (
            first_look.late_strategies,
            first_look.session_pnl,
            first_look.drawdown,
            first_look.fills,
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
