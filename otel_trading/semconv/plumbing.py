"""Plumbing: the caches between the strategy and its data, and the bus that its events take."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import _boundaries as bounds
from otel_trading.semconv import attributes as a
from otel_trading.semconv._model import Family, Kind, Unit

_metric = Family(("cache", "event_bus"), a.COMMON).metric

CACHE_REQUESTS: Final = _metric(
    "trading.cache.requests",
    Kind.COUNTER,
    Unit("{request}"),
    "Look-ups in a cache.",
    (a.required(a.CACHE), a.required(a.CACHE_OUTCOME), a.CACHE_LEVEL),
    note="The hit ratio is a rule over it, never an instrument.",
)
CACHE_USAGE: Final = _metric(
    "trading.cache.usage",
    Kind.OBSERVABLE_GAUGE,
    Unit("By"),
    "Size of a cache.",
    (a.required(a.CACHE), a.CACHE_LEVEL),
)
PUBLISHED_EVENTS: Final = _metric(
    "trading.event_bus.published.events",
    Kind.COUNTER,
    Unit("{event}"),
    "Events put on the bus.",
    (a.required(a.EVENT_TYPE), a.conditional(a.ERROR_TYPE)),
)
PROCESSED_EVENTS: Final = _metric(
    "trading.event_bus.processed.events",
    Kind.COUNTER,
    Unit("{event}"),
    "Events that a handler is done with, whether it failed or not.",
    (a.required(a.EVENT_TYPE), a.conditional(a.ERROR_TYPE)),
)
QUEUE_SIZE: Final = _metric(
    "trading.event_bus.queue.size",
    Kind.OBSERVABLE_UP_DOWN_COUNTER,
    Unit("{event}"),
    "Events that wait on the bus.",
    (a.EVENT_TYPE,),
)
SUBSCRIBER_COUNT: Final = _metric(
    "trading.event_bus.subscriber.count",
    Kind.OBSERVABLE_UP_DOWN_COUNTER,
    Unit("{subscriber}"),
    "Handlers subscribed to the bus.",
    (a.EVENT_TYPE,),
)
PROCESS_DURATION: Final = _metric(
    "trading.event_bus.process.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Time that a handler took for one event.",
    (a.required(a.EVENT_TYPE),),
    bounds.ITERATION,
    note="From 1 ms to 60 s, because alerts look at a second.",
)
