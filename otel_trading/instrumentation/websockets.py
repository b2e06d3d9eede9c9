"""websockets: connections to venues that a bot opened itself, by asyncio, by threads, or by the legacy classes.

| Read                                                   | Emitted                                                    |
| ------------------------------------------------------ | ---------------------------------------------------------- |
| each attempt to connect, and what it failed with       | `trading.venue.request.duration` of the operation connect  |
| open, lost; closed by the bot ends it                  | `trading.connection.status`, `.uptime`, `.reconnects`      |
| a pong that answers the library's or the bot's ping    | `trading.connection.ping.duration`                         |
| a message with data, when the bot receives it          | `trading.market_data.messages`; starts `.age` again        |
| a subscription that the bot sends or that the URL is   | starts `trading.market_data.age`                           |
| ids of trades, of Binance and Coinbase Exchange        | `trading.market_data.gaps`                                 |
| times in messages of the venues named below            | `trading.market_data.delay`                                |

Only hosts of venues are watched; name hosts of your own in OTEL_TRADING_VENUE_HOSTS. The connection's name is host and
path; no query, no header and no content is recorded. What a message brings is told by a few words at its beginning,
which costs 1 to 2 us: heartbeats and answers are no data, and what is not recognized counts as kind `other`, which has
no threshold unless you set one. Binary messages that are compressed or encoded are `other`.

The age is that of the oldest symbol where the bot asked Binance, Bybit, Coinbase, Kraken (v2) or OKX for symbols by
name, for at most 250 over one connection, and each message says its own; else one symbol that is silent among others of
its kind is not seen: for that, call `meter.market_data_received(symbol=)`. A bot that does so already turns this off
with OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=websockets. Of a busy feed not every delay is recorded: of each second those
of the first ten messages, then every sixteenth. A loss is what the bot did not do: where it closes a silent connection
itself and connects again, that is no reconnect; one that it drops unclosed is lost. `recv_streaming` counts nothing.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Final

from otel_trading.instrumentation import _links
from otel_trading.instrumentation._hooks import LazyInstrumentor, put, take_off

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Mapping

    from otel_trading.semconv import Metric

__all__ = ["WebsocketsInstrumentor"]

_NAME: Final = "websockets"
_URI: Final = "_otel_trading_uri"
_SYNC: Final = "websockets.sync.client"


class _Attempt:
    """What a connect object's own `__await__` does, to be awaited once."""

    def __init__(self, wait: Callable[[], Generator[Any, None, Any]]) -> None:
        self._wait = wait

    def __await__(self) -> Generator[Any, None, Any]:
        return self._wait()


def _made(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with suppress(Exception):  # a subclass may allow no attribute
        setattr(instance, _URI, args[0] if args else kwargs.get("uri"))
    return wrapped(*args, **kwargs)


def _await(wrapped: Callable[..., Any], instance: Any, _args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Any:
    link = _links.opening(getattr(instance, _URI, None), _NAME)
    return wrapped() if link is None else _opened(link, _Attempt(wrapped)).__await__()


async def _opened(link: _links.Link, attempt: Awaitable[Any]) -> Any:
    with link:
        connection = await attempt
    _follow(link, connection)
    return connection


def _connect(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    link = _links.opening(getattr(instance, _URI, None) or (args[0] if args else kwargs.get("uri")), _NAME)
    if link is None:
        return wrapped(*args, **kwargs)
    with link:
        connection = wrapped(*args, **kwargs)
    _follow(link, connection)
    return connection


def _follow(link: _links.Link, connection: Any) -> None:
    link.opened(connection)
    code = _code(connection)
    if code is not None:  # lost before it was handed out
        link.lost(code)


def _code(connection: Any) -> str | None:
    """Return why a connection is closed; 13.0 says it in its protocol only."""
    with suppress(Exception):
        code = getattr(getattr(connection, "protocol", connection), "close_code", None)
        return None if code is None else str(int(code))
    return None


async def _receive(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    received = await wrapped(*args, **kwargs)
    link = _links.of(instance)
    if link is not None:
        link.received(received)
    return received


def _receive_sync(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    received = wrapped(*args, **kwargs)
    link = _links.of(instance)
    if link is not None:
        link.received(received)
    return received


def _send(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    link = _links.of(instance)
    if link is not None:
        link.sent(args[0] if args else kwargs.get("message"))
    return wrapped(*args, **kwargs)


def _close(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    link = _links.of(instance)
    if link is not None:
        link.closed()
    return wrapped(*args, **kwargs)


def _lost(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return wrapped(*args, **kwargs)
    finally:
        link = _links.of(instance)
        if link is not None:
            cause = args[0] if args else None
            link.lost(cause if isinstance(cause, BaseException) else _code(instance))


def _pong(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return wrapped(*args, **kwargs)
    finally:
        link = _links.of(instance)
        if link is not None:
            link.pinged(getattr(instance, "latency", None))


async def _ping(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    answer = await wrapped(*args, **kwargs)
    link = _links.of(instance)
    if link is not None:

        def answered(_: object) -> None:
            link.pinged(getattr(instance, "latency", None))

        answer.add_done_callback(answered)
    return answer


class WebsocketsInstrumentor(LazyInstrumentor):
    """Follows every connection that `connect` opens, of whatever subclass."""

    versions = "websockets >= 13, < 18"
    tested = ("13.0", "17.4")
    emits: ClassVar[tuple[Metric, ...]] = _links.EMITS
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
        "websockets.asyncio.client": {"connect.__init__": _made, "connect.__await__": _await},
        "websockets.asyncio.connection": {
            "Connection.recv": _receive,
            "Connection.send": _send,
            "Connection.close": _close,
            "Connection.connection_lost": _lost,
            "Connection.acknowledge_pings": _pong,
        },
        _SYNC: {"connect": _connect, "reconnect.__init__": _made, "reconnect.connect": _connect},
        "websockets.sync.connection": {
            "Connection.recv": _receive_sync,
            "Connection.send": _send,
            "Connection.close": _close,
            "Connection.close_socket": _lost,
            "Connection.acknowledge_pings": _pong,
        },
        "websockets.legacy.client": {"Connect.__init__": _made, "Connect.__await__": _await},
        "websockets.legacy.protocol": {
            "WebSocketCommonProtocol.recv": _receive,
            "WebSocketCommonProtocol.send": _send,
            "WebSocketCommonProtocol.close": _close,
            "WebSocketCommonProtocol.connection_lost": _lost,
            "WebSocketCommonProtocol.ping": _ping,
        },
    }

    def _instrument(self, **kwargs: Any) -> None:
        _links.begin(_NAME)
        super()._instrument(**kwargs)

    def _uninstrument(self, **kwargs: Any) -> None:
        super()._uninstrument(**kwargs)
        _links.end(_NAME)

    def _arrived(self, module: Any) -> None:
        for name in _there(module):
            put(module, name, self.hooks[module.__name__][name])

    def _left(self, module: Any) -> None:
        for name in _there(module):
            take_off(module, name)


def _there(module: Any) -> list[str]:
    """Return what to hook: since 17.4 the synchronous `connect` opens through a class, whose users count as well."""
    names = WebsocketsInstrumentor.hooks[module.__name__]
    if module.__name__ != _SYNC:
        return list(names)
    return [name for name in names if name.startswith("reconnect.") is hasattr(module, "reconnect")]
