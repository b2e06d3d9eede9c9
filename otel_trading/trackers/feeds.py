"""Feeds and connections: how old the data is, whether its sequence holds, which connection is up since when."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from otel_trading import instruments
from otel_trading._attributes import OTHER
from otel_trading._guard import lose
from otel_trading.semconv import attributes as a
from otel_trading.semconv import market_data as metrics
from otel_trading.trackers._tables import States

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_trading._attributes import AttributeSet

__all__ = ["ConnectionTracker", "FeedTracker"]

_MAX_FEEDS: Final = 10_000


@dataclass(slots=True)
class _Feed:
    last: float
    sequence: int | None = None


class FeedTracker:
    """Last message and sequence number per feed and symbol, bounded to 10,000.

    Emits `trading.market_data.messages`, `.delay`, `.gaps`; is observed as `trading.market_data.age`, the maximum over
    the subscribed symbols of a feed.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._feeds: dict[AttributeSet, _Feed] = {}
        self._ended: dict[AttributeSet, None] = {}  # ordered, so that the oldest gives way
        instruments.observe(metrics.AGE, self._observe_age)

    def subscribed(self, attributes: AttributeSet) -> None:
        """Start the clock of a feed, so that one that never sends grows old as well."""
        self._ended.pop(attributes, None)
        self._feed(attributes)

    def unsubscribed(self, attributes: AttributeSet) -> None:
        """Forget a feed; its age ends with the next export once no symbol of it is left.

        Messages still under way are counted, but start its clock only after it was subscribed again.
        """
        self._ended[attributes] = None
        self._feeds.pop(attributes, None)
        if len(self._ended) > _MAX_FEEDS:
            self._ended.pop(next(iter(self._ended)), None)

    def received(self, attributes: AttributeSet, *, delay: float | None = None, sequence: int | None = None) -> None:
        """Take one message.

        Args:
            attributes: Source, kind, connection and symbol of the feed.
            delay: Receipt minus venue time, in seconds.
            sequence: The venue's number of this message; one that skips is a gap, one that falls is a restart.
        """
        feed = self._feed(attributes)
        if feed is not None:
            feed.last = self._clock()
            self._follow(feed, attributes, sequence)
        instruments.of(metrics.MESSAGES).record(1, attributes)
        if delay is not None:
            instruments.of(metrics.DELAY).record(max(delay, 0.0), attributes)

    def _feed(self, attributes: AttributeSet) -> _Feed | None:
        feed = self._feeds.get(attributes)
        if feed is None and attributes not in self._ended:
            if len(self._feeds) >= _MAX_FEEDS:
                lose("series_limit", f"Over {_MAX_FEEDS} feeds are watched. Leave symbol= out or unsubscribe.")
                return None
            feed = self._feeds.setdefault(attributes, _Feed(self._clock()))
        return feed

    def _follow(self, feed: _Feed, attributes: AttributeSet, sequence: int | None) -> None:
        if sequence is None or attributes.get(a.SYMBOL) == OTHER:
            return  # numbers of several folded symbols are no sequence
        if feed.sequence is not None and sequence > feed.sequence + 1:
            instruments.of(metrics.GAPS).record(1, attributes)
        feed.sequence = sequence

    def _observe_age(self) -> Iterator[tuple[AttributeSet, float]]:
        now = self._clock()
        oldest: dict[AttributeSet, float] = {}
        for attributes, feed in list(self._feeds.items()):
            whole = attributes.without(a.SYMBOL)
            oldest[whole] = max(oldest.get(whole, 0.0), now - feed.last)
        yield from oldest.items()


class ConnectionTracker:
    """State, age and reconnects of every named connection.

    Emits `trading.connection.reconnects`; is observed as `trading.connection.status` and `.uptime`.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
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

    def _observe_uptime(self) -> Iterator[tuple[AttributeSet, float]]:
        now = self._clock()
        with self._lock:
            rows = list(self._since.items())
        for attributes, since in rows:
            yield attributes, now - since
