"""Telemetry: is the monitoring itself healthy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading.semconv import attributes as a
from otel_trading.semconv import sdk

from .. import _house as house
from .. import _promql as promql

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import timeseries


def sign_of_life() -> timeseries.Panel:
    """When a process was last heard."""
    by = (promql.SERVICE,)
    query = house.query(promql.since(sdk.HEARTBEAT_TIME, by), promql.legend(*by))
    return house.lines("Last sign of life", house.about(sdk.HEARTBEAT_TIME), house.SECONDS, query).min(0)


def processes() -> timeseries.Panel:
    """How many processes run."""
    by = (promql.SERVICE,)
    query = house.query(promql.now(sdk.RUNNING, by), promql.legend(*by))
    about = "Processes that run; 0 is a clean end, a line that ends without 0 is a death."
    return house.lines("Processes", about, house.COUNT, query).min(0)


def running_since() -> timeseries.Panel:
    """How long each process has been running."""
    by = (promql.SERVICE,)
    query = house.query(promql.since(sdk.START_TIME, by), promql.legend(*by))
    return house.lines("Running for", house.about(sdk.START_TIME), house.SECONDS, query).min(0)


def dropped() -> timeseries.Panel:
    """What the SDK refused or lost."""
    by = (promql.SERVICE, a.SDK_REASON)
    query = house.query(promql.per_minute(sdk.DROPPED, by), promql.legend(*by))
    return house.events("Measurements lost", house.about(sdk.DROPPED), house.PER_MINUTE, query)


def folded() -> timeseries.Panel:
    """Which attribute has too many values."""
    by = (promql.SERVICE, a.SDK_ATTRIBUTE)
    query = house.query(promql.per_minute(sdk.ATTRIBUTE_OVERFLOWS, by), promql.legend(*by))
    return house.events("Values folded", house.about(sdk.ATTRIBUTE_OVERFLOWS), house.PER_MINUTE, query)


def export_duration() -> timeseries.Panel:
    """How long an export takes."""
    by = (promql.SERVICE,)
    query = house.query(promql.quantile(0.95, sdk.EXPORT_DURATION, by), promql.legend(*by))
    return house.lines("Export time, p95", house.about(sdk.EXPORT_DURATION), house.SECONDS, query).min(0)


def exports_failed() -> timeseries.Panel:
    """Which exports fail."""
    by = (promql.SERVICE, a.ERROR_TYPE)
    query = house.query(
        promql.per_minute(sdk.EXPORT_DURATION, by, where=promql.FAILED, part="count"), promql.legend(*by)
    )
    return house.events("Exports failed", "Exports that failed, by error.", house.PER_MINUTE, query)
