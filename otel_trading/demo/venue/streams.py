"""The WebSocket streams: who listens to which line, and what each of them gets."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any, Final

from aiohttp import WSCloseCode, WSMsgType, web

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_trading.demo.venue.faults import Faults

__all__ = ["FILLS", "Stream"]

FILLS: Final = "fills"
#: A client that reads too slowly is cut off after so many messages: the others must not wait for it.
_QUEUE: Final = 10_000


class _Client:
    """One connection: a queue of what it still has to get, and the word to end."""

    def __init__(self, symbols: Iterable[str]) -> None:
        self.symbols = set(symbols)
        self.queue: asyncio.Queue[str] = asyncio.Queue(_QUEUE)
        self.end = asyncio.Event()

    def put(self, text: str) -> None:
        if self.queue.full():
            self.end.set()
        else:
            self.queue.put_nowait(text)


class Stream:
    """One line of market data, or the private stream of fills.

    Args:
        name: `fills`, or what the market data line is called.
        symbols: What it carries.
        faults: Silence and drops.
    """

    def __init__(self, name: str, symbols: Iterable[str], faults: Faults) -> None:
        self.name = name
        self.symbols = frozenset(symbols)
        self._faults = faults
        self._clients: set[_Client] = set()

    @property
    def dropped(self) -> bool:
        """Whether no connection is allowed now."""
        return self._faults.active("drop", self.name)

    def send(self, message: dict[str, Any]) -> None:
        """Give a message to everybody who listens to its symbol."""
        if self.dropped:
            self.cut()
        elif not self._faults.active("silence", self.name):
            text = json.dumps(message)
            for client in self._clients:
                if message["symbol"] in client.symbols:
                    client.put(text)

    def cut(self) -> None:
        """End every connection."""
        for client in self._clients:
            client.end.set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until either side ends it."""
        if self.dropped:
            return web.json_response({"error": {"reason": "other", "text": "The line is down."}}, status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        # Whoever may hear of fills hears of all of them; market data is subscribed by symbol.
        client = _Client(self.symbols if self.name == FILLS else ())
        self._clients.add(client)
        work = [
            asyncio.ensure_future(job) for job in (self._read(socket, client), _write(socket, client), _end(client))
        ]
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._clients.discard(client)
            for job in work:
                job.cancel()
            await asyncio.gather(*work, return_exceptions=True)
        await socket.close(code=WSCloseCode.GOING_AWAY)
        return socket

    async def _read(self, socket: web.WebSocketResponse, client: _Client) -> None:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                client.put(json.dumps(self._answer(message.data, client)))

    def _answer(self, text: str, client: _Client) -> dict[str, Any]:
        try:
            request = json.loads(text)
            operation = request["op"]
            if operation == "ping":
                return {"type": "pong", "time": time.time()}
            if operation == "subscribe" and self.symbols.issuperset(request["symbols"]):
                client.symbols |= set(request["symbols"])
                return {"type": "subscribed", "symbols": sorted(client.symbols)}
        except (ValueError, KeyError, TypeError) as error:
            return {"type": "error", "text": f"Cannot read that: {error!r}"}
        return {"type": "error", "text": f"subscribe (to some of {sorted(self.symbols)}) or ping is needed."}


async def _write(socket: web.WebSocketResponse, client: _Client) -> None:
    while True:
        await socket.send_str(await client.queue.get())


async def _end(client: _Client) -> None:
    await client.end.wait()
