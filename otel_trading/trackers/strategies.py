"""Strategies: when a loop last finished, what state each is in, since when the process lives."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from otel_trading import events, instruments
from otel_trading.semconv import attributes as a
from otel_trading.semconv import events as happened
from otel_trading.semconv import strategy as metrics
from otel_trading.trackers._tables import States, Values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_trading._attributes import AttributeSet

__all__ = ["StrategyTracker"]

_STARTED: Final = time.time()
#: What names a strategy here: told with its version and without, it is one.
_STRATEGY: Final = metrics.STATUS.keys - {a.STRATEGY_STATE.name}


class _Beats(Values):
    """When each loop last finished: kept in seconds that no setting of the clock changes, told as Unix time."""

    def __init__(self, clock: Callable[[], float], passed: Callable[[], float]) -> None:
        super().__init__(metrics.HEARTBEAT_TIME)
        self._clock, self._passed = clock, passed

    def beat(self, attributes: AttributeSet) -> None:
        self.set(attributes, self._passed())

    def _observe(self) -> Iterator[tuple[AttributeSet, float]]:
        began = self._clock() - self._passed()
        for attributes, passed in super()._observe():
            yield attributes, began + passed


class StrategyTracker:
    """Heartbeat and state of each strategy; observed as `trading.strategy.heartbeat.*`, `.status` and `.start.time`.

    Emits the event `trading.strategy.state_changed`.

    Args:
        clock: Unix seconds.
        passed: Seconds that only ever grow, by which a loop's age is measured.
    """

    def __init__(self, clock: Callable[[], float] = time.time, passed: Callable[[], float] = time.monotonic) -> None:
        self._time = _Beats(clock, passed)
        self._period = Values(metrics.HEARTBEAT_PERIOD)
        self._states = States(metrics.STATUS, a.STRATEGY_STATE)
        self._known: dict[AttributeSet, None] = {}
        instruments.observe(metrics.START_TIME, self._observe_start)

    def beat(self, attributes: AttributeSet, period: float | None = None) -> None:
        """Note a finished loop; a strategy that beats without a state is running.

        Args:
            attributes: The strategy.
            period: Expected seconds until the next one.
        """
        attributes = attributes.only(_STRATEGY)
        self._time.beat(attributes)
        if period is not None:
            self._period.set(attributes, period)
        if self._states.get(attributes) is None:
            self.changed(attributes, "running")

    def changed(self, attributes: AttributeSet, state: str) -> None:
        """Enter a state."""
        attributes = attributes.only(_STRATEGY)
        self._known[attributes] = None
        if self._states.set(attributes, state) != state:
            events.emit(happened.STRATEGY_STATE_CHANGED, attributes.plus(a.STRATEGY_STATE, state))

    def stop_all(self) -> None:
        """Enter `stopped` everywhere: the last word of a process that ends cleanly."""
        for attributes in list(self._known):
            self.changed(attributes, "stopped")

    def _observe_start(self) -> Iterator[tuple[AttributeSet, float]]:
        for attributes in list(self._known):
            yield attributes, _STARTED
