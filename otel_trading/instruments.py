"""Metric -> live OpenTelemetry instrument, through the API only; the one place that creates instruments.

`of(metric).record(value, attributes)` records an event; `observe(metric, source)` lets state be read at
collection. Both keep of the attributes what the metric carries, hold the cap of series per metric, and count what
they refuse.
"""

from __future__ import annotations

import math
import weakref
from threading import get_ident
from typing import TYPE_CHECKING, Final

from opentelemetry.metrics import Meter, MeterProvider, Observation, get_meter

from otel_trading import __version__, _context, _guard, _locks, environment
from otel_trading._attributes import OTHER, AttributeSet, reset_caps
from otel_trading._locks import Lock
from otel_trading.semconv import Attribute, Cardinality, Kind, Level, Metric, sdk
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    from opentelemetry.context import Context
    from opentelemetry.metrics import CallbackOptions

    Record: TypeAlias = "Callable[[float, dict[str, str], Context | None], None]"
    Source: TypeAlias = "Callable[[], Iterable[tuple[AttributeSet, float]]]"
    Bound: TypeAlias = "tuple[_Binding | None, dict[Metric, list[weakref.WeakMethod[Source]]]]"

__all__ = [
    "Recorder",
    "begin_anew",
    "bind",
    "go_on",
    "lose_quietly",
    "observe",
    "of",
    "record_own",
    "restore",
    "stand_still",
]

SCOPE: Final = "otel_trading"
#: Series that are folded: with `OTEL_TRADING_MAX_SERIES`, which is 1,900 at most, fewer than the SDK's 2,000.
_MOST_FOLDED: Final = 90
#: Seconds that a fork waits at most; to create an instrument takes microseconds.
_PATIENCE: Final = 1.0


