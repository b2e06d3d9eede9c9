"""Executions: which were reported already, and where the price went after each."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from otel_trading import instruments
from otel_trading._attributes import OTHER
from otel_trading._locks import Lock
from otel_trading._numbers import number
from otel_trading.semconv import attributes as a
from otel_trading.semconv import execution as metrics

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from otel_trading._attributes import AttributeSet

    #: Time, price, sign and attributes: a bare tuple, because one is made of every fill.
    _Fill: TypeAlias = tuple[float, float, float, AttributeSet]

__all__ = ["ExecutionTracker", "direction"]

#: Venues resend after a reconnect: for so many executions a second report is told from a first one.
MAX_REMEMBERED: Final = 10_000
#: How many fills wait for a horizon at once; further ones are left out, so that markouts are those of a sample.
MAX_WAITING: Final = 10_000
_SWEEP_EVERY: Final = 1.0
#: A minute of a backtest lasts microseconds of this clock.
_SIMULATED: Final = frozenset({"backtest", "replay"})
_SECONDS: Final = {"1s": 1.0, "10s": 10.0, "1m": 60.0, "5m": 300.0, "1h": 3600.0}
_HORIZONS: Final = tuple((name, _SECONDS[name]) for name in a.MARKOUT_HORIZON.values)
_FIRST: Final = _HORIZONS[0][1]
_SYMBOL, _VENUE, _MODE = a.SYMBOL.name, a.VENUE.name, a.MODE.name


def _queues() -> tuple[deque[_Fill], ...]:
    return tuple(deque() for _ in _HORIZONS)


@dataclass(slots=True)
class _Watch:
    """One symbol at one venue: its last mark, and the fills that wait for each horizon, the oldest first."""

    mark: float = 0.0
    marked: float | None = None
    #: When the first horizon ends: before that neither a fill nor a tick has to look at the queues.
    due: float = math.inf
    waiting: tuple[deque[_Fill], ...] = field(default_factory=_queues)


def direction(worse: float) -> a.Direction:
    """Return which way a difference went: above zero it hurt."""
    return "adverse" if worse > 0 else "favorable" if worse < 0 else "flat"


class ExecutionTracker:
    """Remembers the last 10,000 executions by their id, and follows the price after up to 10,000 fills.

    A markout compares a fill with the mark that stood when its horizon ended (an as-of join), and is recorded when the
    next mark or fill of the symbol arrives. A horizon before whose end no mark came since the fill is left out, and so
    is every simulated fill, because the clock is not the simulation's.
    A fill that waits takes about 200 bytes, and so does an id (benchmarks/orders.py).

    Emits `trading.execution.markout`.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._known: OrderedDict[tuple[str | None, ...], None] = OrderedDict()
        self._watches: dict[str, dict[str | None, _Watch]] = {}  # by symbol and venue
        self._waiting = 0
        self._swept = clock()

    def repeated(self, attributes: AttributeSet, execution_id: str) -> bool:
        """Return whether an execution was reported before, and remember it.

        Ids are a venue's own, and at some venues (Binance) each symbol counts from one.
        """
        key = (*(attributes.get(attribute) for attribute in (a.VENUE, a.ACCOUNT, a.SYMBOL)), execution_id)
        with self._lock:
            if key in self._known:
                return True
            self._known[key] = None
            if len(self._known) > MAX_REMEMBERED:
                self._known.popitem(last=False)
        return False

    def filled(self, attributes: AttributeSet, sign: float, price: float) -> None:
        """Follow the price after a fill.

        Args:
            attributes: Of the fill, its symbol included; one without a symbol is not followed.
            sign: 1 for bought, -1 for sold.
            price: Price per unit; relative to zero there is no markout.
        """
        values = attributes.values
        symbol = values.get(_SYMBOL, OTHER)
        if symbol == OTHER or not price or values.get(_MODE) in _SIMULATED:
            return
        now = self._clock()
        over: list[tuple[_Fill, str, float]] = []
        with self._lock:
            if self._waiting >= MAX_WAITING:
                over += self._sweep(now)
            if self._waiting < MAX_WAITING:
                watch = self._watch(symbol, values.get(_VENUE))
                if watch.due < now:
                    over += self._settle(watch, now)
                if not watch.waiting[0]:
                    watch.due = min(watch.due, now + _FIRST)
                watch.waiting[0].append((now, price, sign, attributes))
                self._waiting += 1
        if over:
            _record(over)

    def marked(self, attributes: AttributeSet, price: float) -> None:
        """Take a mark; one without a venue is for every venue of its symbol.

        Args:
            attributes: With symbol.
            price: Price per unit.
        """
        symbol, venue = attributes.get(a.SYMBOL) or "", attributes.get(a.VENUE)
        if symbol not in self._watches:
            return  # nobody waits: cheap per tick
        now = self._clock()
        over: list[tuple[_Fill, str, float]] = []
        with self._lock:
            for name, watch in list(self._watches.get(symbol, {}).items()):
                if venue is None or name == venue:
                    if watch.due < now:
                        over += self._settle(watch, now)
                    watch.mark, watch.marked = price, now
            self._forget(symbol)
        _record(over)

    def _watch(self, symbol: str, venue: str | None) -> _Watch:
        venues = self._watches.get(symbol)
        if venues is None:
            venues = self._watches[symbol] = {}
        found = venues.get(venue)
        if found is None:
            found = venues[venue] = _Watch()
        return found

    def _settle(self, watch: _Watch, now: float) -> list[tuple[_Fill, str, float]]:
        """Move every fill whose horizon is over to the next one; returns what there is to record."""
        over: list[tuple[_Fill, str, float]] = []
        for place, (horizon, seconds) in enumerate(_HORIZONS):
            queue = watch.waiting[place]
            while queue and queue[0][0] + seconds < now:
                fill = queue.popleft()
                if watch.marked is not None and watch.marked >= fill[0]:
                    over.append((fill, horizon, watch.mark))
                if place + 1 < len(_HORIZONS):
                    watch.waiting[place + 1].append(fill)
                else:
                    self._waiting -= 1
        ends = [queue[0][0] + seconds for queue, (_, seconds) in zip(watch.waiting, _HORIZONS, strict=True) if queue]
        watch.due = min(ends, default=math.inf)
        return over

    def _sweep(self, now: float) -> list[tuple[_Fill, str, float]]:
        """Where there is no room, make some: symbols that trade and tick no more still hold theirs."""
        over: list[tuple[_Fill, str, float]] = []
        if now - self._swept >= _SWEEP_EVERY:
            self._swept = now
            for symbol, venues in list(self._watches.items()):
                for watch in venues.values():
                    over += self._settle(watch, now)
                self._forget(symbol)
        return over

    def _forget(self, symbol: str) -> None:
        venues = self._watches.get(symbol, {})
        for name in [name for name, watch in venues.items() if not any(watch.waiting)]:
            del venues[name]
        if not venues:
            self._watches.pop(symbol, None)


def _record(over: list[tuple[_Fill, str, float]]) -> None:
    for (_, price, sign, attributes), horizon, mark in over:
        worse = sign * (price - mark) / abs(price)
        size = number(abs(worse), "markout")
        if size is not None:
            stated = attributes.plus(a.MARKOUT_HORIZON, horizon).plus(a.DIRECTION, direction(worse))
            instruments.of(metrics.MARKOUT).record(size, stated)
