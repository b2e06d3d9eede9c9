"""Market data and connections: is what the strategy sees alive and current."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import _house as house
from dashboards import _promql as promql
from otel_trading.semconv import attributes as a
from otel_trading.semconv import market_data

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import timeseries

_FEED = (a.DATA_SOURCE, a.DATA_KIND, a.CONNECTION)


def age() -> timeseries.Panel:
    """The age of each feed, against the threshold in force."""
    query = house.query(promql.now(market_data.AGE, _FEED, "max"), promql.legend(*_FEED))
    by = (a.DATA_KIND,)
    allowed = promql.threshold("market_data_age_seconds", promql.now(market_data.AGE, (promql.JOB,), "max"), by)
    limit = house.query(allowed, f"alert {promql.legend(*by)}")
    panel = house.lines("Age of the last message", house.about(market_data.AGE), house.SECONDS, query, limit)
    return house.dashed(panel, "/^alert/").min(0)


def messages() -> timeseries.Panel:
    """Rate of each feed."""
    query = house.query(promql.rate(market_data.MESSAGES, _FEED), promql.legend(*_FEED))
    return house.lines("Messages per second", house.about(market_data.MESSAGES), house.PER_SECOND, query).min(0)


def delay() -> timeseries.Panel:
    """Venue timestamp to receipt."""
    return house.quantiles("Delay from venue to bot", market_data.DELAY)


def gaps() -> timeseries.Panel:
    """What was missed."""
    by = (a.DATA_SOURCE,)
    query = house.query(promql.per_minute(market_data.GAPS, by), promql.legend(*by))
    return house.events("Sequence gaps", house.about(market_data.GAPS), house.PER_MINUTE, query)


def uptime() -> timeseries.Panel:
    """How long each connection holds."""
    by = (promql.SERVICE, a.CONNECTION)
    query = house.query(promql.now(market_data.CONNECTION_UPTIME, by, "min"), promql.legend(*by))
    return house.lines("Connection age", house.about(market_data.CONNECTION_UPTIME), house.SECONDS, query).min(0)


def reconnects() -> timeseries.Panel:
    """How often each connection broke, and why."""
    by = (a.CONNECTION, a.ERROR_TYPE)
    query = house.query(promql.per_minute(market_data.CONNECTION_RECONNECTS, by), promql.legend(*by))
    return house.events("Reconnects", house.about(market_data.CONNECTION_RECONNECTS), house.PER_MINUTE, query)
