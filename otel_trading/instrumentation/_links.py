"""Connections to venues that a bot opened itself: which are up, how they answer, and when data last came over each.

A connection's name is host and path of its URL. Of several at a time the second has `#2` after it, and so on, and one
that comes back takes the name that is free: so the names are few and stay. What could be a key is left out of them.

Data is what the shape of a message says: no ping, no pong, no heartbeat and no answer makes a feed young. What comes
over a connection stands in `_feeds`, and how messages of venues look in `_shapes` and `_subjects`.
"""

from __future__ import annotations

import re
import weakref
from contextlib import suppress
from contextvars import copy_context
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from otel_trading import meter
from otel_trading._locks import Lock
from otel_trading.instrumentation import _feeds, _subjects
from otel_trading.instrumentation._hooks import covered, quietly
from otel_trading.instrumentation._hosts import venue_of
from otel_trading.semconv import market_data as _market_data
from otel_trading.semconv import venue as _venue

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from otel_trading.semconv import Metric
    from otel_trading.semconv.attributes import DataKind

__all__ = ["EMITS", "Link", "attach", "begin", "end", "end_of", "of", "opening"]

EMITS: Final[tuple[Metric, ...]] = (
    _market_data.AGE,
    _market_data.CONNECTION_RECONNECTS,
    _market_data.CONNECTION_STATUS,
    _market_data.CONNECTION_UPTIME,
    _market_data.DELAY,
    _market_data.GAPS,
    _market_data.MESSAGES,
    _market_data.PING_DURATION,
    _venue.REQUEST_DURATION,
)
_MAX_LENGTH: Final = 120
_MAX_LOST: Final = 1000
#: A segment of a path that is none of these may be a key, a token or an account: a short word, a version, a stream.
_PLAIN: Final = re.compile(
    r"(?:(?=.{1,20}$)[a-z]{1,16}(?:[-_.][a-z]{1,16}){0,2}|[a-z]{0,2}\d{1,2}(?:\.\d{1,2})?(?:(?:alpha|beta|rc)\d{1,2})?"
    r"|[a-z\d]{1,20}(?:_[a-z\d]{1,10}){0,2}@[a-zA-Z]{2,24}\d{0,4}(?:_\d{1,2}[smhdwM])?(?:@\d{1,5}m?s)?"
    r"|![a-zA-Z]{2,24}(?:_\d{1,2}[smhd])?(?:@arr)?(?:@\d{1,5}m?s)?)?"
)
_ATTRIBUTE: Final = "_otel_trading_link"
_lock: Final = Lock()
_live: Final[dict[str, Link]] = {}
#: By name, until one of that name comes back.
_lost: Final[dict[str, Link]] = {}
_watching: Final[set[str]] = set()


def opening(url: object, where: str, venue: str | None = None, owner: object = None) -> Link | None:
    """Return what follows a connection from before it is opened, or None for one that is not to be watched.

    Args:
        url: Of the connection.
        where: Library that opens it.
        venue: Of a library that knows whose connections it opens, and says what comes over them (`Link.took`).
        owner: With what it ends.
    """
    if where not in _watching or covered():
        return None
    try:
        known = venue or venue_of(str(url))
        return None if known is None else Link(str(url), known, where, reads=venue is None, owner=owner)
    except Exception:  # noqa: BLE001  a URL that cannot be read is the library's business
        return None


def of(connection: object) -> Link | None:
    """Return what follows a connection of a library, or None."""
    return getattr(connection, _ATTRIBUTE, None)


def attach(link: Link, connection: object) -> None:
    """Let `of` find what follows a connection by another object of it."""
    setattr(connection, _ATTRIBUTE, link)


def end_of(owner: object) -> None:
    """End what its owner opened, because the bot closes that."""
    for link in list(_live.values()):
        if link.owner is not None and link.owner() is owner:
            link.closed()


def begin(where: str) -> None:
    """Watch what a library opens from now on."""
    _watching.add(where)


def end(where: str) -> None:
    """Watch a library no more: what is open is no loss, its silence no alarm, and nobody sees what comes back."""
    _watching.discard(where)
    for link in (*_live.values(), *_lost.values()):
        if link.where == where:
            link.forgotten()


