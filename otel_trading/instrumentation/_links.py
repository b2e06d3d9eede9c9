"""Connections to venues that a bot opened itself: which are up, how they answer, and when data last came over each.

A connection's name is host and path of its URL. Of several at a time the second has `#2` after it, and so on, and one
that comes back takes the name that is free: so the names are few and stay. What could be a key is left out of them.

Data is what the shape of a message says: no ping, no pong, no heartbeat and no answer makes a feed young.
"""

from __future__ import annotations

import re
import time
from contextvars import copy_context
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from otel_trading import meter
from otel_trading._locks import Lock
from otel_trading.instrumentation import _shapes
from otel_trading.instrumentation._hooks import covered, quietly
from otel_trading.instrumentation._hosts import venue_of
from otel_trading.semconv import market_data as _market_data
from otel_trading.semconv import venue as _venue

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from otel_trading.semconv import Metric
    from otel_trading.semconv.attributes import DataKind

__all__ = ["EMITS", "Link", "begin", "end", "of", "opening"]

EMITS: Final[tuple[Metric, ...]] = (
    _market_data.AGE,
    _market_data.CONNECTION_RECONNECTS,
    _market_data.CONNECTION_STATUS,
    _market_data.CONNECTION_UPTIME,
    _market_data.GAPS,
    _market_data.MESSAGES,
    _market_data.PING_DURATION,
    _venue.REQUEST_DURATION,
)
_MAX_LENGTH: Final = 120
_MAX_FEEDS: Final = 1000
#: A segment of a path that is none of these may be a key, a token or an account: a short word, a version, a stream.
_PLAIN: Final = re.compile(
    r"(?:(?=.{1,20}$)[a-z]{1,16}(?:[-_.][a-z]{1,16}){0,2}|[a-z]{0,2}\d{1,2}(?:\.\d{1,2})?(?:(?:alpha|beta|rc)\d{1,2})?"
    r"|[a-z\d]{1,20}(?:_[a-z\d]{1,10}){0,2}@[a-zA-Z]{2,24}\d{0,4}(?:_\d{1,2}[smhdwM])?(?:@\d{1,5}m?s)?"
    r"|![a-zA-Z]{2,24}(?:_\d{1,2}[smhd])?(?:@arr)?(?:@\d{1,5}m?s)?)?"
)
#: Seconds in which messages still come after a subscription was ended; a feed that goes on later was not.
_LATE: Final = 5.0
_ATTRIBUTE: Final = "_otel_trading_link"
_lock: Final = Lock()
_live: Final[dict[str, Link]] = {}
_watching: Final[set[str]] = set()
#: Kinds of data of a connection, by its name; they outlive it when it was lost, so that their age goes on.
_feeds: Final[dict[str, set[DataKind]]] = {}


def opening(url: object, where: str, venue: str | None = None) -> Link | None:
    """Return what follows a connection from before it is opened, or None for one that is not to be watched.

    Args:
        url: Of the connection.
        where: Library that opens it.
        venue: Of a library that knows whose connections it opens, and says what comes over them (`Link.took`).
    """
    if where not in _watching or covered():
        return None
    try:
        known = venue or venue_of(str(url))
        return None if known is None else Link(str(url), known, where, reads=venue is None)
    except Exception:  # noqa: BLE001  a URL that cannot be read is the library's business
        return None


def of(connection: object) -> Link | None:
    """Return what follows a connection of a library, or None."""
    return getattr(connection, _ATTRIBUTE, None)


def begin(where: str) -> None:
    """Watch what a library opens from now on."""
    _watching.add(where)


def end(where: str) -> None:
    """Watch a library no more; what is open is no loss and its silence no alarm."""
    _watching.discard(where)
    for link in [link for link in list(_live.values()) if link.where == where]:
        link.closed()


