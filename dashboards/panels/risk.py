"""Risk and reconciliation: what is stopped, what was refused, and whether our books agree with the venue's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading.semconv import attributes as a
from otel_trading.semconv import risk

from .. import _house as house
from .. import _promql as promql

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import statetimeline, timeseries

#: Worst first: the order in which `_promql.state` numbers them.
STATES = {"halted": house.RED, "reducing": house.ORANGE, "armed": house.GREEN}
OUTCOMES = {"pass": house.GREEN, "warn": house.ORANGE, "deny": house.RED}


def kill_switches() -> statetimeline.Panel:
    """Which switch is pulled."""
    by = (a.KILL_SWITCH_SCOPE, a.ACCOUNT, a.STRATEGY)
    expression = promql.state(risk.KILL_SWITCH_STATUS, a.KILL_SWITCH_STATE, STATES, by)
    query = house.query(expression, promql.legend(*by))
    return house.timeline("Kill switches", "State of each kill switch over time.", STATES, query)


def activations() -> timeseries.Panel:
    """What pulled it."""
    by = (a.KILL_SWITCH_SCOPE, a.KILL_SWITCH_TRIGGER)
    query = house.query(promql.per_minute(risk.KILL_SWITCH_ACTIVATIONS, by), promql.legend(*by))
    title = "Kill switch activations"
    return house.events(title, house.about(risk.KILL_SWITCH_ACTIVATIONS), house.PER_MINUTE, query)


def checks() -> timeseries.Panel:
    """What our own checks said."""
    by = (a.RISK_OUTCOME,)
    query = house.query(promql.per_minute(risk.CHECKS, by), promql.legend(*by))
    panel = house.events("Pre-trade checks", house.about(risk.CHECKS), house.PER_MINUTE, query)
    return house.coloured(panel, OUTCOMES)


def value_at_risk() -> timeseries.Panel:
    """What a bad day may cost."""
    by = (a.STRATEGY, a.ACCOUNT)
    query = house.query(promql.now(risk.VALUE_AT_RISK, by, "max"), promql.legend(*by, a.CURRENCY))
    return house.lines("Value at risk, 95 % of one day", house.about(risk.VALUE_AT_RISK), house.MONEY, query)


def active_breaks() -> timeseries.Panel:
    """How many differences are open."""
    by = (a.RECONCILIATION_OBJECT, a.BREAK_TYPE)
    query = house.query(f"{promql.number_of(risk.BREAK_ACTIVE, by)} > 0", promql.legend(*by))
    panel = house.lines("Unresolved breaks", house.about(risk.BREAK_ACTIVE), house.COUNT, query)
    return panel.min(0).no_value(house.NONE_YET)


def break_age() -> timeseries.Panel:
    """Since when."""
    by = (a.RECONCILIATION_OBJECT, a.VENUE, a.ACCOUNT)
    query = house.query(promql.now(risk.BREAK_AGE, by, "max"), promql.legend(*by))
    return house.lines("Oldest unresolved break", house.about(risk.BREAK_AGE), house.SECONDS, query).min(0)


def discrepancy() -> timeseries.Panel:
    """By how much, and in what."""
    by = (a.RECONCILIATION_OBJECT, a.SYMBOL)
    query = house.query(f"{promql.now(risk.DISCREPANCY, by)} != 0", promql.legend(*by))
    panel = house.lines("Discrepancy: local minus venue", house.about(risk.DISCREPANCY), house.MONEY, query)
    return panel.no_value(house.NONE_YET)


def breaks_found() -> timeseries.Panel:
    """How often the books part."""
    by = (a.RECONCILIATION_OBJECT, a.BREAK_TYPE)
    query = house.query(promql.per_minute(risk.BREAKS, by), promql.legend(*by))
    return house.events("Breaks found", house.about(risk.BREAKS), house.PER_MINUTE, query)


def runs() -> timeseries.Panel:
    """How long a comparison takes, and which fail."""
    by = (a.RECONCILIATION_OBJECT, a.ERROR_TYPE)
    query = house.query(promql.quantile(0.95, risk.RECONCILIATION_DURATION, by), promql.legend(*by))
    title = "Reconciliation time, p95; an error beside the name is a failed run"
    return house.lines(title, house.about(risk.RECONCILIATION_DURATION), house.SECONDS, query).min(0)
