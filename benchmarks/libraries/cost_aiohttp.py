"""aiohttp: a GET over loopback on a session kept open, and one trade of Binance over a WebSocket, from one server."""

from __future__ import annotations

import asyncio
import os

import aiohttp
from aiohttp import web
from cost import clock, compare_async, compare_timed

from otel_trading.instrumentation.aiohttp import AiohttpInstrumentor

MESSAGES = 50
TRADE = '{"e":"trade","E":1672515782136,"s":"BNBBTC","t":%d,"p":"0.001","q":"100","T":1672515782136,"m":true,"M":true}'


async def order(_: web.Request) -> web.Response:
    return web.Response(text="ok", headers={"X-MBX-USED-WEIGHT-1M": "17", "X-MBX-ORDER-COUNT-10S": "1"})


async def trades(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    for number in range(MESSAGES):
        await socket.send_str(TRADE % number)
    await socket.receive()
    return socket


async def main() -> None:
    os.environ["OTEL_TRADING_VENUE_HOSTS"] = "127.0.0.1=binance"
    app = web.Application()
    app.router.add_get("/order", order)
    app.router.add_get("/ws", trades)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as session:

        async def call() -> None:
            async with session.get("/order") as answer:
                await answer.read()

        async def message() -> float:
            async with session.ws_connect("/ws") as socket:
                begin = clock()
                for _ in range(MESSAGES):
                    await socket.receive()
                return (clock() - begin) / MESSAGES

        await compare_async("aiohttp: GET over loopback", call, AiohttpInstrumentor(), rounds=200)
        await compare_timed("aiohttp: one message over loopback", message, AiohttpInstrumentor())
    await runner.cleanup()


asyncio.run(main())
