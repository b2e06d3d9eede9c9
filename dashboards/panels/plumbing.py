"""Plumbing: do caches help, does the event bus keep up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading.semconv import attributes as a
from otel_trading.semconv import plumbing

from .. import _house as house
from .. import _promql as promql

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import timeseries


def cache_hits() -> timeseries.Panel:
    """How often the cache helps."""
    by = (a.CACHE, a.CACHE_LEVEL)
    hits = promql.rate(plumbing.CACHE_REQUESTS, by, {a.CACHE_OUTCOME: "hit"})
    query = house.query(promql.ratio(hits, promql.rate(plumbing.CACHE_REQUESTS, by)), promql.legend(*by))
    return house.lines("Cache hits", "Share of look-ups that the cache could answer.", house.SHARE, query).min(0).max(1)


def cache_requests() -> timeseries.Panel:
    """How often it is asked."""
    by = (a.CACHE, a.CACHE_OUTCOME)
    query = house.query(promql.rate(plumbing.CACHE_REQUESTS, by), promql.legend(*by))
    return house.lines("Cache look-ups", house.about(plumbing.CACHE_REQUESTS), house.PER_SECOND, query).min(0)


def cache_size() -> timeseries.Panel:
    """How large it is."""
    by = (promql.SERVICE, a.CACHE, a.CACHE_LEVEL)
    query = house.query(promql.now(plumbing.CACHE_USAGE, by), promql.legend(*by))
    return house.lines("Cache size", house.about(plumbing.CACHE_USAGE), "bytes", query).min(0)


def events() -> timeseries.Panel:
    """Whether what is published is processed."""
    queries = [
        house.query(promql.rate(metric, (a.EVENT_TYPE,)), f"{promql.legend(a.EVENT_TYPE)} {name}")
        for name, metric in (("published", plumbing.PUBLISHED_EVENTS), ("processed", plumbing.PROCESSED_EVENTS))
    ]
    description = house.about(plumbing.PUBLISHED_EVENTS, plumbing.PROCESSED_EVENTS)
    return house.lines("Events", description, house.PER_SECOND, *queries).min(0)


def events_failed() -> timeseries.Panel:
    """Which events fail."""
    by = (a.EVENT_TYPE, a.ERROR_TYPE)
    queries = [
        house.query(promql.per_minute(metric, by, where=promql.FAILED), promql.legend(*by))
        for metric in (plumbing.PUBLISHED_EVENTS, plumbing.PROCESSED_EVENTS)
    ]
    return house.events("Events failed", "Events that the bus or a handler failed on.", house.PER_MINUTE, *queries)


def queue() -> timeseries.Panel:
    """What waits on the bus, and who listens."""
    by = (promql.SERVICE, a.EVENT_TYPE)
    queries = [
        house.query(promql.now(metric, by), f"{promql.legend(*by)} {name}")
        for name, metric in (("waiting", plumbing.QUEUE_SIZE), ("subscribers", plumbing.SUBSCRIBER_COUNT))
    ]
    description = house.about(plumbing.QUEUE_SIZE, plumbing.SUBSCRIBER_COUNT)
    return house.lines("Event queue and subscribers", description, house.COUNT, *queries).min(0)


def handler_duration() -> timeseries.Panel:
    """How long handlers take."""
    by = (a.EVENT_TYPE,)
    query = house.query(promql.quantile(0.95, plumbing.PROCESS_DURATION, by), promql.legend(*by))
    title = "Event handling, p95"
    return house.lines(title, house.about(plumbing.PROCESS_DURATION), house.SECONDS, query).min(0)
