"""Peak rates: how many happened within the busiest second of the last minute."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from otel_trading import instruments
from otel_trading._guard import lose
from otel_trading._locks import Lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_trading._attributes import AttributeSet
    from otel_trading.semconv import Metric

__all__ = ["PeakRates"]

_MAX_ROWS: Final = 1000
_MAX_RATE: Final = 10_000
_SECOND: Final = 1.0
#: Longer than any usual export interval, so that no reader misses a peak and none takes it from another one.
_MINUTE: Final = 60.0


def _times() -> deque[float]:
    return deque(maxlen=_MAX_RATE)


@dataclass(slots=True)
class _Row:
    recent: deque[float] = field(default_factory=_times)
    #: Times and rates, falling: what is smaller than a later one can be no maximum any more.
    peaks: deque[tuple[float, int]] = field(default_factory=deque[tuple[float, int]])


class PeakRates:
    """Peak rate per attribute set, exact to 10,000 per second; 1,000 rows at most."""

    def __init__(self, metric: Metric, clock: Callable[[], float]) -> None:
        self._metric = metric
        self._clock = clock
        self._lock = Lock()
        self._rows: dict[AttributeSet, _Row] = {}
        instruments.observe(metric, self._observe)

    def count(self, attributes: AttributeSet) -> None:
        """Count one event now."""
        now = self._clock()
        with self._lock:
            row = self._rows.get(attributes)
            full = row is None and len(self._rows) >= _MAX_ROWS
            if not full:
                _add(row or self._rows.setdefault(attributes, _Row()), now)
        if full:
            lose("series_limit", f"{self._metric} has {_MAX_ROWS} rows. Use fewer names.")

    def _observe(self) -> Iterator[tuple[AttributeSet, float]]:
        begin = self._clock() - _MINUTE
        with self._lock:
            for row in self._rows.values():
                while row.peaks and row.peaks[0][0] < begin:
                    row.peaks.popleft()
            found = [(attributes, row.peaks[0][1] if row.peaks else 0) for attributes, row in self._rows.items()]
        for attributes, peak in found:
            yield attributes, float(peak)


def _add(row: _Row, now: float) -> None:
    row.recent.append(now)
    while row.recent[0] <= now - _SECOND:
        row.recent.popleft()
    rate = len(row.recent)
    while row.peaks and row.peaks[-1][1] <= rate:
        row.peaks.pop()
    row.peaks.append((now, rate))
