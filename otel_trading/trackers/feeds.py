"""Feeds: how old the data is, whether its sequence holds, how good it is."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from otel_trading import events, instruments
from otel_trading._attributes import OTHER
from otel_trading._guard import lose
from otel_trading._locks import Lock
from otel_trading.semconv import attributes as a
from otel_trading.semconv import events as happened
from otel_trading.semconv import market_data as metrics
from otel_trading.trackers._pending import Pending
from otel_trading.trackers._tables import Values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_trading._attributes import AttributeSet

__all__ = ["FeedTracker"]

_MAX_FEEDS: Final = 10_000


@dataclass(slots=True)
class _Sequence:
    """What is numbered without holes: a feed, or a channel that carries several."""

    number: int | None = None

    def follow(self, number: int) -> bool:
        """Take the next number; returns whether some are missing before it."""
        before, self.number = self.number, number
        return before is not None and number > before + 1


@dataclass(slots=True)
class _Feed:
    last: float
    #: Messages since the last collection.
    count: int = 0
    sequence: _Sequence = field(default_factory=_Sequence)


class FeedTracker:
    """Last message and sequence number per feed and symbol, or per channel; each table is bounded to 10,000.

    Emits `trading.market_data.messages`, `.delay`, `.gaps`, `.resyncs`; is observed as `trading.market_data.age`, the
    maximum over the subscribed symbols of a feed, and `.quality`. Messages are the most frequent thing a bot tells of:
    they are added up here and recorded at collection, since recording one by one costs more than all else about it.

    Args:
        clock: Monotonic seconds.
        pending: What waits for the next collection.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, pending: Pending | None = None) -> None:
        self._clock = clock
        self._pending = pending or Pending()
        self._lock = Lock()
        self._feeds: dict[AttributeSet, _Feed] = {}
        self._channels: dict[tuple[AttributeSet, str], _Sequence] = {}
        self._quality = Values(metrics.QUALITY)
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
        feed = self._feeds.pop(attributes, None)
        if feed is not None:
            self._record(attributes, feed)
        if len(self._ended) > _MAX_FEEDS:
            self._ended.pop(next(iter(self._ended)), None)

    def received(
        self,
        attributes: AttributeSet,
        *,
        delay: float | None = None,
        sequence: int | None = None,
        channel: str | None = None,
    ) -> None:
        """Take one message.

        Args:
            attributes: Source, kind, connection and symbol of the feed.
            delay: Receipt minus venue time, in seconds.
            sequence: The venue's number of this message; one that skips is a gap, one that falls is a restart.
            channel: What the venue numbers, when that is not the feed of one kind and symbol.
        """
        feed = self._feed(attributes)
        if feed is None:
            instruments.of(metrics.MESSAGES).record(1, attributes)
        else:
            now = self._clock()
            with self._lock:
                feed.last = now
                feed.count += 1
        if sequence is not None:
            self._follow(feed, attributes, sequence, channel)
        if delay is not None:
            self._pending.record(metrics.DELAY, max(delay, 0.0), attributes)

    def missed(self, attributes: AttributeSet) -> None:
        """Count a gap of a feed, or of the channel that carries it."""
        instruments.of(metrics.GAPS).record(1, attributes)
        events.emit(happened.MARKET_DATA_GAP_DETECTED, attributes)

    def resynced(self, attributes: AttributeSet, *, sequence: int | None = None, channel: str | None = None) -> None:
        """Count a book that was rebuilt; what comes next is compared with the snapshot.

        Args:
            attributes: Source, kind, connection and symbol of the feed.
            sequence: The venue's number of the snapshot, or None when it has none: then the next message starts anew.
            channel: What the venue numbers, as in `received`.
        """
        instruments.of(metrics.RESYNCS).record(1, attributes)
        if channel is None:
            followed = self._sequence(self._feeds.get(attributes), attributes, None)
        else:
            followed = self._channels.get((attributes.without(a.DATA_KIND, a.SYMBOL), channel))
        if followed is not None:
            followed.number = sequence

    def scored(self, attributes: AttributeSet, score: float | None) -> None:
        """Take the quality of a source, from 0 to 1; None ends it."""
        if score is None:
            self._quality.end(attributes)
        else:
            self._quality.set(attributes, score)

    def _feed(self, attributes: AttributeSet) -> _Feed | None:
        feed = self._feeds.get(attributes)
        if feed is None and attributes not in self._ended:
            if len(self._feeds) >= _MAX_FEEDS:
                lose("series_limit", f"Over {_MAX_FEEDS} feeds are watched. Leave symbol= out or unsubscribe.")
                return None
            # says here what is missing, and makes the instrument, which no collection must do
            instruments.of(metrics.MESSAGES).restrict(attributes)
            feed = self._feeds.setdefault(attributes, _Feed(self._clock()))
        return feed

    def flush(self) -> None:
        """Record the messages since the last collection, which does it by itself, before this is dropped."""
        for attributes, feed in list(self._feeds.items()):
            self._record(attributes, feed)

    def _record(self, attributes: AttributeSet, feed: _Feed) -> None:
        with self._lock:
            count, feed.count = feed.count, 0
        if count:
            instruments.of(metrics.MESSAGES).record(count, attributes)

    def _follow(self, feed: _Feed | None, attributes: AttributeSet, sequence: int, channel: str | None) -> None:
        if channel is not None:
            attributes = attributes.without(a.DATA_KIND, a.SYMBOL)  # what is missing may be of any
        followed = self._sequence(feed, attributes, channel)
        if followed is not None and followed.follow(sequence):
            self.missed(attributes)

    def _sequence(self, feed: _Feed | None, attributes: AttributeSet, channel: str | None) -> _Sequence | None:
        if channel is None:
            # numbers of several folded symbols are no sequence
            return None if feed is None or attributes.get(a.SYMBOL) == OTHER else feed.sequence
        found = self._channels.get((attributes, channel))
        if found is None:
            if len(self._channels) >= _MAX_FEEDS:
                lose("series_limit", f"Over {_MAX_FEEDS} channels are numbered. Name what the venue counts, no more.")
                return None
            found = self._channels.setdefault((attributes, channel), _Sequence())
        return found

    def _observe_age(self) -> Iterator[tuple[AttributeSet, float]]:
        self.flush()
        now = self._clock()
        oldest: dict[AttributeSet, float] = {}
        for attributes, feed in list(self._feeds.items()):
            whole = attributes.without(a.SYMBOL)
            oldest[whole] = max(oldest.get(whole, 0.0), now - feed.last)
        yield from oldest.items()
