"""Trading signals on their way to an order."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from otel_trading import instruments
from otel_trading._locks import Lock
from otel_trading.semconv import strategy as metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading._attributes import AttributeSet

__all__ = ["SignalTracker"]

_MAX_SIGNALS: Final = 10_000


class SignalTracker:
    """Joins orders to their signals by id; emits `trading.signal.execution.duration`.

    Of each table the 10,000 latest are kept. Most signals lead to no order, so that one that gave way is no loss.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._signals: OrderedDict[str, tuple[AttributeSet, float]] = OrderedDict()
        self._orders: OrderedDict[str, str] = OrderedDict()

    def emitted(self, signal_id: str, attributes: AttributeSet) -> None:
        """Start the clock of a signal; an id that is used again starts it again."""
        with self._lock:
            self._signals[signal_id] = (attributes, self._clock())
            self._signals.move_to_end(signal_id)
            if len(self._signals) > _MAX_SIGNALS:
                self._signals.popitem(last=False)

    def ordered(self, signal_id: str, client_id: str) -> None:
        """Note that an order follows from a signal; of several, the first that the venue accepts counts."""
        with self._lock:
            self._orders[client_id] = signal_id
            if len(self._orders) > _MAX_SIGNALS:
                self._orders.popitem(last=False)

    def accepted(self, client_id: str) -> None:
        """Record the time since the signal of an order, once per signal."""
        with self._lock:
            signal = self._signals.pop(self._orders.pop(client_id, ""), None)
        if signal is not None:
            attributes, begin = signal
            instruments.of(metrics.SIGNAL_EXECUTION_DURATION).record(self._clock() - begin, attributes)
