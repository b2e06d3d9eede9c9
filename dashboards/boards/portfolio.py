"""Portfolio and risk: equity, returns, drawdown, exposure, limits, reconciliation."""

from __future__ import annotations

from typing import Final

from .._board import Board
from ..panels import accounts, cards, first_look, money, risk, usual

BOARD: Final = Board(
    uid="otel-trading-portfolio",
    title="Portfolio and risk",
    description="What is won and lost, how deep the drawdown, how large the exposure, how far each limit.",
    rows={
        "": (
            first_look.session_pnl,
            first_look.equity,
            cards.total_pnl,
            cards.win_rate,
            cards.max_drawdown,
            cards.trades,
        ),
        "Money": (
            money.equity_curve,
            money.pnl_by_strategy,
            money.session_pnl,
            money.drawdown,
            money.exposure,
            money.open_positions,
            money.positions,
            money.limits,
            usual.session_pnl,
        ),
        "Statistics and returns": (
            accounts.statistics,
            accounts.returns,
            accounts.session_returns,
            accounts.converted_equity,
        ),
        "Risk": (
            risk.kill_switches,
            risk.activations,
            risk.checks,
            risk.value_at_risk,
        ),
        "Reconciliation": (
            risk.active_breaks,
            risk.break_age,
            risk.discrepancy,
            risk.breaks_found,
            risk.runs,
        ),
        "Accounts": (
            accounts.balances,
            accounts.margin,
            accounts.leverage,
            accounts.liquidation_distance,
            accounts.funding_rate,
            accounts.funding,
        ),
    },
)
