"""First look: am I making or losing money, do feeds and orders work, how far is each limit, what is firing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading.semconv import attributes as a
from otel_trading.semconv import execution, market_data, order, portfolio, risk, strategy

from .. import _house as house
from .. import _promql as promql

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import bargauge, stat, statetimeline, table

#: Worst first; an alert of severity none tells nobody anything.
SEVERITIES = ("critical", "warning", "info")
#: Worst first: the order in which `_promql.state` numbers them.
CONNECTION_STATES = {
    "disconnected": house.RED,
    "degraded": house.PURPLE,
    "connecting": house.ORANGE,
    "connected": house.GREEN,
}


def session_pnl() -> stat.Panel:
    """Am I making or losing money today?"""
    expression = promql.now(portfolio.SESSION_PNL)
    query = house.latest(expression, promql.legend(a.CURRENCY))
    panel = house.number("Session P&L", house.about(portfolio.SESSION_PNL), house.MONEY, query, steps=house.SIGN)
    return house.named(panel)


def equity() -> stat.Panel:
    """What is it all worth?"""
    query = house.latest(promql.now(portfolio.VALUE), promql.legend(a.CURRENCY))
    return house.named(house.number("Equity", house.about(portfolio.VALUE), house.MONEY, query))


def drawdown() -> stat.Panel:
    """How far below the peak?"""
    query = house.latest(promql.now(portfolio.DRAWDOWN, how="max"), "deepest")
    panel = house.number("Drawdown", house.about(portfolio.DRAWDOWN), house.SHARE, query, steps=house.rising(0.1, 0.2))
    return house.size(panel, 4, 4)


def fills() -> stat.Panel:
    """Do orders end in executions?"""
    query = house.latest(promql.increase(execution.FILLS), "fills")
    panel = house.number("Fills", house.about(execution.FILLS) + " In the time shown.", house.COUNT, query)
    return house.size(panel, 4, 4)


def late_strategies() -> stat.Panel:
    """Does every loop turn?"""
    by = (promql.SERVICE, a.STRATEGY)
    period = promql.now(strategy.HEARTBEAT_PERIOD, by, "max")
    late = f"count ({promql.since(strategy.HEARTBEAT_TIME, by)} > 3 * {period})"
    query = house.latest(promql.or_zero(late, f"count ({period})"), "late")
    description = "Strategies whose last finished loop is older than three of their periods."
    panel = house.number("Late strategies", description, house.COUNT, query, steps=house.rising(1, 2))
    return house.size(panel, 4, 4)


def feed_age() -> bargauge.Panel:
    """Is every feed alive?"""
    by = (a.DATA_SOURCE, a.DATA_KIND)
    query = house.latest(promql.now(market_data.AGE, by, "max"), promql.legend(*by))
    steps = house.rising(10, 30)
    return house.bars("Feeds: age", house.about(market_data.AGE), house.SECONDS, query, steps=steps).max(60)


def connections() -> statetimeline.Panel:
    """Is every connection up, and was it?"""
    by = (a.CONNECTION,)
    expression = promql.state(market_data.CONNECTION_STATUS, a.CONNECTION_STATE, CONNECTION_STATES, by)
    query = house.query(expression, promql.legend(*by))
    description = "State of each connection; the worst one where several bots share its name."
    return house.size(house.timeline("Connections", description, CONNECTION_STATES, query), 6, 7)


def orders_get_through() -> stat.Panel:
    """Do orders get through?"""
    sent = promql.grown(order.REQUESTS, where={a.ORDER_OPERATION: "new"})
    rejected = promql.ratio(promql.grown(order.REJECTIONS, where=promql.REFUSED), sent)
    panel = house.number(
        "Orders: rejected",
        "Share of new orders that the venue or the broker rejected, in the time shown.",
        house.SHARE,
        house.latest(rejected, "rejected"),
        steps=house.rising(0.05, 0.1),
    )
    return house.size(panel, 3, 7)


def acknowledgement() -> stat.Panel:
    """How fast does the venue answer?"""
    query = house.latest(promql.quantile(0.95, order.ACKNOWLEDGEMENT_DURATION, window=promql.RANGE), "p95")
    title, description = "Answered within", house.about(order.ACKNOWLEDGEMENT_DURATION) + " 95 of 100 are faster."
    panel = house.number(title, description, house.SECONDS, query, steps=house.rising(0.5, 1))
    return house.size(panel, 3, 7)


def limits_used() -> bargauge.Panel:
    """How far is each limit?"""
    by = (a.RISK_LIMIT,)
    query = house.latest(promql.now(risk.UTILIZATION, by, "max"), promql.legend(*by, a.CURRENCY))
    steps = house.rising(0.5, 0.9)
    return house.bars("Limits: used", house.about(risk.UTILIZATION), house.SHARE, query, steps=steps).max(1)


def alerts() -> table.Panel:
    """What is firing?"""
    # `or` keeps the order of its sides: what wakes people stands above.
    worst_first = " or ".join(f'ALERTS{{alertstate="firing", severity="{severity}"}}' for severity in SEVERITIES)
    panel = house.rows("Firing alerts", "What Prometheus fires now, in every mode.", "none", house.latest(worst_first))
    columns = {
        "severity": "Severity",
        "alertname": "Alert",
        promql.SERVICE: "Bot",
        a.STRATEGY.prometheus: "Strategy",
        a.VENUE.prometheus: "Venue",
        a.CURRENCY.prometheus: "Currency",
    }
    panel = house.tidy(panel, columns).no_value("Nothing is firing")
    panel = house.column(panel, "Severity", custom__width=90)
    return house.size(house.column(panel, "Alert", custom__minWidth=240), 24, 9)
