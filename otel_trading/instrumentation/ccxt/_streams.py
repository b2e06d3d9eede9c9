"""What ccxt pro watches, and the connections that carry it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Final

from otel_trading import meter
from otel_trading.instrumentation._hooks import covering, quietly
from otel_trading.instrumentation._places import Places
from otel_trading.instrumentation._samples import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from otel_trading.semconv import attributes as a

__all__ = ["WATCHED", "closed", "ended", "failed", "opened", "received", "refused", "subscribed", "unsubscribed"]

#: What kind of data a method watches, and whether it names one symbol. Orders, trades of one's own and balances are
#: none: their silence says nothing.
WATCHED: Final[dict[str, tuple[a.DataKind, bool]]] = {
    "watch_bids_asks": ("quote", False),
    "watch_funding_rate": ("funding", True),
    "watch_funding_rates": ("funding", False),
    "watch_mark_price": ("ticker", True),
    "watch_mark_prices": ("ticker", False),
    "watch_ohlcv": ("bar", True),
    "watch_ohlcv_for_symbols": ("bar", False),
    "watch_order_book": ("order_book", True),
    "watch_order_book_for_symbols": ("order_book", False),
    "watch_ticker": ("ticker", True),
    "watch_tickers": ("ticker", False),
    "watch_trades": ("trade", True),
    "watch_trades_for_symbols": ("trade", False),
}
_GAP: Final = "ChecksumError"


class _Feeds:
    """What one instance watches."""

    __slots__ = ("broken", "watched")

    def __init__(self) -> None:
        self.watched: dict[tuple[a.DataKind, str | None], Sample] = {}
        #: Books that fell behind the venue's and are not rebuilt yet.
        self.broken: set[str | None] = set()


_feeds: Final[weakref.WeakKeyDictionary[Any, _Feeds]] = weakref.WeakKeyDictionary()
_places: Final = Places()


def _of(exchange: Any) -> _Feeds:
    found = _feeds.get(exchange)
    if found is None:
        found = _feeds[exchange] = _Feeds()
    return found


def _symbols(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterable[str | None]:
    one = WATCHED[name][1]
    given = args[0] if args else kwargs.get("symbol" if one else "symbols", kwargs.get("symbolsAndTimeframes"))
    if one or given is None:
        return (given,)
    return [each if isinstance(each, str) else each[0] for each in given]


@quietly
def subscribed(exchange: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Start the clock of a feed before its first message."""
    watched, kind = _of(exchange).watched, WATCHED[name][0]
    for symbol in _symbols(name, args, kwargs):
        if (kind, symbol) not in watched:
            watched[kind, symbol] = Sample()
            meter.market_data_subscribed(source=exchange.id, kind=kind, symbol=symbol, venue=exchange.id)


@quietly
def received(exchange: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], update: Any) -> None:
    """Take one update that the bot got."""
    kind, one = WATCHED[name]
    feeds = _of(exchange)
    symbols = _symbols(name, args, kwargs) if one else _told(kind, update, feeds)
    for symbol in symbols:
        sample = feeds.watched.get((kind, symbol))
        stamp = _stamp(kind, update) if sample is None or sample.takes() else None
        meter.market_data_received(source=exchange.id, kind=kind, symbol=symbol, venue_time=stamp, venue=exchange.id)
        if kind == "order_book" and symbol in feeds.broken:
            feeds.broken.discard(symbol)
            meter.market_data_resynced(source=exchange.id, symbol=symbol, venue=exchange.id)


def _told(kind: a.DataKind, update: Any, feeds: _Feeds) -> Iterable[str | None]:
    """Return which symbols an update is about; of all symbols of a venue, which nobody named, none."""
    if (kind, None) in feeds.watched:
        return (None,)
    if kind == "order_book":
        return (update["symbol"],)
    return dict.fromkeys(each["symbol"] for each in update) if kind == "trade" else tuple(update)


def _stamp(kind: a.DataKind, update: Any) -> float | None:
    """Return when the venue says that it happened, as Unix seconds; a bar's time is its beginning."""
    if kind == "trade":
        update = update[-1] if update else None
    stamp: Any = None if update is None or kind == "bar" else update.get("timestamp")
    return stamp / 1000 if isinstance(stamp, (int, float)) else None


@quietly
def refused(exchange: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], error: BaseException) -> None:
    """Take why the bot got no update: a book whose sum or number does not fit has lost messages."""
    if WATCHED[name][0] == "order_book" and type(error).__name__ == _GAP:
        for symbol in _symbols(name, args, kwargs):
            _of(exchange).broken.add(symbol)
            meter.market_data_missed(source=exchange.id, kind="order_book", symbol=symbol, venue=exchange.id)


@quietly
def unsubscribed(exchange: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Take that the bot watches something no more."""
    for symbol in _symbols(name, args, kwargs):
        _end(exchange, WATCHED[name][0], symbol)
        _of(exchange).watched.pop((WATCHED[name][0], symbol), None)


def _end(exchange: Any, kind: a.DataKind, symbol: str | None) -> None:
    meter.market_data_unsubscribed(source=exchange.id, kind=kind, symbol=symbol, venue=exchange.id)


@quietly
def closed(exchange: Any) -> None:
    """Take that the bot closes an instance: what it watched and what carried it ends on purpose."""
    for kind, symbol in _of(exchange).watched:
        _end(exchange, kind, symbol)
    _feeds.pop(exchange, None)
    for venue, name in _places.left(exchange):
        meter.connection_closed(name=name, venue=venue)


def _is_over(client: Any) -> bool:
    return client is None or client.error is not None or (client.isConnected and client.closed())


@quietly
def _changed(client: Any, state: a.ConnectionState, error: Any = None) -> None:
    exchange = client.on_message_callback.__self__
    name = _places.name(exchange.id, str(client.url), client, exchange, is_over=_is_over)
    meter.connection_changed(name=name, state=state, error=error, venue=exchange.id)


async def opened(wrapped: Callable[..., Any], client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Hook `Client.open`, which returns as well when it failed."""
    _changed(client, "connecting")
    with covering():
        result = await wrapped(*args, **kwargs)
    if client.isConnected:
        _changed(client, "connected")
    return result


def failed(wrapped: Callable[..., Any], client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Hook `Client.on_error`."""
    _changed(client, "disconnected", args[0] if args else kwargs.get("error"))
    return wrapped(*args, **kwargs)


def ended(wrapped: Callable[..., Any], client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Hook `Client.on_close`: the venue hung up, with a code of RFC 6455."""
    if client.error is None:
        _changed(client, "disconnected", str(args[0]) if args else None)
    return wrapped(*args, **kwargs)
