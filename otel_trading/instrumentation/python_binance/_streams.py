"""Messages of Binance's streams, and the connections that carry them."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Final

from otel_trading import meter
from otel_trading.instrumentation._hooks import covering, quietly
from otel_trading.instrumentation._places import Places
from otel_trading.instrumentation._samples import Sample
from otel_trading.instrumentation.python_binance import _orders
from otel_trading.instrumentation.python_binance._calls import venue_at
from otel_trading.instrumentation.python_binance._orders import fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading.semconv import attributes as a

__all__ = ["connected", "left", "lost", "received", "told"]

#: Kind by the type of an event, and by what stands in the name of a stream whose messages have none.
_KINDS: Final[dict[str, a.DataKind]] = {
    "trade": "trade",
    "aggTrade": "trade",
    "24hrTicker": "ticker",
    "24hrMiniTicker": "ticker",
    "bookTicker": "quote",
    "depthUpdate": "order_book",
    "kline": "bar",
    "continuous_kline": "bar",
    "markPriceUpdate": "funding",
}
_OWN: Final = frozenset({"executionReport", "ORDER_TRADE_UPDATE"})
_HOSTS: Final = {"fstream": "binanceusdm", "dstream": "binancecoinm"}
_OVERFLOW: Final = "BinanceWebsocketQueueOverflow"
_places: Final = Places()


class _Feeds:
    """What one socket carries."""

    __slots__ = ("numbers", "venue", "watched")

    def __init__(self, venue: str) -> None:
        self.venue = venue
        self.watched: dict[tuple[a.DataKind, str | None], Sample] = {}
        #: The last number of each book, whose updates leave none out.
        self.numbers: dict[str, int] = {}


_feeds: Final[weakref.WeakKeyDictionary[Any, _Feeds]] = weakref.WeakKeyDictionary()


def _of(socket: Any) -> _Feeds:
    found = _feeds.get(socket)
    if found is None:
        url = str(socket._url)  # noqa: SLF001  it has no other
        venue = next((venue for word, venue in _HOSTS.items() if word in url), None) or venue_at(url)
        found = _feeds[socket] = _Feeds(venue)
    return found


def received(wrapped: Callable[..., Any], socket: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Hook `ReconnectingWebsocket._handle_message`, which makes an object of every message."""
    message = wrapped(*args, **kwargs)
    _read(socket, message)
    return message


@quietly
def _read(socket: Any, message: Any) -> None:
    if isinstance(message, list):
        _stamp(socket, "ticker", None, None)  # of all symbols of the venue at once
        return
    event = fields(message)
    inner: Any = event.get("data", event.get("event", event))
    if isinstance(inner, list):
        _stamp(socket, "ticker", None, None)
        return
    event = fields(inner)
    name = event.get("e")
    if name in _OWN:
        _orders.streamed(_of(socket).venue, event)
        return
    kind = _KINDS.get(str(name)) or (None if name else _bare(event))
    if kind is not None:
        symbol = event.get("s")
        _stamp(socket, kind, None if symbol is None else str(symbol), event)


def _bare(event: dict[str, Any]) -> a.DataKind | None:
    """Two kinds of messages do not say what they are: best prices, and the top of a book."""
    if "bids" in event and "asks" in event:
        return "order_book"
    return "quote" if "b" in event and "a" in event and "s" in event else None


def _stamp(socket: Any, kind: a.DataKind, symbol: str | None, event: dict[str, Any] | None) -> None:
    feeds = _of(socket)
    venue = feeds.venue
    sample = feeds.watched.get((kind, symbol))
    if sample is None:
        sample = feeds.watched[kind, symbol] = Sample()
    stamp = event.get("E") if event is not None and sample.takes() else None
    meter.market_data_received(
        source=venue,
        kind=kind,
        symbol=symbol,
        venue_time=stamp / 1000 if isinstance(stamp, (int, float)) else None,
        venue=venue,
    )
    if event is not None and symbol is not None and kind == "order_book":
        _follow(feeds, symbol, event)


def _follow(feeds: _Feeds, symbol: str, event: dict[str, Any]) -> None:
    last, first, ends = feeds.numbers.get(symbol), event.get("U"), event.get("u")
    if not isinstance(first, int) or not isinstance(ends, int):
        return
    feeds.numbers[symbol] = ends
    missed = last is not None and (event["pu"] != last if "pu" in event else first > last + 1)
    if missed:
        meter.market_data_missed(source=feeds.venue, kind="order_book", symbol=symbol, venue=feeds.venue)


@quietly
def _changed(socket: Any, state: a.ConnectionState, error: Any = None) -> None:
    venue = _of(socket).venue
    name = _places.name(venue, str(socket._url), socket, socket, is_over=lambda one: one is None)  # noqa: SLF001
    meter.connection_changed(name=name, state=state, error=error, venue=venue)


async def connected(wrapped: Callable[..., Any], socket: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Hook `ReconnectingWebsocket.connect`, the first time and again."""
    _changed(socket, "connecting")
    try:
        with covering():
            result = await wrapped(*args, **kwargs)
    except BaseException as error:
        _changed(socket, "disconnected", error)
        raise
    _changed(socket, "connected")
    _of(socket).numbers.clear()
    return result


def lost(wrapped: Callable[..., Any], socket: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Hook `ReconnectingWebsocket._reconnect`, which is told that the venue hung up."""
    _changed(socket, "disconnected", "BinanceWebsocketClosed")
    return wrapped(*args, **kwargs)


async def told(wrapped: Callable[..., Any], socket: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Hook `ReconnectingWebsocket._read_loop`, which ends for good where the bot is too slow for its queue."""
    result = await wrapped(*args, **kwargs)
    _ended(socket)
    return result


@quietly
def _ended(socket: Any) -> None:
    queue = socket._queue  # noqa: SLF001  where the library says why
    error = fields(queue._queue[-1]) if queue.qsize() else {}  # noqa: SLF001
    if error.get("e") == "error":
        _changed(socket, "disconnected", str(error.get("type")))
        if error.get("type") == _OVERFLOW:
            feeds = _of(socket)
            for kind, symbol in feeds.watched:
                meter.market_data_missed(source=feeds.venue, kind=kind, symbol=symbol, venue=feeds.venue)


async def left(wrapped: Callable[..., Any], socket: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Hook `ReconnectingWebsocket.__aexit__`: what it carried ends on purpose."""
    result = await wrapped(*args, **kwargs)
    _left(socket)
    return result


@quietly
def _left(socket: Any) -> None:
    feeds = _of(socket)
    venue = feeds.venue
    for kind, symbol in feeds.watched:
        meter.market_data_unsubscribed(source=venue, kind=kind, symbol=symbol, venue=venue)
    _feeds.pop(socket, None)
    for at, name in _places.left(socket):
        meter.connection_closed(name=name, venue=at)
