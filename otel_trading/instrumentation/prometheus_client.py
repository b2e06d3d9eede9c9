"""prometheus_client: the metrics that an app already has leave over OTLP too, as they are.

| Of a registry                    | Over OTLP                                                             |
| -------------------------------- | --------------------------------------------------------------------- |
| Counter, its `_created`          | monotonic sum under the same name, counting since then                 |
| Gauge, Info, Enum, unknown types | gauge under the name of each sample                                   |
| Histogram                        | histogram with the same buckets                                       |
| Summary                          | summary, with quantiles where there are any                           |
| labels, help, unit, exemplars    | attributes, description, unit, exemplars                              |

In Prometheus the series have the names and labels that a scrape would give them, and those of the bot's service; only a
whole bound of a histogram is le="1" there, where a scrape writes le="1.0". The
default registry takes part once the app has put something of its own into it, registries of the app's own always.
A forked worker sends what it counted itself, and gauges that it moved: the rest is its parent's, which sends it too.
Nothing of the app's /metrics endpoint changes. Only on the road OTEL_METRICS_EXPORTER=otlp over HTTP.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Final
from weakref import WeakSet

from otel_trading.instrumentation._hooks import LazyInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import TypeAlias

    from prometheus_client import CollectorRegistry
    from prometheus_client import Metric as Family
    from prometheus_client.samples import Sample

    from otel_trading.semconv import Metric

    Series: TypeAlias = tuple[str, frozenset[tuple[str, str]]]

__all__ = ["PrometheusClientInstrumentor", "leave_out", "own", "registries", "series"]

_COUNTING: Final = {"counter", "histogram", "summary"}
#: What prometheus_client itself puts into the default registry.
_DEFAULTS: Final = {"GCCollector", "PlatformCollector", "ProcessCollector"}


class _State:
    on = False
    following_forks = False
    made: ClassVar[WeakSet[CollectorRegistry]] = WeakSet()
    #: What the parent held when it forked this process, and when that was; `held` is the same while it forks.
    inherited: ClassVar[dict[Series, float]] = {}
    held: ClassVar[dict[Series, float]] = {}
    begun = 0.0


def leave_out(*ours: CollectorRegistry) -> None:
    """Forget registries that hold what leaves over OTLP anyway."""
    for registry in ours:
        _State.made.discard(registry)


def registries() -> Iterable[CollectorRegistry]:
    """Return the registries of the app, the default one first."""
    if not _State.on:
        return ()
    default = sys.modules["prometheus_client"].REGISTRY
    filled = {type(one).__name__ for one in list(default._collector_to_names)} - _DEFAULTS  # noqa: SLF001  no other way
    return [*([default] if filled else ()), *(one for one in list(_State.made) if one is not default)]


def series(sample: Sample) -> Series:
    """Return what a sample is of: name and labels."""
    return sample.name, frozenset(sample.labels.items())


def own(family: Family) -> Iterator[Sample]:
    """Return the samples of a family as this process made them: of a forked worker without what its parent counted."""
    for sample in family.samples:
        before = _State.inherited.get(series(sample))
        if before is None:
            yield sample
        elif family.type not in _COUNTING:
            if sample.value != before:
                yield sample
        elif sample.name.endswith("_created"):
            yield sample._replace(value=max(sample.value, _State.begun))
        else:
            yield sample._replace(value=sample.value - before)


def _before_fork() -> None:
    """Note what is held while every thread still runs: in the child one may have left a lock locked."""
    _State.held = {}
    for registry in registries():
        with suppress(Exception):  # a callback of the app
            _State.held.update((series(one), one.value) for family in registry.collect() for one in family.samples)


def _in_child() -> None:
    _State.inherited, _State.held, _State.begun = _State.held, {}, time.time()


def _make(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    wrapped(*args, **kwargs)
    _State.made.add(instance)


class PrometheusClientInstrumentor(LazyInstrumentor):
    """Notes which registries an app makes; the exporter sends what they hold (`otel_trading.sdk.bridge`)."""

    versions = "prometheus_client >= 0.20, < 1"
    tested = ("0.20.0", "0.26.0")
    emits: ClassVar[tuple[Metric, ...]] = ()
    gains = "its own metrics over OTLP, unchanged"
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
        "prometheus_client.registry": {"CollectorRegistry.__init__": _make}
    }

    def _arrived(self, module: Any) -> None:
        super()._arrived(module)
        _State.on = True
        if not _State.following_forks and hasattr(os, "register_at_fork"):
            _State.following_forks = True
            os.register_at_fork(before=_before_fork, after_in_child=_in_child)

    def _left(self, module: Any) -> None:
        super()._left(module)
        _State.on = False