class _Admission:
    """Decides what of an attribute set stands on one metric, and holds the metric's cap of series."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self._limit = environment.OTEL_TRADING_MAX_SERIES.get()
        self._series: set[frozenset[tuple[str, str]]] = set()
        self._folded: set[frozenset[tuple[str, str]]] = set()
        self._narrow = {
            use.attribute.name for use in metric.uses if use.attribute.cardinality is not Cardinality.MEDIUM
        }
        self._required = [use.attribute for use in metric.uses if use.level is Level.REQUIRED]

    def forget(self) -> None:
        """Let every series count anew."""
        self._series, self._folded = set(), set()

    def restrict(self, attributes: AttributeSet) -> dict[str, str] | None:
        """Return the attributes that the metric carries; None when a required one is missing."""
        missing = [attribute.name for attribute in self._required if attribute.name not in attributes.values]
        if missing:
            _guard.lose("invalid_value", f"{self.metric} needs {', '.join(missing)}. Pass it, or set its default.")
            return None
        if self.metric.own:
            return dict(attributes.values)
        return {key: value for key, value in attributes.values.items() if key in self.metric.keys}

    def fold(self, kept: dict[str, str]) -> dict[str, str]:
        """Return the attributes as they are while there is room, else with every medium one as `_other_`.

        Closed sets multiply too, and so does what may be left out: where even what is folded has no room, only what is
        required is left, as `_other_`, beside the mode and whether it failed.
        """
        if _enters(self._series, kept, self._limit):
            return kept
        folded = {name: value if name in self._narrow else OTHER for name, value in kept.items()}
        if _enters(self._folded, folded, _MOST_FOLDED):
            return folded
        left = dict.fromkeys([*(one.name for one in self._required), *(kept.keys() & {a.ERROR_TYPE.name})], OTHER)
        return left | {name: value for name, value in kept.items() if name == a.MODE.name}


def _enters(series: set[frozenset[tuple[str, str]]], kept: dict[str, str], most: int) -> bool:
    key = frozenset(kept.items())
    if key not in series and len(series) >= most:
        return False
    series.add(key)
    return True


class Recorder(_Admission):
    """A synchronous instrument of one metric."""

    def __init__(self, metric: Metric, meter: Meter) -> None:
        super().__init__(metric)
        self._record: Record = _CREATE[metric.kind](meter, metric)

    def record(self, value: float, attributes: AttributeSet, context: Context | None = None) -> None:
        """Record one value; attributes that the metric does not carry are left out.

        Args:
            value: In the unit of the metric.
            attributes: Of the call.
            context: The trace that an exemplar leads to; the current one when None.

        Raises:
            ConventionError: In strict mode, when a required attribute is missing.
        """
        kept = attributes.kept.get(self)
        if kept is None:
            kept = self._admit(attributes)
            if kept is None:
                return
        _locks.run(self._record, value, kept, context)

    def _admit(self, attributes: AttributeSet) -> dict[str, str] | None:
        kept = self.restrict(attributes)
        if kept is None:
            return None
        folded = self.fold(kept)
        if folded is kept:
            attributes.kept[self] = kept
            return kept
        for name in kept:  # not remembered, so that every folded measurement is counted
            if folded.get(name) is not kept[name]:
                _guard.overflow(name)
        return folded


class _Observer(_Admission):
    """An observable instrument of one metric, fed by any number of sources."""

    def __init__(self, metric: Metric, meter: Meter) -> None:
        super().__init__(metric)
        create = (
            meter.create_observable_gauge
            if metric.kind is Kind.OBSERVABLE_GAUGE
            else meter.create_observable_up_down_counter
        )
        create(metric.name, [self._observe], unit=str(metric.unit), description=metric.description)

    def _observe(self, options: CallbackOptions) -> list[Observation]:
        del options
        with _locks.reading:
            return self._observations()

    def _observations(self) -> list[Observation]:
        seen: dict[frozenset[tuple[str, str]], tuple[dict[str, str], float]] = {}
        adds = self.metric.kind is Kind.OBSERVABLE_UP_DOWN_COUNTER
        for attributes, value in _read(self.metric):
            kept = attributes.kept.get(self) or self._remember(attributes)
            if kept is None:
                continue
            if not math.isfinite(value):
                lose_quietly("non_finite", f"{self.metric} would be {value}. Correct what was stated for it.")
                continue
            key = frozenset(kept.items())
            if key in seen:
                seen[key] = (kept, seen[key][1] + value if adds else value)
            elif len(seen) < self._limit:
                seen[key] = (kept, value)
            else:  # folding a gauge would add up other people's positions
                lose_quietly("series_limit", f"{self.metric} has over {self._limit} series. Watch fewer symbols.")
        return [Observation(value, kept) for kept, value in seen.values()]

    def _remember(self, attributes: AttributeSet) -> dict[str, str] | None:
        try:
            kept = self.restrict(attributes)
        except ValueError:
            return None  # strict mode has said so where the state was set; a collection never raises
        attributes.kept[self] = kept
        return kept


class _Binding:
    """The instruments of one provider."""

    def __init__(self, provider: MeterProvider | None) -> None:
        self.meter = get_meter(SCOPE, __version__, meter_provider=provider)
        # Losses are counted inside collections too, where to wait for our lock would be a deadlock: never create then.
        self.recorders: dict[Metric, Recorder] = {
            metric: Recorder(metric, self.meter) for metric in (sdk.DROPPED, sdk.ATTRIBUTE_OVERFLOWS)
        }
        self.observers: dict[Metric, _Observer] = {}


class _State:
    lock = Lock()
    begin: list[Callable[[], None]] = []  # noqa: RUF012  as below
    binding: _Binding | None = None
    sources: dict[Metric, list[weakref.WeakMethod[Source]]] = {}  # noqa: RUF012  one per process, swapped whole
    held: set[int] = set()  # noqa: RUF012  the threads that fork


def of(metric: Metric) -> Recorder:
    """Return the recorder of a counter, an up-down counter, a gauge or a histogram."""
    binding = _State.binding
    if binding is not None:
        found = binding.recorders.get(metric)
        if found is not None:
            return found
    return _create(metric)


def observe(metric: Metric, source: Source) -> None:
    """Let a bound method be read at every collection; it is forgotten with its object.

    Args:
        metric: An observable metric.
        source: Bound method that yields attributes and value, the most important series first.
    """
    for begin in _State.begin:
        begin()
    with _State.lock:
        sources = _State.sources.setdefault(metric, [])
        sources.append(weakref.WeakMethod(source, sources.remove))
        _watch(_binding(), metric)


def bind(provider: MeterProvider) -> Bound:
    """Create every instrument anew under another provider and forget every source; returns what was before."""
    with _State.lock:
        reset_caps()
        before = (_State.binding, _State.sources)
        _State.binding, _State.sources = _Binding(provider), {}
    return before


def begin_anew(begin: Callable[[], None]) -> None:
    """Forget in a forked child what its parent watches, and whose series count; the instruments stay.

    Args:
        begin: Called whenever the child watches something of its own.
    """
    reset_caps()
    _State.held.clear()
    _State.sources, _State.begin = {}, [begin]
    if _State.binding is not None:
        for admission in (*_State.binding.recorders.values(), *_State.binding.observers.values()):
            admission.forget()


def stand_still() -> None:
    """Wait until no thread is in the middle of creating an instrument, which a child forked then could never have."""
    if _State.lock.hold(_PATIENCE):
        _State.held.add(get_ident())


def go_on() -> None:
    """Let instruments be created again; in the child the lock is free already."""
    if get_ident() in _State.held:
        _State.held.remove(get_ident())
        _State.lock.let_go()


def restore(before: Bound) -> None:
    """Put back what `bind` returned."""
    with _State.lock:
        reset_caps()
        _State.binding, _State.sources = before


def _create(metric: Metric) -> Recorder:
    with _State.lock:
        recorders = _binding().recorders
        if metric not in recorders:
            recorders[metric] = Recorder(metric, _binding().meter)
        return recorders[metric]


def _binding() -> _Binding:
    if _State.binding is None:
        _State.binding = _Binding(None)
    return _State.binding


def _watch(binding: _Binding, metric: Metric) -> None:
    if metric not in binding.observers:
        binding.observers[metric] = _Observer(metric, binding.meter)


def _read(metric: Metric) -> Iterator[tuple[AttributeSet, float]]:
    for reference in list(_State.sources.get(metric, ())):
        source = reference()
        if source is None:
            continue  # its object ended this very moment
        try:
            yield from source()
        except Exception as error:  # noqa: BLE001  one source must not silence the others
            lose_quietly("internal_error", f"Reading {metric} failed: {type(error).__name__}: {error}")


def lose_quietly(reason: a.SdkReason, message: str) -> None:
    """Count a loss inside a collection, which never raises into the reader.

    Args:
        reason: Why, as it stands in `trading.sdk.dropped`.
        message: What, got, allowed, do this.
    """
    try:
        _guard.lose(reason, message)
    except ValueError:
        _count_loss(reason)  # strict mode


def _counter(meter: Meter, metric: Metric) -> Record:
    return meter.create_counter(metric.name, str(metric.unit), metric.description).add


def _up_down_counter(meter: Meter, metric: Metric) -> Record:
    return meter.create_up_down_counter(metric.name, str(metric.unit), metric.description).add


def _gauge(meter: Meter, metric: Metric) -> Record:
    return meter.create_gauge(metric.name, str(metric.unit), metric.description).set


def _histogram(meter: Meter, metric: Metric) -> Record:
    # The boundaries also as advice, so that they hold under a provider that we did not build.
    return meter.create_histogram(
        metric.name, str(metric.unit), metric.description, explicit_bucket_boundaries_advisory=metric.boundaries
    ).record


_CREATE: Final = {
    Kind.COUNTER: _counter,
    Kind.UP_DOWN_COUNTER: _up_down_counter,
    Kind.GAUGE: _gauge,
    Kind.HISTOGRAM: _histogram,
}


def record_own(metric: Metric, value: float, error: str | None = None) -> None:
    """Record one of the SDK's own metrics, whatever the state of the user's attributes."""
    of(metric).record(value, _own(a.ERROR_TYPE, error))


def _own(attribute: Attribute, value: str | None) -> AttributeSet:
    mode = AttributeSet({a.MODE.name: _context.current().values.get(a.MODE.name, "live")})
    return mode if value is None else mode.plus(attribute, value)


def _count_loss(reason: str) -> None:
    of(sdk.DROPPED).record(1, _own(a.SDK_REASON, reason))


def _count_overflow(attribute: str) -> None:
    of(sdk.ATTRIBUTE_OVERFLOWS).record(1, _own(a.SDK_ATTRIBUTE, attribute))


_guard.set_counters(_count_loss, _count_overflow)
