"""Alpaca on loopback: its REST of orders, its stream of trade updates, and its stream of market data in msgpack."""

from __future__ import annotations

import asyncio
import json
import uuid
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import msgpack
from aiohttp import web

from venues._serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ACCOUNT", "FAR", "Alpaca", "alpaca", "order_of"]

ACCOUNT = "/stream"
NOW = "2026-11-20T15:00:00.123456789Z"
#: No test lasts so long.
FAR = "2100-01-04T21:00:00Z"
PRICE = 100.0


def order_of(body: dict[str, Any]) -> dict[str, Any]:
    """Return an order as Alpaca tells of it."""
    return {
        "id": str(uuid.uuid4()),
        "client_order_id": str(uuid.uuid4()),
        "created_at": NOW,
        "updated_at": NOW,
        "submitted_at": NOW,
        "asset_id": str(uuid.uuid4()),
        "asset_class": "us_equity",
        "filled_qty": "0",
        "filled_avg_price": None,
        "order_class": "",
        "order_type": body.get("type", "market"),
        "time_in_force": "day",
        "extended_hours": False,
        "status": "pending_new",
        "a_field_of_tomorrow": {"deep": [1]},
        **{name: value for name, value in body.items() if value is not None},
    }


class Alpaca:
    """Fills market orders in two halves and tells of each half twice; limit orders rest.

    An order in BROKE is refused, one in CRASH fails, one in BUSY is told to come again. The first data stream is
    dropped after three trades and two quotes of AAPL, each further one sends two trades and is silent.
    """

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.streams: list[web.WebSocketResponse] = []
        self.hours: dict[str, Any] = {"is_open": True, "next_open": FAR, "next_close": FAR}
        self.busy = True
        self.data_streams = 0
        self.told = 0

    def app(self) -> web.Application:
        """Return what is served."""
        app = web.Application()
        app.router.add_post("/v2/orders", self._submit)
        app.router.add_get("/v2/orders", self._list)
        app.router.add_delete("/v2/orders", self._cancel_all)
        app.router.add_patch("/v2/orders/{id}", self._replace)
        app.router.add_delete("/v2/orders/{id}", self._cancel)
        app.router.add_delete("/v2/positions/{symbol}", self._close)
        app.router.add_get("/v2/clock", self._clock)
        app.router.add_get(ACCOUNT, self._updates)
        app.router.add_get("/v2/iex", self._data)
        return app

    async def _submit(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body["symbol"] == "BROKE":
            refusal = {"code": 40310000, "message": "insufficient buying power PLANTED"}
            return web.json_response(refusal, status=403)
        if body["symbol"] == "CRASH":
            return web.Response(status=500, text="PLANTED")
        if body["symbol"] == "BUSY" and self.busy:
            self.busy = False
            return web.json_response({"message": "too many requests"}, status=429)
        return await self._new(body)

    async def _new(self, body: dict[str, Any]) -> web.Response:
        order = order_of(body)
        self.orders[order["id"]] = order
        reply = web.json_response(order)
        await self._tell("pending_new", order)
        await self._tell("new", order)
        if order["type"] == "market":
            await self._fill(order)
        return reply

    async def _fill(self, order: dict[str, Any]) -> None:
        half = float(order["qty"]) / 2
        for event, filled in (("partial_fill", half), ("fill", 2 * half)):
            order["status"] = {"partial_fill": "partially_filled", "fill": "filled"}[event]
            order |= {"filled_qty": str(filled), "filled_avg_price": str(PRICE)}
            told = {"execution_id": str(uuid.uuid4()), "price": str(PRICE), "qty": str(half), "position_qty": "1"}
            for _ in range(2):
                await self._tell(event, order, **told)

    async def _replace(self, request: web.Request) -> web.Response:
        old = self.orders[request.match_info["id"]]
        body = {name: old[name] for name in ("symbol", "side", "type", "qty", "limit_price")}
        new = order_of({**body, **await request.json(), "replaces": old["id"], "status": "new"})
        self.orders[new["id"]] = new
        old |= {"status": "replaced", "replaced_by": new["id"]}
        reply = web.json_response({**new, "status": "accepted"})
        await self._tell("replaced", old)
        await self._tell("new", new)
        return reply

    async def _cancel(self, request: web.Request) -> web.Response:
        order = self.orders[request.match_info["id"]]
        order["status"] = "canceled"
        asyncio.get_running_loop().call_later(0.2, asyncio.ensure_future, self._tell("canceled", order))
        return web.Response(status=204)

    async def _cancel_all(self, _: web.Request) -> web.Response:
        return web.json_response([{"id": name, "status": 200} for name in self.orders], status=207)

    async def _close(self, request: web.Request) -> web.Response:
        symbol = request.match_info["symbol"]
        return await self._new({"symbol": symbol, "side": "sell", "type": "market", "qty": "10"})

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response(list(self.orders.values()))

    async def _clock(self, _: web.Request) -> web.Response:
        return web.json_response({"timestamp": NOW, **self.hours})

    async def _tell(self, event: str, order: dict[str, Any], **more: str) -> None:
        now = datetime.now(timezone.utc).isoformat()
        message = {"stream": "trade_updates", "data": {"event": event, "order": dict(order), "timestamp": now, **more}}
        for stream in self.streams:
            await stream.send_bytes(json.dumps(message).encode())
            self.told += 1

    async def _updates(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            asked = json.loads(message.data)
            if asked["action"] == "authenticate":
                answer = {"stream": "authorization", "data": {"status": "authorized", "action": "authenticate"}}
            else:
                answer = {"stream": "listening", "data": asked["data"]}
                self.streams.append(socket)
            await socket.send_bytes(json.dumps(answer).encode())
        return socket

    async def _data(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_bytes(msgpack.packb([{"T": "success", "msg": "connected"}]))
        await socket.receive()
        await socket.send_bytes(msgpack.packb([{"T": "success", "msg": "authenticated"}]))
        asked = msgpack.unpackb((await socket.receive()).data)
        await socket.send_bytes(msgpack.packb([{"T": "subscription", "trades": asked.get("trades", [])}]))
        self.data_streams += 1
        await socket.send_bytes(msgpack.packb([trade(1), trade(2)]))
        if self.data_streams == 1:
            await socket.send_bytes(msgpack.packb([trade(3), quote(), quote()]))
            await asyncio.sleep(0.3)  # the bot has them before it loses the stream
            assert request.transport
            request.transport.abort()
            return socket
        await socket.receive()
        return socket


def trade(number: int) -> dict[str, Any]:
    """Return a trade as the stream brings it."""
    stamp = msgpack.Timestamp.from_unix(1_700_000_000 + number)
    return {"T": "t", "S": "AAPL", "i": number, "x": "V", "p": PRICE, "s": 10, "c": ["@"], "t": stamp, "z": "C"}


def quote() -> dict[str, Any]:
    """Return a quote as the stream brings it."""
    sides = {"bx": "V", "bp": PRICE, "bs": 1, "ax": "V", "ap": PRICE, "as": 1}
    return {"T": "q", "S": "AAPL", "c": ["R"], "z": "C", "t": msgpack.Timestamp.from_unix(1_700_000_000), **sides}


@contextmanager
def alpaca() -> Iterator[tuple[Alpaca, str]]:
    """Serve inside the block; gives the venue, and its host with the port."""
    venue = Alpaca()
    with serving(venue.app()) as place:
        yield venue, place
