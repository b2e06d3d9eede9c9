"""Backtest results, and live beside them."""

from __future__ import annotations

from typing import Final

from .._board import Board
from ..panels import backtest

BOARD: Final = Board(
    uid="otel-trading-backtest",
    title="Backtests, and live against them",
    description="What the latest runs came to, how long they take, and whether live behaves as they promised.",
    rows={
        "Results of backtests": (
            backtest.results,
            backtest.duration,
            backtest.runs,
        ),
        "Live against backtest": (
            backtest.return_against,
            backtest.sharpe_against,
            backtest.drawdown_against,
            backtest.slippage_against,
        ),
    },
)
