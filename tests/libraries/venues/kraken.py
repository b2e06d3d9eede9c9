"""Kraken spot over REST: an order's reply holds nothing but its id, and errors come with status 200.

A market order is filled at once, as a query of it then says; over 1,000 units there is no money.
"""

from __future__ import annotations

import itertools
import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web

from venues._serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["kraken"]

PAIR = {
    "altname": "XBTUSD", "wsname": "XBT/USD", "aclass_base": "currency", "base": "XXBT", "aclass_quote": "currency",
    "quote": "ZUSD", "lot": "unit", "cost_decimals": 5, "pair_decimals": 1, "lot_decimals": 8, "lot_multiplier": 1,
    "leverage_buy": [], "leverage_sell": [], "fees": [[0, 0.26]], "fees_maker": [[0, 0.16]], "ordermin": "0.0001",
    "fee_volume_currency": "ZUSD", "margin_call": 80, "margin_stop": 40, "costmin": "0.5", "tick_size": "0.1",
    "status": "online",
}  # fmt: skip


class Kraken:
    """One account."""

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.ids = itertools.count(1)
        self.app = web.Application()
        self.app.router.add_route("*", "/0/{kind}/{name}", self.rest)

    async def rest(self, request: web.Request) -> web.Response:
        given: dict[str, Any] = dict(request.query)
        text = await request.text()
        if request.content_type == "application/json":
            given |= json.loads(text)
        elif text:
            given |= {name: str(value) for name, value in (await request.post()).items()}
        result = self.answer(request.match_info["name"], given)
        if isinstance(result, str):
            return web.json_response({"error": [result], "detail": given})
        return web.json_response({"error": [], "result": result})

    def answer(self, name: str, given: dict[str, Any]) -> Any:
        fixed = {
            "AssetPairs": {"XXBTZUSD": PAIR},
            "Assets": {
                "XXBT": {"aclass": "currency", "altname": "XBT", "decimals": 10, "display_decimals": 5},
                "ZUSD": {"aclass": "currency", "altname": "USD", "decimals": 4, "display_decimals": 2},
            },
            "Balance": {"ZUSD": "171288.6158", "XXBT": "1.0"},
            "Time": {"unixtime": int(time.time())},
        }
        asked = {
            "AddOrder": self.add,
            "CancelOrder": self.cancel,
            "QueryOrders": self.query,
            "TradesHistory": self.traded,
        }
        return asked[name](given) if name in asked else fixed[name]

    def cancel(self, given: dict[str, Any]) -> Any:
        if given.get("txid") not in self.orders:
            return "EOrder:Unknown order"
        self.orders[given["txid"]]["status"] = "canceled"
        return {"count": 1}

    def query(self, given: dict[str, Any]) -> Any:
        number = given["txid"]
        return {number: self.orders[number]} if number in self.orders else "EOrder:Invalid order"

    def traded(self, _given: dict[str, Any]) -> Any:
        trades = {trade: self.trade(number, trade) for number, one in self.orders.items() for trade in one["trades"]}
        return {"trades": trades, "count": len(trades)}

    def add(self, given: dict[str, Any]) -> Any:
        if float(given["volume"]) > 1000:
            return "EOrder:Insufficient funds"
        number = f"O{next(self.ids):05}-AAAAA-BBBBBB"
        done = given["ordertype"] == "market"
        words = f"{given['type']} {given['volume']} XBTUSD @ {given['ordertype']} {given.get('price', '')}".strip()
        filled = given["volume"] if done else "0.0"
        self.orders[number] = {
            "refid": None, "userref": 0, "status": "closed" if done else "open", "opentm": time.time(),
            "vol_exec": filled,
            "vol": given["volume"], "fee": "8.0" if done else "0", "price": "50000.0" if done else "0", "misc": "",
            "cost": str(50_000 * float(filled)), "oflags": "fciq", "trades": [f"T{number}"] if done else [],
            "descr": {"pair": "XBTUSD", "type": given["type"], "ordertype": given["ordertype"],
                      "price": given.get("price", "0"), "price2": "0", "leverage": "none", "order": words, "close": ""},
        }  # fmt: skip
        return {"descr": {"order": words}, "txid": [number]}

    def trade(self, number: str, trade: str) -> dict[str, Any]:
        order = self.orders[number]
        return {
            "ordertxid": number, "pair": "XXBTZUSD", "time": time.time(), "type": order["descr"]["type"], "misc": "",
            "ordertype": "market", "price": "50000.0", "cost": order["cost"], "fee": "8.0", "vol": order["vol_exec"],
            "margin": "0", "trade_id": 1, "maker": False, "id": trade,
        }  # fmt: skip


@contextmanager
def kraken() -> Iterator[tuple[Kraken, str]]:
    """Run the venue inside the block; gives it, and its host and port."""
    venue = Kraken()
    with serving(venue.app) as address:
        yield venue, address
