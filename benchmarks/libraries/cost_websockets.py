"""websockets: receive one trade of Binance, by asyncio over loopback; a server in the same loop sends it."""

from __future__ import annotations

import asyncio
import os

from cost import clock, compare_timed
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from otel_trading.instrumentation.websockets import WebsocketsInstrumentor

MESSAGES = 50
TRADE = '{"e":"trade","E":1672515782136,"s":"BNBBTC","t":%d,"p":"0.001","q":"100","T":1672515782136,"m":true,"M":true}'


async def trades(connection: ServerConnection) -> None:
    for number in range(MESSAGES):
        await connection.send(TRADE % number)
    await connection.wait_closed()


async def main() -> None:
    os.environ["OTEL_TRADING_VENUE_HOSTS"] = "127.0.0.1=binance"
    async with serve(trades, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]

        async def once() -> float:
            async with connect(f"ws://127.0.0.1:{port}/ws", compression=None) as connection:
                begin = clock()
                for _ in range(MESSAGES):
                    await connection.recv()
                return (clock() - begin) / MESSAGES

        await compare_timed("websockets: one message over loopback", once, WebsocketsInstrumentor())


asyncio.run(main())
