"""Plumbing: how large caches are, how much waits on event buses and who listens there."""

from __future__ import annotations

from otel_trading.semconv import plumbing as metrics
from otel_trading.trackers._tables import Readings

__all__ = ["BusTracker", "CacheTracker"]


class CacheTracker:
    """Reads the size of each cache at collection; observed as `trading.cache.usage`."""

    def __init__(self) -> None:
        self.usage = Readings(metrics.CACHE_USAGE)


class BusTracker:
    """Reads event buses at collection; observed as `trading.event_bus.queue.size` and `.subscriber.count`."""

    def __init__(self) -> None:
        self.queue_size = Readings(metrics.QUEUE_SIZE)
        self.subscribers = Readings(metrics.SUBSCRIBER_COUNT)
