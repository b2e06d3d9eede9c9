"""Connections: which is up, since when, and what broke it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from otel_trading import events, instruments
from otel_trading._locks import Lock
from otel_trading.semconv import attributes as a
from otel_trading.semconv import events as happened
from otel_trading.semconv import market_data as metrics
from otel_trading.trackers._tables import States

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_trading._attributes import AttributeSet

__all__ = ["ConnectionTracker"]


class ConnectionTracker:
    """State, age and reconnects of every named connection.

    Emits `trading.connection.reconnects`; is observed as `trading.connection.status` and `.uptime`.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._states = States(metrics.CONNECTION_STATUS, a.CONNECTION_STATE)
        self._since: dict[AttributeSet, float] = {}
        self._was_up: set[AttributeSet] = set()
        self._broken: dict[AttributeSet, str] = {}
        instruments.observe(metrics.CONNECTION_UPTIME, self._observe_uptime)

    def changed(self, attributes: AttributeSet, state: str, error: str | None = None) -> None:
        """Enter a state; coming back up counts as a reconnect.

        Args:
            attributes: Name and transport of the connection, state excluded.
            state: The state entered.
            error: What broke the connection, said when it went down or came back; for the reconnect.
        """
        before = self._states.set(attributes, state)
        if state == before:
            return
        entered = attributes.plus(a.CONNECTION_STATE, state)
        events.emit(happened.CONNECTION_STATE_CHANGED, entered.plus(a.ERROR_TYPE, error) if error else entered)
        up = state in {"connected", "degraded"}
        with self._lock:
            if error:
                self._broken[attributes] = error
            again = up and attributes in self._was_up and attributes not in self._since
            if up:
                self._since.setdefault(attributes, self._clock())
                self._was_up.add(attributes)
                error = self._broken.pop(attributes, None)
            else:
                self._since.pop(attributes, None)
        if again:
            cause = attributes.plus(a.ERROR_TYPE, error) if error else attributes
            instruments.of(metrics.CONNECTION_RECONNECTS).record(1, cause)

    def closed(self, attributes: AttributeSet) -> None:
        """Forget a connection that was ended on purpose; its series end with the next export.

        Args:
            attributes: Name of the connection, transport and state excluded.
        """
        for row in self._states.rows():
            if row.without(a.TRANSPORT) == attributes:
                self._states.end(row)
                with self._lock:
                    self._since.pop(row, None)
                    self._was_up.discard(row)
                    self._broken.pop(row, None)

    def _observe_uptime(self) -> Iterator[tuple[AttributeSet, float]]:
        now = self._clock()
        with self._lock:
            rows = list(self._since.items())
        for attributes, since in rows:
            yield attributes, now - since
