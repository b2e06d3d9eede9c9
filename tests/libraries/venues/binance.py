"""Binance spot: REST, market streams, and the user's stream by listen key and by the WebSocket API.

The market stands at 50,000. What crosses it fills at once, in two halves; what rests stays, but for these prices:
49,999 is filled by half each time that somebody asks for the order, and 49,998 in two halves right after the reply.
Over 1,000 units there is no money.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from venues._serving import serving
from venues.binance_shapes import LIMITS, SYMBOLS, markets, message_of, milliseconds, ticker

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Binance", "binance"]

PRICE = 50_000.0
#: One row for all venues of a process, as no id comes twice at the real one.
IDS = itertools.count(1)
OPEN = {"NEW", "PARTIALLY_FILLED"}


class RefusedError(Exception):
    """A reply with Binance's code and message."""

    def __init__(self, code: int, text: str, data: Any = None) -> None:
        super().__init__(text)
        self.body = {"code": code, "msg": text, "data": data}


@dataclass
class Order:
    id: int
    client_id: str
    symbol: str
    side: str
    type: str
    quantity: float
    price: float
    status: str = "NEW"
    fills: list[dict[str, Any]] = field(default_factory=list)

    @property
    def filled(self) -> float:
        return sum(float(fill["qty"]) for fill in self.fills)

    def body(self) -> dict[str, Any]:
        value = sum(float(fill["qty"]) * float(fill["price"]) for fill in self.fills)
        return {
            "symbol": self.symbol, "orderId": self.id, "orderListId": -1, "clientOrderId": self.client_id,
            "price": f"{self.price:.8f}", "origQty": f"{self.quantity:.8f}", "executedQty": f"{self.filled:.8f}",
            "cummulativeQuoteQty": f"{value:.8f}", "status": self.status, "timeInForce": "GTC", "type": self.type,
            "side": self.side, "time": milliseconds(), "updateTime": milliseconds(), "transactTime": milliseconds(),
            "a field of tomorrow": {"nobody": "knows"},
        }  # fmt: skip


