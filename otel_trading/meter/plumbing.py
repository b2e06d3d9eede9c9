"""Caches: hit or missed, and how large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading import instruments, trackers
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded
from otel_trading.semconv import attributes as a
from otel_trading.semconv import plumbing as metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading._numbers import Number

__all__ = ["cache_hit", "cache_missed", "watch_cache"]

_CACHE: Final = Keywords("cache_hit", "cache_missed", name=a.CACHE, level=a.CACHE_LEVEL, outcome=a.CACHE_OUTCOME)
_WATCHED: Final = Keywords("watch_cache", name=a.CACHE, level=a.CACHE_LEVEL)


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


@guarded
def watch_cache(*, name: str, size: Callable[[], Number], level: str | None = None) -> None:
    """Let the size of a cache be read at every collection.

    Args:
        name: Your name of the cache; watched again under it, the new function takes the place of the old one.
        size: Returns the bytes that the cache holds now; called in the thread that exports.
        level: l1, l2 ...

    Emits: nothing by itself; feeds `trading.cache.usage`.
    """
    trackers.default().caches.usage.watch(_WATCHED.resolve(name, level), size)
