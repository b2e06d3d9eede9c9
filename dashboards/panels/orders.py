"""Orders and fills: do they get through, how fast, at what price, at what cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading.semconv import attributes as a
from otel_trading.semconv import execution, order

from .. import _house as house
from .. import _promql as promql

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import heatmap, stat, timeseries

_BOTH_WAYS = {"adverse": house.RED, "favorable": house.GREEN}
_OUTCOMES = {"win": house.GREEN, "loss": house.RED, "breakeven": house.GREY}


def requests() -> timeseries.Panel:
    """Messages by operation."""
    by = (a.ORDER_OPERATION,)
    query = house.query(promql.rate(order.REQUESTS, by), promql.legend(*by))
    return house.lines("Order messages per second", house.about(order.REQUESTS), house.PER_SECOND, query).min(0)


def acknowledgement() -> timeseries.Panel:
    """Send to first acknowledgement."""
    return house.quantiles("Acknowledgement", order.ACKNOWLEDGEMENT_DURATION)


def acknowledgement_spread() -> heatmap.Panel:
    """How it spreads, and from when on."""
    metric = order.ACKNOWLEDGEMENT_DURATION
    return house.heat("Acknowledgement spread", house.about(metric), house.SECONDS, promql.buckets(metric))


def open_now() -> stat.Panel:
    """What is in the market now."""
    query = house.latest(promql.now(order.ACTIVE), "open")
    return house.number("Orders open now", house.about(order.ACTIVE), house.COUNT, query)


def request_duration() -> timeseries.Panel:
    """The synchronous call."""
    return house.quantiles("Order call", order.REQUEST_DURATION)


def fill_duration() -> timeseries.Panel:
    """Send to first and completing fill."""
    by = (a.ORDER_STAGE,)
    query = house.query(promql.quantile(0.95, order.FILL_DURATION, by), f"p95 {promql.legend(*by)}")
    panel = house.lines("Time to fill", house.about(order.FILL_DURATION), house.SECONDS, query)
    return house.coloured(panel, {"p95 first": house.SKY, "p95 complete": house.ORANGE}).min(0)


def transitions() -> timeseries.Panel:
    """What became of orders."""
    by = (a.ORDER_STATUS,)
    query = house.query(promql.per_minute(order.TRANSITIONS, by), promql.legend(*by))
    return house.events("Order states entered", house.about(order.TRANSITIONS), house.PER_MINUTE, query)


def active() -> timeseries.Panel:
    """Open orders by status."""
    by = (a.ORDER_STATUS,)
    query = house.query(promql.number_of(order.ACTIVE, by), promql.legend(*by))
    return house.lines("Orders open", house.about(order.ACTIVE), house.COUNT, query).min(0)


def unacknowledged_age() -> timeseries.Panel:
    """The order nobody answers."""
    by = (a.VENUE, a.STRATEGY)
    query = house.query(promql.now(order.UNACKNOWLEDGED_AGE, by, "max"), promql.legend(*by))
    title = "Oldest unanswered order"
    return house.lines(title, house.about(order.UNACKNOWLEDGED_AGE), house.SECONDS, query).min(0)


def rate_max() -> timeseries.Panel:
    """How near to the venue's limit on orders."""
    by = (a.VENUE, a.STRATEGY)
    query = house.query(promql.now(order.RATE_MAX, by, "max"), promql.legend(*by))
    return house.lines("Busiest second", house.about(order.RATE_MAX), house.COUNT, query).min(0)


def intents() -> timeseries.Panel:
    """Created, caught as duplicates, failed."""
    by = (a.INTENT_OUTCOME,)
    query = house.query(promql.per_minute(order.INTENTS, by), promql.legend(*by))
    panel = house.events("Order intents", house.about(order.INTENTS), house.PER_MINUTE, query)
    return house.coloured(panel, {"created": house.BLUE, "duplicate": house.ORANGE, "error": house.RED})


def intents_active() -> timeseries.Panel:
    """Where intents wait."""
    by = (a.INTENT_STATE,)
    query = house.query(promql.now(order.INTENT_ACTIVE, by), promql.legend(*by))
    return house.lines("Order intents by state", house.about(order.INTENT_ACTIVE), house.COUNT, query).min(0)


def intent_lag() -> timeseries.Panel:
    """Whether the worker falls behind."""
    by = (a.STRATEGY, a.ACCOUNT)
    query = house.query(promql.now(order.INTENT_LAG, by, "max"), promql.legend(*by))
    return house.lines("Oldest intent not sent", house.about(order.INTENT_LAG), house.SECONDS, query).min(0)


def rejections() -> timeseries.Panel:
    """Who said no, and why."""
    by = (a.REJECT_SOURCE, a.REJECT_REASON)
    query = house.query(promql.per_minute(order.REJECTIONS, by), promql.legend(*by))
    return house.events("Rejections by reason", house.about(order.REJECTIONS), house.PER_MINUTE, query)


