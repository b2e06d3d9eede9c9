"""alpaca-py: submit an order over loopback, answered by a thread, and dispatch one trade of a data stream."""

from __future__ import annotations

import asyncio
import json
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import msgpack
from aiohttp import web
from cost import clock, compare, compare_timed

from otel_trading.instrumentation.alpaca import AlpacaInstrumentor

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it uses the legacy classes of websockets
    from alpaca.data.live import StockDataStream
    from alpaca.trading.client import TradingClient
    from alpaca.trading.requests import MarketOrderRequest

MESSAGES = 50
ID = "61e69015-8549-4bfd-b9c3-01e75843f47d"
ORDER = {"symbol": "AAPL", "qty": "10", "side": "buy", "type": "market", "time_in_force": "day", "status": "accepted"}
TRADE = {"T": "t", "S": "AAPL", "i": 1, "x": "V", "p": 100.0, "s": 10, "c": ["@"], "z": "C", "t": msgpack.Timestamp(1)}


class Venue(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet each: two would wait for each other

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({**ORDER, "id": ID, "client_order_id": ID}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


async def data(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_bytes(msgpack.packb([{"T": "success", "msg": "connected"}]))
    await socket.receive()
    return socket


async def handle(_: Any) -> None:
    """Take a trade."""


async def messages() -> None:
    app = web.Application()
    app.router.add_get("/", data)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()

    async def once() -> float:
        stream = StockDataStream("key", "secret", url_override=f"ws://127.0.0.1:{runner.addresses[0][1]}/")
        stream._handlers["trades"]["AAPL"] = handle  # noqa: SLF001  as subscribe_trades does
        await stream._connect()  # noqa: SLF001  as run does
        begin = clock()
        for _ in range(MESSAGES):
            await stream._dispatch(dict(TRADE))  # noqa: SLF001  what run does with each message
        took = (clock() - begin) / MESSAGES
        await stream.stop_ws()
        await stream.close()
        return took

    await compare_timed("alpaca-py: one trade of a data stream", once, AlpacaInstrumentor())
    await runner.cleanup()


with ThreadingHTTPServer(("127.0.0.1", 0), Venue) as server:
    Thread(target=server.serve_forever, daemon=True).start()
    client = TradingClient("key", "secret", url_override=f"http://127.0.0.1:{server.server_port}", raw_data=True)
    order = MarketOrderRequest(symbol="AAPL", qty=10, side="buy", time_in_force="day")
    compare(
        "alpaca-py: submit_order over loopback",
        lambda: client.submit_order(order),
        AlpacaInstrumentor(),
        rounds=300,
        calls=3,
    )
    server.shutdown()
asyncio.run(messages())
