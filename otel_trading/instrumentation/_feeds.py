"""What comes over a connection that a bot opened itself: which kinds of data, of which symbols, and since when not.

A kind is watched by symbol where the bot asked for symbols by name and each message says its own. Where one does not,
or where so many are asked for that they would crowd out the symbols of orders, the kind is watched as a whole: an age
that grows though data comes would be worse than one silent symbol among others that nobody sees.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from otel_trading import meter
from otel_trading.instrumentation._samples import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextvars import Context

    from otel_trading.instrumentation._subjects import Feed
    from otel_trading.semconv.attributes import DataKind

__all__ = ["Feeds", "forget"]

_MAX_CONNECTIONS: Final = 1000
_MAX_SYMBOLS: Final = 250
_MAX_ENDED: Final = 1000
#: Seconds in which messages still come after a subscription was ended; a feed that goes on later was not.
_LATE: Final = 5.0
#: By the name of a connection; they outlive it when it was lost, so that their age goes on.
_kept: Final[dict[str, Feeds]] = {}


def forget(name: str) -> None:
    """End what came over a connection, on purpose.

    Args:
        name: Of the connection.
    """
    feeds = _kept.pop(name, None)
    if feeds is not None:
        feeds.end_all()


class Feeds:
    """What comes over one connection, from when it is open.

    Args:
        name: Of the connection; what came over an earlier one of that name goes on.
        venue: Who sends.
        context: What the bot set in force where it opened the connection.
    """

    def __init__(self, name: str, venue: str, context: Context) -> None:
        self._about = {"source": venue, "connection": name, "venue": venue}
        self._context = context
        self._reading = context.copy()
        #: Kinds that the bot asked for by name, with the names.
        self._symbols: dict[DataKind, set[str]] = {}
        self._whole: set[DataKind] = set()
        #: Whose clock runs, with the messages whose delay is recorded.
        self._live: dict[Feed, Sample] = {}
        #: Asked for, and no message yet.
        self._unseen: set[DataKind] = set()
        self._seen: set[DataKind] = set()
        #: From when on a message begins the feed again.
        self._ended: dict[Feed, float] = {}
        before = _kept.pop(name, None)
        self._before: set[Feed] = set() if before is None else before.hand_over()
        self._over = False
        _kept[name] = self
        if len(_kept) > _MAX_CONNECTIONS:
            del _kept[next(iter(_kept))]

    def asked(self, feeds: Iterable[Feed]) -> None:
        """Start the clock of what the bot asked for."""
        for kind, symbol in feeds:
            if kind not in self._seen:
                self._unseen.add(kind)
            if symbol is not None and kind not in self._whole:
                self._symbols.setdefault(kind, set()).add(symbol)
                self._begin((kind, symbol))
            else:
                self._watch_whole(kind)
        if sum(map(len, self._symbols.values())) > _MAX_SYMBOLS:
            for kind in list(self._symbols):
                self._watch_whole(kind)

    def declined(self, feeds: Iterable[Feed]) -> None:
        """Stop the clock of what the bot does not want any more."""
        again = time.monotonic() + _LATE
        for kind, symbol in feeds:
            if symbol is None or kind not in self._symbols:
                self._symbols.pop(kind, None)
                self._whole.discard(kind)
                self._end({*self._of(kind), (kind, None)}, again)
            elif symbol in self._symbols[kind]:
                self._symbols[kind].discard(symbol)
                self._end({(kind, symbol)}, again)

    def received(
        self,
        kind: DataKind,
        symbol: str | None = None,
        *,
        moment: Callable[[], float | None] | None = None,
        numbered: tuple[str, int] | None = None,
    ) -> None:
        """Take one message.

        Args:
            kind: What it brings.
            symbol: Of which, where it says so.
            moment: Tells when the venue says that it happened, in Unix seconds.
            numbered: What the venue numbers without holes, and the number.
        """
        if self._over:
            return
        if kind not in self._seen:
            self._first(kind)
        feed: Feed = (kind, symbol if kind in self._symbols else None)
        sample = self._live.get(feed)
        if sample is None:
            feed, sample = self._found(feed)
        stamp = None if moment is None or not sample.takes() else moment()
        channel, sequence = numbered or (None, None)
        self._reading.run(
            meter.market_data_received,
            kind=kind,
            symbol=feed[1],
            venue_time=stamp,
            channel=channel,
            sequence=sequence,
            **self._about,
        )

    def hand_over(self) -> set[Feed]:
        """Return whose clock runs, to the connection that takes this one's place."""
        self._over = True
        return {*self._live, *self._before}

    def end_all(self) -> None:
        """Stop every clock for good."""
        self._end(self.hand_over(), again=0.0)

    def _first(self, kind: DataKind) -> None:
        """Look at what else was expected when the first message of a kind comes."""
        if kind == "other":  # it may be what was asked for: nobody can tell
            for unseen in self._unseen:
                self._end(self._of(unseen), again=0.0)
            self._unseen.clear()
        else:
            self._seen.add(kind)
        self._unseen.discard(kind)
        stale = {feed for feed in self._before if feed[0] == kind}
        self._before -= stale
        self._end(stale - self._live.keys(), again=0.0)  # of an earlier connection, and not asked for again

    def _found(self, feed: Feed) -> tuple[Feed, Sample]:
        """Return which feed a message belongs to whose feed is not watched, and begin that if it is to be."""
        kind, symbol = feed
        symbols = self._symbols.get(kind)
        if symbols is not None and (symbol is None or (symbol not in symbols and feed not in self._ended)):
            self._watch_whole(kind)
            feed = (kind, None)
        elif self._ended.get(feed, 0.0) <= time.monotonic():
            if symbols is not None and symbol is not None:
                symbols.add(symbol)
            self._begin(feed)  # said, because messages alone do not begin a feed again that was ended
        return feed, self._live.get(feed) or Sample()

    def _watch_whole(self, kind: DataKind) -> None:
        self._symbols.pop(kind, None)
        self._whole.add(kind)
        self._end(self._of(kind) - {(kind, None)}, again=0.0)
        self._begin((kind, None))

    def _of(self, kind: DataKind) -> set[Feed]:
        return {feed for feed in list(self._live) if feed[0] == kind}

    def _begin(self, feed: Feed) -> None:
        self._ended.pop(feed, None)
        self._live.setdefault(feed, Sample())
        self._say(meter.market_data_subscribed, feed)

    def _end(self, feeds: Iterable[Feed], again: float) -> None:
        for feed in feeds:
            self._live.pop(feed, None)
            self._ended.pop(feed, None)
            self._ended[feed] = again
            if len(self._ended) > _MAX_ENDED:
                del self._ended[next(iter(self._ended))]
            self._say(meter.market_data_unsubscribed, feed)

    def _say(self, helper: Callable[..., None], feed: Feed) -> None:
        self._context.copy().run(helper, kind=feed[0], symbol=feed[1], **self._about)
