"""Ticks that are being handled, each in its own thread or task, until an order answers them."""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_trading import instruments
from otel_trading.semconv import strategy as metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading._attributes import AttributeSet

__all__ = ["TickTracker"]


@dataclass(slots=True)
class _Tick:
    attributes: AttributeSet
    received: float
    around: _Tick | None
    answered: bool = False


_current: ContextVar[_Tick | None] = ContextVar("otel_trading_tick", default=None)


class TickTracker:
    """Joins an order to the tick that is handled here; emits `trading.tick_to_trade.duration`.

    The tick goes with the context: into tasks that its handler starts, and into threads that are given a copy of it.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock

    def begin(self, attributes: AttributeSet, waited: float = 0.0) -> None:
        """Begin to handle a tick.

        Args:
            attributes: Source of the tick.
            waited: Seconds since it was received.
        """
        _current.set(_Tick(attributes, self._clock() - waited, _current.get()))

    def end(self) -> None:
        """End what `begin` began, answered or not."""
        tick = _current.get()
        if tick is not None:
            _current.set(tick.around)

    def written(self) -> None:
        """Record the time since the tick that is handled here; only its first order message counts."""
        tick = _current.get()
        if tick is not None and not tick.answered:
            tick.answered = True
            instruments.of(metrics.TICK_TO_TRADE_DURATION).record(self._clock() - tick.received, tick.attributes)
