"""Caches: hit or missed."""

from __future__ import annotations

from typing import Final

from otel_trading import instruments
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded
from otel_trading.semconv import attributes as a
from otel_trading.semconv import plumbing as metrics

__all__ = ["cache_hit", "cache_missed"]

_CACHE: Final = Keywords("cache_hit", "cache_missed", name=a.CACHE, level=a.CACHE_LEVEL, outcome=a.CACHE_OUTCOME)


@guarded
def cache_hit(*, name: str, level: str | None = None) -> None:
    """Count a look-up that a cache answered.

    Args:
        name: Your name of the cache.
        level: l1, l2 ...

    Emits: `trading.cache.requests`.
    """
    instruments.of(metrics.CACHE_REQUESTS).record(1, _CACHE.resolve(name, level, "hit"))


@guarded
def cache_missed(*, name: str, level: str | None = None) -> None:
    """Count a look-up that a cache did not answer.

    Args:
        name: Your name of the cache.
        level: l1, l2 ...

    Emits: `trading.cache.requests`.
    """
    instruments.of(metrics.CACHE_REQUESTS).record(1, _CACHE.resolve(name, level, "miss"))
