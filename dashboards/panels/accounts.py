"""Accounts and statistics: balances, margin, funding, and how good the returns are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading.semconv import attributes as a
from otel_trading.semconv import portfolio

from .. import _house as house
from .. import _promql as promql

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import heatmap, stat, table, timeseries

#: More curves than this nobody reads.
_NEAREST = 10


def statistics() -> table.Panel:
    """Each window with its ratios."""
    by = (a.WINDOW, a.STRATEGY, a.ACCOUNT)
    columns = {
        "Return": portfolio.RETURN,
        "Win rate": portfolio.WIN_RATE,
        "Expectancy": portfolio.EXPECTANCY,
        "Profit factor": portfolio.PROFIT_FACTOR,
        "Sharpe": portfolio.SHARPE_RATIO,
        "Sortino": portfolio.SORTINO_RATIO,
        "Calmar": portfolio.CALMAR_RATIO,
        "Max drawdown": portfolio.MAX_DRAWDOWN,
    }
    queries = [house.query(promql.now(metric, by, "max")) for metric in columns.values()]
    panel = house.rows("Statistics", house.about(*columns.values()), "none", *queries)
    labels = {a.WINDOW: "Window", a.STRATEGY: "Strategy", a.ACCOUNT: "Account", a.CURRENCY: "Currency"}
    values = {f"Value #{letter}": name for letter, name in zip("ABCDEFGH", columns, strict=True)}
    panel = house.tidy(panel, {attribute.prometheus: name for attribute, name in labels.items()} | values)
    for share in ("Return", "Win rate", "Max drawdown"):
        panel = house.column(panel, share, unit=house.SHARE, decimals=1)
    for ratio in ("Profit factor", "Sharpe", "Sortino", "Calmar", "Expectancy"):
        panel = house.column(panel, ratio, decimals=2)
    return house.size(panel, 24, 8)


def returns() -> timeseries.Panel:
    """Return over each window."""
    by = (a.WINDOW, a.ACCOUNT)
    query = house.query(promql.now(portfolio.RETURN, by, "max"), promql.legend(*by, a.CURRENCY))
    return house.lines("Return by window", house.about(portfolio.RETURN), house.SHARE, query)


def session_returns() -> heatmap.Panel:
    """How large the returns of sessions are."""
    metric = portfolio.SESSION_RETURN
    return house.heat("Size of session returns", house.about(metric), house.SHARE, promql.buckets(metric))


def converted_equity() -> timeseries.Panel:
    """All currencies of an account in the reporting currency."""
    by = (a.ACCOUNT,)
    where = {a.CURRENCY_CONVERTED: promql.ANY}
    query = house.query(promql.now(portfolio.VALUE, by, where=where), promql.legend(*by, a.CURRENCY))
    about = "Equity of all currencies in the reporting currency; empty without conversion rates."
    return house.lines("Equity in the reporting currency", about, house.MONEY, query)


def balances() -> timeseries.Panel:
    """What is free, bound and borrowed."""
    by = (a.ACCOUNT, a.BALANCE_STATE)
    query = house.query(promql.now(portfolio.BALANCE, by), promql.legend(*by, a.CURRENCY))
    return house.lines("Balances", house.about(portfolio.BALANCE), house.MONEY, query)


def margin() -> timeseries.Panel:
    """Margin in use against what may be used."""
    by = (a.ACCOUNT,)
    used = house.query(promql.now(portfolio.MARGIN_USAGE, by), f"used {promql.legend(*by, a.CURRENCY)}")
    limit = house.query(promql.now(portfolio.MARGIN_LIMIT, by), f"limit {promql.legend(*by, a.CURRENCY)}")
    description = house.about(portfolio.MARGIN_USAGE, portfolio.MARGIN_LIMIT)
    return house.dashed(house.lines("Margin", description, house.MONEY, used, limit), "/^limit/").min(0)


def leverage() -> timeseries.Panel:
    """Share of the margin used, and exposure over equity."""
    by = (a.ACCOUNT,)
    margin_share = house.query(promql.now(portfolio.MARGIN_UTILIZATION, by, "max"), f"margin {promql.legend(*by)}")
    exposed = house.query(promql.now(portfolio.LEVERAGE, by, "max"), f"leverage {promql.legend(*by)}")
    description = house.about(portfolio.MARGIN_UTILIZATION, portfolio.LEVERAGE)
    return house.lines("Margin used and leverage", description, house.SHARE, margin_share, exposed).min(0)


def liquidation_distance() -> timeseries.Panel:
    """How far each position is from liquidation."""
    by = (a.ACCOUNT, a.SYMBOL)
    nearest = f"bottomk({_NEAREST}, {promql.now(portfolio.LIQUIDATION_DISTANCE, by, 'min')})"
    description = f"{house.about(portfolio.LIQUIDATION_DISTANCE)} Only the {_NEAREST} nearest at each moment."
    query = house.query(nearest, promql.legend(*by))
    return house.lines("Distance to liquidation", description, house.SHARE, query)


def funding_rate() -> timeseries.Panel:
    """Funding rates by symbol."""
    by = (a.VENUE, a.SYMBOL)
    query = house.query(promql.now(portfolio.FUNDING_RATE, by, "max"), promql.legend(*by))
    return house.lines("Funding rate", house.about(portfolio.FUNDING_RATE), house.SHARE, query).decimals(4)


def funding() -> stat.Panel:
    """Funding paid and received in the time shown."""
    by = (a.FUNDING_DIRECTION,)
    query = house.latest(promql.increase(portfolio.FUNDING_PAYMENT, by), promql.legend(*by, a.CURRENCY))
    about = house.about(portfolio.FUNDING_PAYMENT)
    panel = house.named(house.number("Funding in the time shown", about, house.MONEY, query))
    return house.size(panel, 8, 8)
