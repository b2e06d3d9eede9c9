"""Puts the venue together: replay, engine, streams, REST."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from otel_trading.demo import market_data
from otel_trading.demo.venue.book import Book
from otel_trading.demo.venue.engine import Engine
from otel_trading.demo.venue.faults import Faults, script
from otel_trading.demo.venue.rest import Rest
from otel_trading.demo.venue.streams import FILLS, Stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ["LINES", "Venue", "serve"]

#: As real venues do, market data comes over several lines.
LINES: Final = {"a": ("AAPL", "MSFT"), "b": ("GOOG", "IBM")}
#: Seconds between two ticks of a symbol at speed 1: a trading day passes in six.
_TICK: Final = 0.1
_LOST: Final = 3


class Venue:
    """The paper venue.

    Args:
        seed: The same seed replays the same ticks.
        speed: Ticks come so many times faster.
        faulty: Whether the scripted faults happen; without, only those of the admin endpoint.
    """

    def __init__(self, *, seed: int = 1, speed: float = 1.0, faulty: bool = True) -> None:
        self.faults = Faults(script(seed) if faulty else [])
        self.streams = {name: Stream(name, symbols, self.faults) for name, symbols in LINES.items()}
        self.fills = Stream(FILLS, itertools.chain(*LINES.values()), self.faults)
        self.engine = Engine((Book(symbol) for symbols in LINES.values() for symbol in symbols), self.fills.send)
        self._line_of = {symbol: stream for stream in self.streams.values() for symbol in stream.symbols}
        self._ticks = {symbol: market_data.replay(symbol, seed=seed) for symbol in self.engine.books}
        self._lossy: set[str] = set()
        self._rest = Rest(self.engine, self.faults, seed)
        self._pause = _TICK / speed
        self.step()  # an order that comes at once finds a price

    def application(self) -> web.Application:
        """Return the server's application; the replay runs as long as it does."""
        application = web.Application(middlewares=[self._rest.middleware])
        application.add_routes(self._rest.routes())
        application.add_routes(
            [
                web.get("/v1/symbols", self._symbols),
                web.get("/v1/market/{line}", self._market),
                web.get("/v1/fills", self.fills.serve),
            ]
        )
        application.cleanup_ctx.append(self._replay)
        return application

    def step(self) -> None:
        """Move every symbol by one tick."""
        for symbol, ticks in self._ticks.items():
            stream = self._line_of[symbol]
            self._lose(stream)
            for message in self.engine.take(next(ticks)):
                stream.send(message)
        if self.fills.dropped:
            self.fills.cut()

    def _lose(self, stream: Stream) -> None:
        """Lose some messages of each symbol, once per gap."""
        if not self.faults.active("gap", stream.name):
            self._lossy.discard(stream.name)
        elif stream.name not in self._lossy:
            self._lossy.add(stream.name)
            for symbol in stream.symbols:
                self.engine.books[symbol].skip(_LOST)

    async def _replay(self, _: web.Application) -> AsyncGenerator[None]:
        async def run() -> None:
            while True:
                await asyncio.sleep(self._pause)
                self.step()

        task = asyncio.create_task(run())
        yield
        for stream in (*self.streams.values(), self.fills):
            stream.cut()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def _symbols(self, _: web.Request) -> web.Response:
        lines: dict[str, Any] = {name: sorted(stream.symbols) for name, stream in self.streams.items()}
        return web.json_response({"currency": "USD", "lines": lines})

    async def _market(self, request: web.Request) -> web.StreamResponse:
        stream = self.streams.get(request.match_info["line"])
        return await stream.serve(request) if stream else web.Response(status=404, text="No such line.\n")


@contextlib.asynccontextmanager
async def serve(venue: Venue, *, host: str = "127.0.0.1", port: int = 0) -> AsyncGenerator[str]:
    """Serve a venue inside the block and give its URL.

    Args:
        venue: What to serve.
        host: Address to listen on.
        port: TCP port; 0 takes a free one.
    """
    runner = web.AppRunner(venue.application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0][1]
        yield f"http://{host}:{bound}"
    finally:
        await runner.cleanup()
