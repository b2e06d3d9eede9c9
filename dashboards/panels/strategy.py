"""Strategy: does the loop turn, how long does it think, what does it decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading.semconv import attributes as a
from otel_trading.semconv import strategy

from .. import _house as house
from .. import _promql as promql

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import statetimeline, timeseries

_BY = (promql.SERVICE, a.STRATEGY)
#: Worst first: the order in which `_promql.state` numbers them.
STATES = {"stopped": house.GREY, "reducing": house.PURPLE, "paused": house.ORANGE, "running": house.GREEN}


def status() -> statetimeline.Panel:
    """What each strategy was doing."""
    expression = promql.state(strategy.STATUS, a.STRATEGY_STATE, STATES, _BY)
    description = "State of each strategy; grey is a clean stop, a lane that ends without grey is a death."
    return house.timeline("Strategy state", description, STATES, house.query(expression, promql.legend(*_BY)))


def heartbeat() -> timeseries.Panel:
    """Whether the loop turns."""
    period = promql.now(strategy.HEARTBEAT_PERIOD, _BY, "max")
    query = house.query(f"({promql.since(strategy.HEARTBEAT_TIME, _BY)}) / {period}", promql.legend(*_BY))
    description = "Time since the last finished loop, in periods of the strategy. From three on it counts as hung."
    panel = house.lines("Heartbeat age", description, "suffix:periods", query).decimals(1)
    return house.drawn_steps(panel, ((None, house.GREEN), (3, house.RED))).min(0)


def iteration() -> timeseries.Panel:
    """How long a loop takes."""
    return house.quantiles("Loop time", strategy.ITERATION_DURATION)


def uptime() -> timeseries.Panel:
    """When it restarted."""
    query = house.query(promql.since(strategy.START_TIME, _BY), promql.legend(*_BY))
    description = "Time since the process started; a fall to zero is a restart."
    return house.lines("Uptime", description, house.SECONDS, query).min(0)


def signals() -> timeseries.Panel:
    """What it decided."""
    by = (a.SIGNAL_TYPE, a.CONFIDENCE)
    query = house.query(promql.per_minute(strategy.SIGNAL_EMISSIONS, by), promql.legend(*by))
    return house.events("Trading signals", house.about(strategy.SIGNAL_EMISSIONS), house.PER_MINUTE, query)


def signal_execution() -> timeseries.Panel:
    """How long a decision takes to become an order."""
    return house.quantiles("Signal to accepted order", strategy.SIGNAL_EXECUTION_DURATION)


def tick_to_trade() -> timeseries.Panel:
    """How fast an order answers a price."""
    return house.quantiles("Tick to trade", strategy.TICK_TO_TRADE_DURATION)


def indicators() -> timeseries.Panel:
    """What it spends its time on."""
    by = (a.INDICATOR,)
    query = house.query(promql.quantile(0.95, strategy.INDICATOR_DURATION, by), promql.legend(*by))
    title = "Indicator calculation, p95"
    return house.lines(title, house.about(strategy.INDICATOR_DURATION), house.SECONDS, query).min(0)
