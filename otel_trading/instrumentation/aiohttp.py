"""aiohttp: what a venue's replies tell of its budgets and its clock, and the WebSockets that a bot opened to venues.

| Read                                                   | Emitted                                                    |
| ------------------------------------------------------ | ---------------------------------------------------------- |
| X-MBX-USED-WEIGHT-1M, X-RateLimit-* and the like, Date | what `otel_trading.instrumentation.requests` emits         |
| each attempt to connect, and what it failed with       | `trading.venue.request.duration` of the operation connect  |
| open, lost; closed by the bot ends it                  | `trading.connection.status`, `.uptime`, `.reconnects`      |
| a message with data, when the bot receives it          | `trading.market_data.messages`; starts `.age` again        |
| a subscription that the bot sends or that the URL is   | starts `trading.market_data.age`                           |
| ids of trades, of Binance and Coinbase Exchange        | `trading.market_data.gaps`                                 |
| times in messages of the venues named there            | `trading.market_data.delay`                                |

What is data, how connections are named and what is left out: as `otel_trading.instrumentation.websockets` says. Pings
are not timed: aiohttp keeps pongs to itself. A loss is noticed when the bot receives, as aiohttp tells it then, else a
second after the connection broke. A session that is closed closes what it opened. What ccxt opens is reported by its
own instrumentation. OpenTelemetry's own package traces and times requests.
"""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from otel_trading.instrumentation import _links, _replies
from otel_trading.instrumentation._hooks import LazyInstrumentor, quietly

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.semconv import Metric

__all__ = ["AiohttpInstrumentor"]

_NAME: Final = "aiohttp"
#: Of aiohttp's WSMsgType, which are numbers of RFC 6455 and own ones.
_TEXT: Final = 1
_BINARY: Final = 2
#: Seconds in which a bot that receives learns of a loss.
_PATIENCE: Final = 1.0
_GONE: Final = frozenset({8, 256, 257, 258})  # close, closing, closed, error


async def _request(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    sent = time.time()
    try:
        response = await wrapped(*args, **kwargs)
    except Exception as error:
        if hasattr(error, "request_info"):  # raise_for_status
            _read_error(error, sent)
        raise
    _replies.read(response, sent)
    return response


@quietly
def _read_error(error: Any, sent: float) -> None:
    reply = SimpleNamespace(url=error.request_info.real_url, status=error.status, headers=error.headers or {})
    _replies.read(reply, sent)


async def _connect(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    link = _links.opening(_url(instance, args[0] if args else kwargs.get("url")), _NAME, owner=instance)
    if link is None:
        return await wrapped(*args, **kwargs)
    with link:
        connection = await wrapped(*args, **kwargs)
    link.opened(connection)
    _follow(link, connection)
    return connection


def _url(session: Any, url: object) -> object:
    try:
        return session._build_url(url)  # noqa: SLF001  a session may have a base URL
    except Exception:  # noqa: BLE001  what it cannot read it says itself
        return url


@quietly
def _follow(link: _links.Link, connection: Any) -> None:
    _links.attach(link, connection._conn.protocol)  # noqa: SLF001  where a loss is told that the bot does not receive


def _broken(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return wrapped(*args, **kwargs)
    finally:
        if (link := _links.of(instance)) is not None:
            _lost_soon(link, *args, **kwargs)


@quietly
def _lost_soon(link: _links.Link, exc: BaseException | None) -> None:
    asyncio.get_running_loop().call_later(_PATIENCE, link.lost, exc)  # what the bot receives may tell better why


async def _session_close(
    wrapped: Callable[..., Any], session: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    _links.end_of(session)
    return await wrapped(*args, **kwargs)


async def _receive(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    link = _links.of(instance)
    if link is None:
        return await wrapped(*args, **kwargs)
    link.reader = asyncio.current_task()
    try:
        message = await wrapped(*args, **kwargs)
    finally:
        link.reader = None
    if message.type in _GONE:
        link.lost(_cause(instance, message))
    elif message.type in {_TEXT, _BINARY}:
        link.received(message.data)
    return message


def _cause(connection: Any, message: Any = None) -> BaseException | str | None:
    data, code = getattr(message, "data", None), getattr(connection, "close_code", None)
    return data if isinstance(data, BaseException) else None if code is None else str(int(code))


def _send(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    link = _links.of(instance)
    if link is not None:
        link.sent(args[0] if args else kwargs.get("data"))
    return wrapped(*args, **kwargs)


def _close(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    link = _links.of(instance)
    if link is not None and (link.reader is None or link.reader is not asyncio.current_task()):
        link.closed()  # else aiohttp closes, because the venue did: what `receive` returns tells why
    return wrapped(*args, **kwargs)


class AiohttpInstrumentor(LazyInstrumentor):
    """Reads replies of every `ClientSession`, of redirects the last one, and follows the WebSockets it opens."""

    versions = "aiohttp >= 3.9, < 4"
    tested = ("3.9.0", "3.14.5")
    emits: ClassVar[tuple[Metric, ...]] = (
        *_replies.EMITS,
        *(one for one in _links.EMITS if not one.name.startswith("trading.connection.ping")),
    )
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
        "aiohttp.client": {
            "ClientSession._request": _request,
            "ClientSession._ws_connect": _connect,
            "ClientSession.close": _session_close,
        },
        "aiohttp.client_proto": {"ResponseHandler.connection_lost": _broken},
        "aiohttp.client_ws": {
            "ClientWebSocketResponse.receive": _receive,
            "ClientWebSocketResponse.send_str": _send,
            "ClientWebSocketResponse.send_bytes": _send,
            "ClientWebSocketResponse.close": _close,
        },
    }

    def _instrument(self, **kwargs: Any) -> None:
        _links.begin(_NAME)
        super()._instrument(**kwargs)

    def _uninstrument(self, **kwargs: Any) -> None:
        super()._uninstrument(**kwargs)
        _links.end(_NAME)
