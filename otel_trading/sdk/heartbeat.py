"""What tells a bot that died from one that stopped, also where no strategy beats: every configured process says it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from otel_trading import _context, instruments
from otel_trading._attributes import AttributeSet
from otel_trading.semconv import attributes as a
from otel_trading.semconv import sdk as metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Heartbeat"]


class Heartbeat:
    """Beats at each collection until it is stopped: `trading.sdk.heartbeat.time`, `.running` and `.start.time`.

    A mode that the bot has left (`meter.defaults(mode="paper")`) ends as cleanly as a process does.

    Args:
        clock: Unix seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._started = clock()
        self._modes: dict[str, AttributeSet] = {}
        self._stopped = False
        instruments.observe(metrics.HEARTBEAT_TIME, self._observe_time)
        instruments.observe(metrics.RUNNING, self._observe_running)
        instruments.observe(metrics.START_TIME, self._observe_start)

    def stop(self) -> None:
        """Beat no more: with the next export the heartbeat ends, and the last word is that nothing runs."""
        self._stopped = True

    def _observe_time(self) -> Iterator[tuple[AttributeSet, float]]:
        if not self._stopped:
            yield self._mode(), self._clock()

    def _observe_running(self) -> Iterator[tuple[AttributeSet, float]]:
        now = self._mode()
        for mode in list(self._modes.values()):
            yield mode, float(mode is now and not self._stopped)

    def _observe_start(self) -> Iterator[tuple[AttributeSet, float]]:
        yield self._mode(), self._started

    def _mode(self) -> AttributeSet:
        """Return the process's own: a flush at the end of a backtest collects inside the backtest."""
        mode = _context.process().values.get(a.MODE.name, "live")
        return self._modes.setdefault(mode, AttributeSet({a.MODE.name: mode}))
