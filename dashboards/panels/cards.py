"""Cards: the headline values of a portfolio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading.semconv import attributes as a
from otel_trading.semconv import execution, portfolio

from .. import _house as house
from .. import _promql as promql

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import stat


def total_pnl() -> stat.Panel:
    """Won or lost since the beginning?"""
    query = house.latest(promql.now(portfolio.PNL), promql.legend(a.CURRENCY))
    panel = house.number("Total P&L", house.about(portfolio.PNL), house.MONEY, query, steps=house.SIGN)
    return house.size(house.named(panel), 4, 4)


def win_rate() -> stat.Panel:
    """How many trades win?"""
    wins = promql.grown(execution.TRADE_CLOSURES, where={a.TRADE_OUTCOME: "win"})
    rate = promql.ratio(wins, promql.grown(execution.TRADE_CLOSURES))
    description = "Share of the trades closed in the time shown that won. Half is the usual target."
    steps = ((None, house.RED), (0.4, house.ORANGE), (0.5, house.GREEN))
    panel = house.number("Win rate", description, house.SHARE, house.latest(rate, "won"), steps=steps)
    return house.size(panel, 3, 4)


def max_drawdown() -> stat.Panel:
    """How deep did it get?"""
    query = house.latest(promql.now(portfolio.MAX_DRAWDOWN, how="max"), "deepest")
    about = house.about(portfolio.MAX_DRAWDOWN)
    panel = house.number("Max drawdown", about, house.SHARE, query, steps=house.rising(0.1, 0.2))
    return house.size(panel, 3, 4)


def trades() -> stat.Panel:
    """How many round trips?"""
    query = house.latest(promql.increase(execution.TRADE_CLOSURES), "trades")
    panel = house.number("Trades", "Trades closed in the time shown.", house.COUNT, query)
    return house.size(panel, 2, 4)
