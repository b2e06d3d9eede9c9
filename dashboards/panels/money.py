"""Money: what was made or lost, where, and how far each limit is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading.semconv import attributes as a
from otel_trading.semconv import portfolio, risk

from .. import _house as house
from .. import _promql as promql

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import table, timeseries


def equity_curve() -> timeseries.Panel:
    """Equity per account."""
    by = (a.ACCOUNT,)
    query = house.query(promql.now(portfolio.VALUE, by), promql.legend(*by, a.CURRENCY))
    return house.lines("Equity curve", house.about(portfolio.VALUE), house.MONEY, query)


def pnl_by_strategy() -> timeseries.Panel:
    """Which strategy made it."""
    by = (a.STRATEGY,)
    query = house.query(promql.now(portfolio.PNL, by), promql.legend(*by, a.CURRENCY))
    return house.lines("P&L by strategy", house.about(portfolio.PNL), house.MONEY, query)


def session_pnl() -> timeseries.Panel:
    """Today's P&L by type, against the loss limit in force."""
    by = (a.PNL_TYPE,)
    parts = house.query(promql.now(portfolio.SESSION_PNL, by), promql.legend(*by, a.CURRENCY))
    allowed = promql.threshold("daily_loss", promql.now(portfolio.SESSION_PNL, (promql.JOB,)), (a.CURRENCY,))
    limit = house.query(f"- {allowed}", f"loss limit {promql.legend(a.CURRENCY)}")
    panel = house.lines("Session P&L", house.about(portfolio.SESSION_PNL), house.MONEY, parts, limit)
    return house.dashed(panel, "/^loss limit/")


def drawdown() -> timeseries.Panel:
    """Drawdown now and at its deepest."""
    by = (a.STRATEGY, a.ACCOUNT)
    present = house.query(promql.now(portfolio.DRAWDOWN, by, "max"), f"now {promql.legend(*by)}")
    ever = promql.now(portfolio.MAX_DRAWDOWN, by, "max", {a.WINDOW: "inception"})
    deepest = house.query(ever, f"deepest {promql.legend(*by, a.CURRENCY)}")
    description = house.about(portfolio.DRAWDOWN, portfolio.MAX_DRAWDOWN)
    panel = house.lines("Drawdown", description, house.SHARE, present, deepest)
    return house.dashed(panel, "/^deepest/").min(0)


def exposure() -> timeseries.Panel:
    """Gross, net, long and short."""
    by = (a.EXPOSURE_TYPE,)
    query = house.query(promql.now(portfolio.EXPOSURE, by), promql.legend(*by, a.CURRENCY))
    return house.lines("Exposure", house.about(portfolio.EXPOSURE), house.MONEY, query)


def open_positions() -> timeseries.Panel:
    """How many, by side."""
    by = (a.POSITION_SIDE,)
    query = house.query(promql.now(portfolio.POSITION_COUNT, by), promql.legend(*by))
    panel = house.lines("Open positions", house.about(portfolio.POSITION_COUNT), house.COUNT, query)
    return house.coloured(panel, {"long": house.BLUE, "short": house.ORANGE, "flat": house.GREY}).min(0)


def positions() -> table.Panel:
    """Each position with its P&L."""
    by = (a.STRATEGY, a.VENUE, a.SYMBOL)
    quantity = house.query(promql.now(portfolio.POSITION_QUANTITY, by))
    pnl = house.query(promql.now(portfolio.POSITION_PNL, by))
    protected = house.query(promql.now(portfolio.POSITION_PROTECTED, by))
    exposure = house.query(promql.now(portfolio.POSITION_EXPOSURE, by))
    metrics = (
        portfolio.POSITION_QUANTITY,
        portfolio.POSITION_PNL,
        portfolio.POSITION_PROTECTED,
        portfolio.POSITION_EXPOSURE,
    )
    panel = house.rows("Positions", house.about(*metrics), house.MONEY, quantity, pnl, protected, exposure)
    labels = {a.SYMBOL: "Symbol", a.STRATEGY: "Strategy", a.VENUE: "Venue", a.CURRENCY: "Currency"}
    values = {"Value #A": "Quantity", "Value #B": "P&L", "Value #C": "Protected", "Value #D": "Exposure"}
    panel = house.tidy(panel, {attribute.prometheus: name for attribute, name in labels.items()} | values)
    panel = house.column(panel, "Protected", decimals=4)
    return house.column(panel, "Quantity", decimals=4)


def limits() -> table.Panel:
    """Each limit with what is used of it."""
    by = (a.RISK_LIMIT, a.LIMIT_UNIT, a.STRATEGY, a.ACCOUNT)
    metrics = (risk.USAGE, risk.LIMIT, risk.UTILIZATION)
    queries = [house.query(promql.now(metric, by, "max")) for metric in metrics]
    panel = house.rows("Limits", house.about(*metrics), house.MONEY, *queries)
    labels = {a.RISK_LIMIT: "Limit", a.STRATEGY: "Strategy", a.ACCOUNT: "Account", a.CURRENCY: "Currency"}
    values = {"Value #A": "Used", "Value #B": "Allowed", "Value #C": "Share"}
    panel = house.tidy(panel, {attribute.prometheus: name for attribute, name in labels.items()} | values)
    return house.column(panel, "Share", unit=house.SHARE, decimals=1)
