"""Plumbing: the caches between the strategy and its data."""

from __future__ import annotations

from typing import Final

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