class Link:
    """One connection, from the attempt to open it until it is gone; a `with` block around the attempt.

    Args:
        url: Host and path are its name.
        venue: Who answers there.
        where: Library that opens it.
        reads: Whether messages are looked at; else `took`, `begin` and `end` say what they are.
        owner: With what it ends.
    """

    def __init__(self, url: str, venue: str, where: str, *, reads: bool = True, owner: object = None) -> None:
        self.where = where
        self.owner = None if owner is None else weakref.ref(owner)
        self._reads = reads
        #: Task that receives now, where a library closes inside of that by itself.
        self.reader: object = None
        self._url = url
        self._venue = venue
        self._pong: object = None
        self._feeds: _feeds.Feeds | None = None
        # what the bot set in force where it opened the connection holds for all of it, in other tasks and threads too
        self._context = copy_context()
        self._call = meter.venue_call(operation="connect", venue=venue)
        base = _name(url)
        with _lock:
            self.name = next(name for name in _numbered(base) if name not in _live)
            _live[self.name] = self
            _lost.pop(self.name, None)

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
        """Follow a connection that is open now; one that the bot drops without a word is lost."""
        try:
            attach(self, connection)
        except Exception:
            self.closed()  # nobody could tell when it ends
            raise
        with suppress(TypeError):  # a class without weak references
            weakref.finalize(connection, self.lost, None).atexit = False
        self._changed("connected")
        self._feeds = _feeds.Feeds(self.name, self._venue, self._context)
        if self._reads:
            self._feeds.asked(_subjects.asked_by_url(self._venue, self._url))

    @quietly
    def lost(self, error: BaseException | str | None) -> None:
        """End with a loss: nobody of this process closed it."""
        if self._leave():
            _lost[self.name] = self
            if len(_lost) > _MAX_LOST:
                _lost.pop(next(iter(_lost)), None)
            self._changed("disconnected", error)

    @quietly
    def closed(self) -> None:
        """End because the bot says so; a connection that was lost before stays lost."""
        if self._leave():
            self._forget()

    @quietly
    def forgotten(self) -> None:
        """End because nobody looks any more, whether it is open or lost."""
        if self._leave() or _lost.pop(self.name, None) is self:
            self._forget()

    @quietly
    def sent(self, message: Any) -> None:
        """Look whether a message to the venue subscribes."""
        if self._reads and self._feeds is not None and isinstance(message, (str, bytes)):
            begun, ended = _subjects.asked(self._venue, message)
            self._feeds.asked(begun)
            self._feeds.declined(ended)

    @quietly
    def received(self, message: Any) -> None:
        """Take a message of the venue; of those that were under way when the connection was lost, too."""
        if not self._reads or self._feeds is None:
            return
        told = _subjects.read(self._venue, message)
        if told is not None:
            for symbol in told.symbols:
                self._feeds.received(
                    told.kind,
                    symbol,
                    moment=lambda: _subjects.time_of(self._venue, message),
                    numbered=told.number,
                )

    @quietly
    def took(self, kind: DataKind, moment: Callable[[], float | None] | None = None) -> None:
        """Take a message of which the library knows what it brings.

        Args:
            kind: What that is.
            moment: Tells when the venue says that it happened, in Unix seconds.
        """
        if self._feeds is not None:
            self._feeds.received(kind, moment=moment)

    @quietly
    def begin(self, kinds: set[DataKind]) -> None:
        """Start the clock of what is subscribed."""
        if self._feeds is not None:
            self._feeds.asked((kind, None) for kind in kinds)

    @quietly
    def end(self, kinds: set[DataKind]) -> None:
        """Stop the clock of what is not subscribed any more."""
        if self._feeds is not None:
            self._feeds.declined((kind, None) for kind in kinds)

    @quietly
    def pinged(self, latency: object) -> None:
        """Record a round trip that the library has just measured.

        Args:
            latency: Seconds, of the last ping; the same object as before when this was no answer to one.
        """
        if isinstance(latency, float) and latency is not self._pong:
            self._pong = latency
            self._say(meter.connection_ping, seconds=latency)

    def _leave(self) -> bool:
        with _lock:
            return _live.get(self.name) is self and _live.pop(self.name) is self

    def _forget(self) -> None:
        _feeds.forget(self.name)
        self._say(meter.connection_closed)

    def _changed(self, state: str, error: BaseException | str | None = None) -> None:
        self._say(meter.connection_changed, state=state, error=error)

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
