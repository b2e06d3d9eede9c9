"""Streams: which are up, and when data last came over each; what the connection's library sees of them is covered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from otel_trading.instrumentation import _dialects, _links
from otel_trading.instrumentation._hooks import covering, quietly
from otel_trading.instrumentation.alpaca import _orders

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading.semconv.attributes import DataKind

__all__ = ["DATA", "NAME", "TRADING"]

NAME: Final = "alpaca-py"
#: By the T of a message. Halts, price bands, corrections and cancellations come when they come, and are no data here.
_KINDS: Final[dict[object, DataKind]] = {
    "t": "trade",
    "q": "quote",
    "o": "order_book",
    "b": "bar",
    "u": "bar",
    "d": "bar",
    "n": "news",
}
#: Whose time is when it happened; a bar's is its beginning.
_TIMED: Final = frozenset({"trade", "quote", "order_book"})
_CHANNELS: Final[dict[str, DataKind]] = {
    "trades": "trade",
    "quotes": "quote",
    "orderbooks": "order_book",
    "bars": "bar",
    "updatedBars": "bar",
    "dailyBars": "bar",
    "news": "news",
}


async def _connect(wrapped: Callable[..., Any], stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    link = _links.opening(getattr(stream, "_endpoint", None), NAME, _orders.VENUE)
    if link is None:
        return await wrapped(*args, **kwargs)
    with covering(), link:
        result = await wrapped(*args, **kwargs)
    link.opened(getattr(stream, "_ws", None))
    return result


def _link(stream: Any) -> _links.Link | None:
    return _links.of(getattr(stream, "_ws", None))


async def _close(wrapped: Callable[..., Any], stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    link = _link(stream)
    if link is not None and getattr(stream, "_should_run", False):  # it goes on, with another connection
        link.lost("timeout" if getattr(stream, "_data_timeout", None) is not None else None)
    elif link is not None:
        link.closed()
    return await wrapped(*args, **kwargs)


async def _trade_update(wrapped: Callable[..., Any], stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    _updated(stream, args[0] if args else kwargs.get("msg"))
    return await wrapped(*args, **kwargs)


@quietly
def _updated(stream: Any, message: Any) -> None:
    if message.get("stream") == "trade_updates":
        link = _link(stream)
        if link is not None:
            link.took("account", lambda: _dialects.moment_of(message["data"].get("timestamp")))
        _orders.updated(message["data"])


async def _listen(wrapped: Callable[..., Any], stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = await wrapped(*args, **kwargs)
    link = _link(stream)
    if link is not None:
        link.begin({"account"})
    return result


def _data(wrapped: Callable[..., Any], stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    message = args[0] if args else kwargs.get("msg")
    _took(stream, message)
    return wrapped(*args, **kwargs)


@quietly
def _took(stream: Any, message: Any) -> None:
    kind = _KINDS.get(message.get("T"))
    link = None if kind is None else _link(stream)
    if link is not None and kind is not None:
        link.took(kind, lambda: _moment(kind, message))


def _moment(kind: DataKind, message: Any) -> float | None:
    stamp: Any = message.get("t") if kind in _TIMED else None
    return stamp.to_unix() if hasattr(stamp, "to_unix") else None  # of msgpack


async def _subscribe(wrapped: Callable[..., Any], stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = await wrapped(*args, **kwargs)
    _subscribed(stream)
    return result


@quietly
def _subscribed(stream: Any) -> None:
    link = _link(stream)
    if link is not None:
        link.begin(_wanted(stream._handlers))  # noqa: SLF001  the one place where it says what is subscribed


async def _unsubscribe(wrapped: Callable[..., Any], stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = await wrapped(*args, **kwargs)
    _unsubscribed(stream, *args, **kwargs)
    return result


@quietly
def _unsubscribed(stream: Any, channel: str, symbols: Any) -> None:
    link, kind = _link(stream), _CHANNELS.get(channel)
    left = {name: set(given) - (set(symbols) if name == channel else set()) for name, given in stream._handlers.items()}  # noqa: SLF001
    if link is not None and kind is not None and kind not in _wanted(left):
        link.end({kind})


def _wanted(handlers: Any) -> set[DataKind]:
    return {_CHANNELS[name] for name, symbols in handlers.items() if symbols and name in _CHANNELS}


TRADING: Final = {
    "TradingStream._connect": _connect,
    "TradingStream._subscribe_trade_updates": _listen,
    "TradingStream._dispatch": _trade_update,
    "TradingStream.close": _close,
}
DATA: Final = {
    "DataStream._connect": _connect,
    "DataStream._send_subscribe_msg": _subscribe,
    "DataStream._send_unsubscribe_msg": _unsubscribe,
    "DataStream._dispatch": _data,
    "DataStream.close": _close,
}