class Link:
    """One connection, from the attempt to open it until it is gone; a `with` block around the attempt.

    Args:
        url: Host and path are its name.
        venue: Who answers there.
        where: Library that opens it.
        reads: Whether messages are looked at; else `took`, `begin` and `end` say what they are.
    """

    def __init__(self, url: str, venue: str, where: str, *, reads: bool = True) -> None:
        self.where = where
        self._reads = reads
        #: Task that receives now, where a library closes inside of that by itself.
        self.reader: object = None
        self._url = url
        self._venue = venue
        self._pong: object = None
        #: From when on a message begins the feed again.
        self._ended: dict[DataKind, float] = {}
        self._unseen: set[DataKind] = set()
        # what the bot set in force where it opened the connection holds for all of it, in other tasks and threads too
        self._context = copy_context()
        self._reading = copy_context()
        self._call = meter.venue_call(operation="connect", venue=venue)
        base = _name(url)
        with _lock:
            self.name = next(name for name in _numbered(base) if name not in _live)
            _live[self.name] = self

    @quietly
    def __enter__(self) -> None:
        self._changed("connecting")
        self._call.__enter__()

    @quietly
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.lost(error)
        self._call.__exit__(kind, error, trace)

    @quietly
    def opened(self, connection: object) -> None:
        """Follow a connection that is open now."""
        setattr(connection, _ATTRIBUTE, self)
        self._changed("connected")
        if self._reads:
            self._unseen |= _shapes.asked_by_url(self._url)
            self._subscribed(self._unseen)

    @quietly
    def lost(self, error: BaseException | str | None) -> None:
        """End with a loss: nobody of this process closed it."""
        if self._leave():
            self._changed("disconnected", error)

    @quietly
    def closed(self) -> None:
        """End because the bot says so; a connection that was lost before stays lost."""
        if self._leave():
            for kind in _feeds.pop(self.name, set()):
                self._feed(meter.market_data_unsubscribed, kind)
            self._say(meter.connection_closed)

    @quietly
    def sent(self, message: Any) -> None:
        """Look whether a message to the venue subscribes."""
        if self._reads and isinstance(message, (str, bytes)):
            begun, ended = _shapes.asked(message)
            self._unseen |= begun
            self._subscribed(begun)
            self._unsubscribed(ended, again=time.monotonic() + _LATE)

    @quietly
    def received(self, message: Any) -> None:
        """Take a message of the venue."""
        kind = _shapes.kind_of(message) if self._reads else None
        if kind is not None:
            numbered = _shapes.number_of(self._venue, message) if kind == "trade" else None
            self._took(kind, *(numbered or (None, None)))

    @quietly
    def took(self, kind: DataKind) -> None:
        """Take a message of which the library knows what it brings."""
        self._took(kind)

    @quietly
    def begin(self, kinds: set[DataKind]) -> None:
        """Start the clock of what is subscribed."""
        self._subscribed(kinds)

    @quietly
    def end(self, kinds: set[DataKind]) -> None:
        """Stop the clock of what is not subscribed any more."""
        self._unsubscribed(kinds, again=time.monotonic() + _LATE)

    @quietly
    def pinged(self, latency: object) -> None:
        """Record a round trip that the library has just measured.

        Args:
            latency: Seconds, of the last ping; the same object as before when this was no answer to one.
        """
        if isinstance(latency, float) and latency is not self._pong:
            self._pong = latency
            self._say(meter.connection_ping, seconds=latency)

    def _took(self, kind: DataKind, channel: str | None = None, sequence: int | None = None) -> None:
        if _live.get(self.name) is not self:
            return
        self._saw(kind)
        self._reading.run(
            meter.market_data_received,
            source=self._venue,
            kind=kind,
            connection=self.name,
            channel=channel,
            sequence=sequence,
            venue=self._venue,
        )

    def _saw(self, kind: DataKind) -> None:
        if kind == "other" and self._unseen:  # it may be what was asked for: nobody can tell
            self._unsubscribed(set(self._unseen), again=0.0)
        self._unseen.discard(kind)
        if kind not in _feeds.get(self.name, ()) and self._ended.get(kind, 0.0) <= time.monotonic():
            self._subscribed({kind})  # said, because messages alone do not begin a feed again that was ended

    def _subscribed(self, kinds: set[DataKind]) -> None:
        for kind in kinds:
            self._ended.pop(kind, None)
            _feeds.setdefault(self.name, set()).add(kind)
            self._feed(meter.market_data_subscribed, kind)
        while len(_feeds) > _MAX_FEEDS:
            _feeds.pop(next(iter(_feeds)))

    def _unsubscribed(self, kinds: set[DataKind], again: float) -> None:
        for kind in kinds:
            self._unseen.discard(kind)
            self._ended[kind] = again
            _feeds.get(self.name, set()).discard(kind)
            self._feed(meter.market_data_unsubscribed, kind)

    def _leave(self) -> bool:
        with _lock:
            return _live.get(self.name) is self and _live.pop(self.name) is self

    def _changed(self, state: str, error: BaseException | str | None = None) -> None:
        self._say(meter.connection_changed, state=state, error=error)

    def _feed(self, helper: Callable[..., None], kind: DataKind) -> None:
        self._context.copy().run(helper, source=self._venue, kind=kind, connection=self.name, venue=self._venue)

    def _say(self, helper: Callable[..., None], **keywords: object) -> None:
        self._context.copy().run(helper, name=self.name, venue=self._venue, **keywords)


def _numbered(base: str) -> Any:
    return (base if number == 1 else f"{base}#{number}" for number in count(1))


def _name(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    segments = [unquote(segment) for segment in parts.path.split("/")]
    path = "/".join(segment if _PLAIN.fullmatch(segment) else "*" for segment in segments).rstrip("/")
    return f"{host}{port}{path}"[:_MAX_LENGTH]
