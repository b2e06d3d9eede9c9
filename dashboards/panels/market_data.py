"""Market data and connections: is what the strategy sees alive and current."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading.semconv import attributes as a
from otel_trading.semconv import market_data

from .. import _house as house
from .. import _promql as promql

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import timeseries

_FEED = (a.DATA_SOURCE, a.DATA_KIND, a.CONNECTION)


def age() -> timeseries.Panel:
    """The age of each feed, against the threshold in force."""
    query = house.query(promql.now(market_data.AGE, _FEED, "max"), promql.legend(*_FEED))
    by = (a.DATA_KIND,)
    allowed = promql.threshold("market_data_age_seconds", promql.now(market_data.AGE, (promql.JOB, *by), "max"), by)
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


def resyncs() -> timeseries.Panel:
    """What was rebuilt after a gap."""
    by = (a.DATA_SOURCE,)
    query = house.query(promql.per_minute(market_data.RESYNCS, by), promql.legend(*by))
    return house.events("Book resyncs", house.about(market_data.RESYNCS), house.PER_MINUTE, query)


def fetches() -> timeseries.Panel:
    """Which source answers slowly."""
    by = (a.DATA_SOURCE,)
    query = house.query(promql.quantile(0.95, market_data.FETCH_DURATION, by), promql.legend(*by))
    return house.lines("Fetch time, p95", house.about(market_data.FETCH_DURATION), house.SECONDS, query).min(0)


def fetches_failed() -> timeseries.Panel:
    """Which source fails."""
    by = (a.DATA_SOURCE,)
    fetches = promql.rate(market_data.FETCH_DURATION, by, part="count")
    failed = promql.rate(market_data.FETCH_DURATION, by, where=promql.FAILED, part="count")
    query = house.query(promql.ratio(failed, fetches), promql.legend(*by))
    return house.lines("Fetches failed", "Share of fetches of market data that failed.", house.SHARE, query).min(0)


def quality() -> timeseries.Panel:
    """Whose data is poor."""
    by = (promql.SERVICE, a.DATA_SOURCE)
    query = house.query(promql.now(market_data.QUALITY, by, "min"), promql.legend(*by))
    return house.lines("Data quality", house.about(market_data.QUALITY), house.SHARE, query).min(0).max(1)


def ping() -> timeseries.Panel:
    """How far each connection is from its other end."""
    by = (a.CONNECTION,)
    query = house.query(promql.quantile(0.95, market_data.PING_DURATION, by), promql.legend(*by))
    return house.lines("Heartbeat round trip, p95", house.about(market_data.PING_DURATION), house.SECONDS, query).min(0)


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