class Binance:
    """One account and its market; what it sent is counted by stream."""

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}
        self.sent: Counter[str] = Counter()
        self.faults: list[tuple[str, int, dict[str, str]]] = []
        self.weight = 0
        self.number = 1
        self.ids, self.trades = IDS, IDS
        self.sockets: dict[web.WebSocketResponse, set[str]] = {}
        self.users: dict[web.WebSocketResponse, int | None] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.app = web.Application()
        self.app.router.add_route("*", "/{api:api|fapi}/{version}/{path:.*}", self.rest)
        self.app.router.add_get("/control/drop", self.drop)
        self.app.router.add_get("/control/skip", self.skip)
        self.app.router.add_get("/ws-api/v3", self.api)
        self.app.router.add_get("/{kind:ws|stream}{rest:.*}", self.stream)
        self.app.on_startup.append(self._start)
        self.app.on_cleanup.append(self._stop)

    async def _start(self, _app: web.Application) -> None:
        self.tasks.add(asyncio.ensure_future(self.publish()))

    async def _stop(self, _app: web.Application) -> None:
        for task in self.tasks:
            task.cancel()

    async def drop(self, _request: web.Request) -> web.Response:
        for socket in list(self.sockets):
            await socket.close(code=1012)
        return web.json_response({})

    async def skip(self, _request: web.Request) -> web.Response:
        """Lose a message of every stream."""
        self.number += 1
        return web.json_response({})

    async def rest(self, request: web.Request) -> web.Response:
        path, given = request.match_info["path"], dict(request.query)
        if request.can_read_body:
            given |= {name: str(value) for name, value in (await request.post()).items()}
        self.weight += 1
        headers = {"X-MBX-USED-WEIGHT-1M": str(self.weight)}
        for fault in self.faults:
            if fault[0] == path:
                self.faults.remove(fault)
                body = {"code": -1003, "msg": f"Too much; {given}"} if fault[1] in {418, 429} else {"detail": given}
                return web.json_response(body, status=fault[1], headers=headers | fault[2])
        if path == "order" and request.method == "POST":
            headers["X-MBX-ORDER-COUNT-10S"] = str(len(self.orders) + 1)
        try:
            return web.json_response(self.answer(request.method, path, given), headers=headers)
        except RefusedError as error:
            return web.json_response(error.body, status=400, headers=headers)

    def answer(self, method: str, path: str, given: dict[str, str]) -> Any:
        symbol = given.get("symbol", "BTCUSDT")
        if path == "order":
            return getattr(self, f"{method.lower()}_order")(given)
        if path == "order/cancelReplace":
            return self.replace(given)
        if path == "batchOrders":
            return self.batch(method, given)
        if path.startswith("ticker/"):
            return ticker(symbol)
        if path == "openOrders":
            return [self.cancel(order) if method == "DELETE" else order.body() for order in self.open(symbol)]
        return getattr(self, f"_{path}", dict)()

    def _myTrades(self) -> Any:  # noqa: N802  Binance's name
        return [
            {**fill, "id": fill["tradeId"], "orderId": order.id, "symbol": order.symbol, "isMaker": True,
             "isBuyer": order.side == "BUY", "time": milliseconds()}
            for order in self.orders.values() for fill in order.fills
        ]  # fmt: skip

    def _account(self) -> Any:
        balances = [{"asset": "USDT", "free": "1000.0", "locked": "5.0"}]
        return {"balances": balances, "makerCommission": 10, "accountType": "SPOT", "updateTime": milliseconds()}

    def _exchangeInfo(self) -> Any:  # noqa: N802  Binance's name
        return {"timezone": "UTC", "serverTime": milliseconds(), "rateLimits": LIMITS, "symbols": markets()}

    def _userDataStream(self) -> Any:  # noqa: N802  Binance's name
        return {"listenKey": "PLANTEDlistenkey"}

    def _depth(self) -> Any:
        return {"lastUpdateId": self.number, "bids": [["49990", "1"]], "asks": [["50010", "1"]]}

    def _time(self) -> Any:
        return {"serverTime": milliseconds()}

    def post_order(self, given: dict[str, str]) -> dict[str, Any]:
        quantity, price = float(given["quantity"]), float(given.get("price", 0))
        if quantity > 1000:
            raise RefusedError(-2010, "Account has insufficient balance for requested action.", given)
        buys, kind = given["side"] == "BUY", given["type"]
        crosses = kind == "MARKET" or (price >= PRICE if buys else price <= PRICE)
        if kind == "LIMIT_MAKER" and crosses:
            raise RefusedError(-2010, "Order would immediately match and take.")
        number = next(self.ids)
        client_id = given.get("newClientOrderId", f"venue-{number}")
        order = Order(number, client_id, given["symbol"], given["side"], kind, quantity, price)
        self.orders[number] = order
        self.report(order, "NEW")
        if crosses:
            self.fill(order, quantity / 2)
            self.fill(order, quantity / 2, PRICE + 10)
        elif price == 49_998:
            task = asyncio.ensure_future(self._later(order))
            self.tasks.add(task)
        return {**order.body(), "fills": order.fills}

    def batch(self, method: str, given: dict[str, str]) -> list[dict[str, Any]]:
        """Futures take several orders at once, or cancel them, and answer each by itself, without its fills."""
        if method == "DELETE":
            return [self.delete_order({"orderId": str(one)}) for one in json.loads(given["orderIdList"])]
        return [self.post_future(one) for one in json.loads(given["batchOrders"])]

    def post_future(self, given: dict[str, str]) -> dict[str, Any]:
        try:
            order = self.post_order(given)
        except RefusedError as error:
            return error.body
        filled, value = float(order["executedQty"]), float(order.pop("cummulativeQuoteQty"))
        return {**order, "fills": None, "avgPrice": str(value / filled if filled else 0.0)}

    def replace(self, given: dict[str, str]) -> dict[str, Any]:
        """Cancel an order and take another one in its place; a cancel that fails may end it."""
        told: dict[str, Any] = {"newOrderResponse": None, "newOrderResult": "NOT_ATTEMPTED"}
        try:
            canceled = self.delete_order({"orderId": given["cancelOrderId"]})
            told |= {"cancelResult": "SUCCESS", "cancelResponse": canceled}
        except RefusedError as error:
            told |= {"cancelResult": "FAILURE", "cancelResponse": error.body}
            if given["cancelReplaceMode"] == "STOP_ON_FAILURE":
                raise RefusedError(-2022, "Order cancel-replace failed.", told) from error
        try:
            told |= {"newOrderResult": "SUCCESS", "newOrderResponse": self.post_order(given)}
        except RefusedError as error:
            told |= {"newOrderResult": "FAILURE", "newOrderResponse": error.body}
        if "FAILURE" in {told["cancelResult"], told["newOrderResult"]}:
            raise RefusedError(-2021, "Order cancel-replace partially failed.", told)
        return told

    async def _later(self, order: Order) -> None:
        for _ in range(2):
            await asyncio.sleep(0.05)
            self.fill(order, order.quantity / 2)

    def get_order(self, given: dict[str, str]) -> dict[str, Any]:
        order = self.find(given)
        if order.price == 49_999 and order.status in OPEN:
            self.fill(order, order.quantity / 2)
        return order.body()

    def delete_order(self, given: dict[str, str]) -> dict[str, Any]:
        order = self.find(given)
        if order.status not in OPEN:
            raise RefusedError(-2011, "Unknown order sent.")
        return self.cancel(order)

    def find(self, given: dict[str, str]) -> Order:
        for order in self.orders.values():
            if str(order.id) == given.get("orderId") or order.client_id == given.get("origClientOrderId"):
                return order
        raise RefusedError(-2013 if "timestamp" in given else -2011, "Order does not exist.")

    def open(self, symbol: str) -> list[Order]:
        return [one for one in self.orders.values() if one.symbol == symbol and one.status in OPEN]

    def cancel(self, order: Order) -> dict[str, Any]:
        order.status = "CANCELED"
        self.report(order, "CANCELED")
        return {**order.body(), "origClientOrderId": order.client_id}

    def fill(self, order: Order, quantity: float, price: float = PRICE) -> None:
        at = min(price, order.price) if order.price and order.side == "BUY" else price
        fill = {
            "price": f"{at:.8f}", "qty": f"{quantity:.8f}", "commission": f"{at * quantity / 1000:.8f}",
            "commissionAsset": SYMBOLS[order.symbol][1], "tradeId": next(self.trades),
        }  # fmt: skip
        order.fills.append(fill)
        order.status = "FILLED" if order.filled >= order.quantity - 1e-12 else "PARTIALLY_FILLED"
        self.report(order, "TRADE", fill)

    def report(self, order: Order, what: str, fill: dict[str, Any] | None = None) -> None:
        last = fill or {"qty": "0", "price": "0", "commission": "0", "commissionAsset": None, "tradeId": -1}
        event = {
            "e": "executionReport", "E": milliseconds(), "s": order.symbol, "c": order.client_id, "S": order.side,
            "o": order.type, "f": "GTC", "q": f"{order.quantity:.8f}", "p": f"{order.price:.8f}", "P": "0", "F": "0",
            "g": -1, "C": "", "x": what, "X": order.status, "r": "NONE", "i": order.id, "l": last["qty"],
            "z": f"{order.filled:.8f}", "L": last["price"], "n": last["commission"], "N": last["commissionAsset"],
            "T": milliseconds(), "t": last["tradeId"], "w": True, "m": False, "O": milliseconds(), "Z": "0", "Y": "0",
        }  # fmt: skip
        for socket, number in list(self.users.items()):
            message = event if number is None else {"subscriptionId": number, "event": event}
            self._send(socket, message)
            self.sent["user"] += 1

    def _send(self, socket: web.WebSocketResponse, message: Any) -> None:
        task = asyncio.ensure_future(self._try(socket, json.dumps(message)))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _try(self, socket: web.WebSocketResponse, text: str) -> None:
        if not socket.closed:
            await socket.send_str(text)

    async def api(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets[socket] = set()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self._send(socket, self._call(socket, json.loads(message.data)))
        self.sockets.pop(socket, None)
        self.users.pop(socket, None)
        return socket

    def _call(self, socket: web.WebSocketResponse, asked: dict[str, Any]) -> dict[str, Any]:
        method, given = asked["method"], {name: str(value) for name, value in asked.get("params", {}).items()}
        result: Any = {}
        try:
            if method.startswith("userDataStream.subscribe"):
                self.users[socket], result = 0, {"subscriptionId": 0}
            elif method.startswith("order."):
                verb = {"order.place": "post", "order.cancel": "delete", "order.status": "get"}[method]
                result = getattr(self, f"{verb}_order")(given)
        except RefusedError as error:
            return {"id": asked["id"], "status": 400, "error": error.body}
        return {"id": asked["id"], "status": 200, "result": result}

    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        last = request.path.rpartition("/")[2]
        if last.startswith("PLANTED"):
            self.users[socket] = None
        named = request.query.get("streams", last if "@" in last else "")
        self.sockets[socket] = set(named.split("/")) - {""}
        async for message in socket:
            asked = json.loads(message.data)
            if asked.get("method") == "SUBSCRIBE":
                self.sockets[socket].update(asked["params"])
            elif asked.get("method") == "UNSUBSCRIBE":
                self.sockets[socket].difference_update(asked["params"])
            self._send(socket, {"result": None, "id": asked.get("id")})
        self.sockets.pop(socket, None)
        self.users.pop(socket, None)
        return socket

    async def publish(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            self.number += 1
            for socket, streams in list(self.sockets.items()):
                for stream in sorted(streams):
                    self._send(socket, message_of(stream, self.number))
                    self.sent[stream] += 1


@contextmanager
def binance() -> Iterator[tuple[Binance, str]]:
    """Run the venue inside the block; gives it, and its host and port."""
    venue = Binance()
    with serving(venue.app) as address:
        yield venue, address
