"""What happens often, kept until the next collection records it."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opentelemetry import context as contexts
from opentelemetry import trace

from otel_trading import instruments
from otel_trading._locks import Lock
from otel_trading.semconv import order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.context import Context

    from otel_trading._attributes import AttributeSet
    from otel_trading.instruments import Recorder
    from otel_trading.semconv import Metric

    Measured = tuple[Recorder, float, AttributeSet, Context]

__all__ = ["Pending"]

MAX_SUMS: Final = 10_000
MAX_VALUES: Final = 2048
#: Records after which other threads get their turn: the bot's own must not wait for milliseconds.
_TURN: Final = 32


@dataclass(slots=True)
class _Sum:
    recorder: Recorder
    attributes: AttributeSet
    value: float


class Pending:
    """Sums of counters and single values of histograms since the last collection; bounded to 10,000 and 2,048.

    To record one by one costs more than all else about an order, and in the middle of a call four times of what it
    costs in a row, when the processor has the SDK at hand. What begins a series is recorded at once, so that the series
    begins when it happened, and so is what there is no room for.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        #: By what stands on the metric, which an attribute set holds once for each of its metrics.
        self._sums: dict[int, _Sum] = {}
        self._values: deque[Measured] = deque()
        instruments.observe(order.ACTIVE, self._observe)  # any metric: what counts is that a collection asks

    def add(self, metric: Metric, attributes: AttributeSet, value: float = 1, context: Context | None = None) -> None:
        """Count; what a trace leads to is kept by itself.

        Args:
            metric: A counter.
            attributes: Of the event.
            value: In the unit of the metric.
            context: The trace that an exemplar leads to; the current one when None.

        Raises:
            ConventionError: In strict mode, when a required attribute is missing.
        """
        recorder = instruments.of(metric)
        key = id(attributes.kept.get(recorder))
        here = contexts.get_current() if context is None else context
        sampled = here and trace.get_current_span(here).get_span_context().trace_flags.sampled
        with self._lock:
            known = None if sampled else self._sums.get(key)
            if known is not None:
                known.value += value
                return
            room = not sampled and recorder in attributes.kept and len(self._sums) < MAX_SUMS
            if room:
                self._sums[key] = _Sum(recorder, attributes, value)
        if not room:
            self.record(metric, value, attributes, here)

    def record(self, metric: Metric, value: float, attributes: AttributeSet, context: Context | None = None) -> None:
        """Take one value of a histogram; arguments as for `add`."""
        recorder = instruments.of(metric)
        if recorder not in attributes.kept or len(self._values) >= MAX_VALUES:
            recorder.record(value, attributes, context)
        else:
            self._values.append((recorder, value, attributes, contexts.get_current() if context is None else context))

    def flush(self) -> None:
        """Record what is pending, which each collection does by itself, before this is dropped."""
        with self._lock:
            sums, self._sums = self._sums, {}
        for found in sums.values():
            found.recorder.record(found.value, found.attributes)
        with suppress(IndexError):  # no more
            for turn in range(1, MAX_VALUES + 1):
                recorder, value, attributes, context = self._values.popleft()
                recorder.record(value, attributes, context)
                if not turn % _TURN:
                    time.sleep(0)

    def _observe(self) -> Iterable[tuple[AttributeSet, float]]:
        self.flush()
        return ()
