"""A venue's WebSocket server on loopback: it trades, loses connections, and says heartbeats where data is dead."""

from __future__ import annotations

import asyncio
import json
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Feed"]

HEARTBEAT = {"channel": "heartbeat"}


def trade(number: int) -> dict[str, object]:
    """Return a trade as Binance sends it."""
    return {"e": "trade", "E": 1672515782136, "s": "BTCUSDT", "t": number, "p": "64000.1", "q": "0.5", "m": True}


def book(kind: str) -> dict[str, object]:
    """Return a book as Kraken sends it."""
    return {"channel": "book", "type": kind, "data": [{"symbol": "BTC/USD", "bids": [{"price": 1.5, "qty": 2}]}]}


class Feed:
    """Serves, in a thread of its own, until its `with` block ends; `port` is where.

    `/ws/btcusdt@trade` sends trades 1 2 3 5 6 and drops the first connection, and 7 8 over each further one.
    `/v2` answers a subscription, then sends a book, three updates and heartbeats. `/dead` answers and sends heartbeats
    only. `/stream` sends trades of BTCUSDT ten times a second, whatever was asked for. `/polite` sends a trade and
    closes by the protocol. `/echo` sends back what it gets. Over REST, `/order` tells of a budget and `/limited`
    refuses; `/slow` never answers. Others answer 404.
    """

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self._ready, self._loop = Event(), asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._thread = Thread(target=lambda: self._loop.run_until_complete(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self) -> None:
        app = web.Application()
        app.router.add_get("/ws/{stream}", self._trades)
        app.router.add_get("/v2", self._books)
        app.router.add_get("/dead", self._dead)
        app.router.add_get("/stream", self._stream)
        app.router.add_get("/slow", self._slow)
        app.router.add_get("/polite", self._polite)
        app.router.add_get("/echo", self._echo)
        app.router.add_get("/order", _order)
        app.router.add_get("/limited", _limited)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._over.wait()
        await runner.cleanup()

    async def _trades(self, request: web.Request) -> web.WebSocketResponse:
        socket = await _accepted(request)
        self.connections += 1
        numbers = (1, 2, 3, 5, 6) if self.connections == 1 else (7, 8)
        for number in numbers:
            await socket.send_str(json.dumps(trade(number), separators=(",", ":")))
        if self.connections == 1:
            await socket.receive()  # the bot has them all before it loses the connection
            assert request.transport
            request.transport.abort()
            return socket
        return await _stay(socket, None)

    async def _books(self, request: web.Request) -> web.WebSocketResponse:
        socket = await _accepted(request)
        await _answer(socket)
        for kind in ("snapshot", "update", "update", "update"):
            await socket.send_str(json.dumps(book(kind)))
        return await _stay(socket, HEARTBEAT)

    async def _dead(self, request: web.Request) -> web.WebSocketResponse:
        socket = await _accepted(request)
        await _answer(socket)
        return await _stay(socket, HEARTBEAT)

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = await _accepted(request)
        return await _stay(socket, {"stream": "btcusdt@trade", "data": trade(1)})

    async def _slow(self, _: web.Request) -> web.Response:
        await self._over.wait()
        return web.Response(status=503)

    async def _polite(self, request: web.Request) -> web.WebSocketResponse:
        socket = await _accepted(request)
        await socket.send_str(json.dumps(trade(1)))
        await socket.receive()
        await socket.close()
        return socket

    async def _echo(self, request: web.Request) -> web.WebSocketResponse:
        socket = await _accepted(request)
        async for message in socket:
            if message.type is web.WSMsgType.TEXT:
                await socket.send_str(message.data)
            elif message.type is web.WSMsgType.BINARY:
                await socket.send_bytes(message.data)
        return socket


async def _order(_: web.Request) -> web.Response:
    return web.Response(text="ok", headers={"X-MBX-USED-WEIGHT-1M": "17"})


async def _limited(_: web.Request) -> web.Response:
    return web.Response(status=429, headers={"X-RateLimit-Limit": "9", "X-RateLimit-Remaining": "2"})


async def _accepted(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    return socket


async def _answer(socket: web.WebSocketResponse) -> None:
    asked = await socket.receive_json()
    await socket.send_json({"method": asked["method"], "result": asked["params"], "success": True})


async def _stay(socket: web.WebSocketResponse, heartbeat: dict[str, Any] | None) -> web.WebSocketResponse:
    """Read what the bot says until it goes, with a heartbeat now and then."""
    reading = asyncio.ensure_future(socket.receive())
    while True:
        await asyncio.wait([reading], timeout=0.1)
        if reading.done():
            if reading.result().type in {web.WSMsgType.CLOSE, web.WSMsgType.CLOSED, web.WSMsgType.CLOSING}:
                return socket
            reading = asyncio.ensure_future(socket.receive())
        elif heartbeat is not None:
            await socket.send_json(heartbeat)