def rejected_share() -> timeseries.Panel:
    """The ratio that alerts."""
    by = (promql.SERVICE, a.STRATEGY)
    window = "5m"
    sent = promql.grown(order.REQUESTS, by, {a.ORDER_OPERATION: "new"}, window=window)
    share = promql.ratio(promql.grown(order.REJECTIONS, by, promql.REFUSED, window=window), sent)
    limit = house.query(promql.threshold("order_rejection_ratio", promql.rate(order.REQUESTS, (promql.JOB,))), "alert")
    query = house.query(share, promql.legend(*by))
    description = "Share of new orders that the venue or the broker rejected, over five minutes."
    return house.dashed(house.lines("Rejected share", description, house.SHARE, query, limit), "alert").min(0)


def fills() -> timeseries.Panel:
    """Executions by side and liquidity."""
    by = (a.ORDER_SIDE, a.LIQUIDITY)
    query = house.query(promql.per_minute(execution.FILLS, by), promql.legend(*by))
    return house.events("Fills", house.about(execution.FILLS), house.PER_MINUTE, query)


def notional() -> timeseries.Panel:
    """Value traded by side."""
    by = (a.ORDER_SIDE,)
    query = house.query(promql.per_minute(execution.NOTIONAL, by), promql.legend(*by, a.CURRENCY))
    return house.events("Value traded per minute", house.about(execution.NOTIONAL), house.MONEY, query)


def slippage() -> timeseries.Panel:
    """Signed mean by venue and benchmark."""
    by = (a.VENUE, a.BENCHMARK)
    signed = promql.signed_mean(execution.SLIPPAGE, a.DIRECTION, ("adverse", "favorable"), by, window="30m")
    query = house.query(f"10000 * {signed}", promql.legend(*by))
    description = (
        "Mean price difference to the benchmark over 30 minutes, weighted by fill. Above zero it costs, below it helps."
    )
    return house.lines("Slippage", description, house.BASIS_POINTS, query)


def slippage_size() -> timeseries.Panel:
    """How bad it gets, both ways."""
    by = (a.DIRECTION,)
    query = house.query(f"10000 * {promql.quantile(0.95, execution.SLIPPAGE, by)}", promql.legend(*by))
    description = house.about(execution.SLIPPAGE) + " 95 of 100 are smaller."
    panel = house.lines("Slippage, p95 by direction", description, house.BASIS_POINTS, query)
    return house.coloured(panel, _BOTH_WAYS).min(0)


def shortfall() -> timeseries.Panel:
    """What decisions cost, delay and missed trades included."""
    by = (a.VENUE, a.STRATEGY)
    signed = promql.signed_mean(execution.SHORTFALL, a.DIRECTION, ("adverse", "favorable"), by, window="30m")
    query = house.query(f"10000 * {signed}", promql.legend(*by))
    description = (
        "Mean cost of decisions against their price on paper over 30 minutes: delay, execution, fees and what was not "
        "filled. Above zero it costs."
    )
    return house.lines("Implementation shortfall", description, house.BASIS_POINTS, query)


def markout() -> timeseries.Panel:
    """Whether makers are picked off and takers are right."""
    by = (a.MARKOUT_HORIZON, a.LIQUIDITY)
    signed = promql.signed_mean(execution.MARKOUT, a.DIRECTION, ("adverse", "favorable"), by, window="30m")
    query = house.query(f"10000 * {signed}", promql.legend(*by))
    description = (
        "Mean price move after fills over 30 minutes, by how long after. Above zero the price went against the fill: "
        "what was bought became cheaper."
    )
    return house.lines("Markout", description, house.BASIS_POINTS, query)


def fees() -> timeseries.Panel:
    """What executions cost and earn."""
    paid = house.query(promql.per_minute(execution.FEE, (a.FEE_TYPE,)), promql.legend(a.FEE_TYPE, a.CURRENCY))
    earned = house.query(f"- {promql.per_minute(execution.REBATE)}", f"rebate {promql.legend(a.CURRENCY)}")
    description = f"{house.about(execution.FEE, execution.REBATE)} Rebates are drawn below zero."
    return house.events("Fees and rebates per minute", description, house.MONEY, paid, earned)


def closures() -> timeseries.Panel:
    """Wins and losses."""
    by = (a.TRADE_OUTCOME,)
    query = house.query(promql.per_minute(execution.TRADE_CLOSURES, by), promql.legend(*by))
    panel = house.events("Trades closed", house.about(execution.TRADE_CLOSURES), house.PER_MINUTE, query)
    return house.coloured(panel, _OUTCOMES)


def trade_return() -> timeseries.Panel:
    """How large wins and losses are."""
    by = (a.TRADE_OUTCOME,)
    query = house.query(promql.mean(execution.TRADE_RETURN, by), promql.legend(*by))
    panel = house.lines("Mean trade return", house.about(execution.TRADE_RETURN), house.SHARE, query)
    return house.coloured(panel, _OUTCOMES).decimals(2).min(0)


def holding_time() -> timeseries.Panel:
    """How long wins and losses are held."""
    by = (a.TRADE_OUTCOME,)
    query = house.query(promql.mean(execution.TRADE_DURATION, by), promql.legend(*by))
    panel = house.lines("Mean holding time", house.about(execution.TRADE_DURATION), house.SECONDS, query)
    return house.coloured(panel, _OUTCOMES).min(0)
