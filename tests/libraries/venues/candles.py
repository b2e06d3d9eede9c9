"""The public part of Binance's spot REST API on loopback: two markets, minute candles and a book of one price."""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

__all__ = ["PRICE", "Candles"]

PRICE: Final = 100.0
_MINUTE: Final = 60_000
_FILTERS: Final = [
    {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
    {"filterType": "LOT_SIZE", "minQty": "0.0001", "maxQty": "9000", "stepSize": "0.0001"},
    {"filterType": "NOTIONAL", "minNotional": "5"},
]


class Candles(ThreadingHTTPServer):
    """Serves while its `with` block is open."""

    daemon_threads = True

    def __init__(self) -> None:
        #: Of the next requests for a book, how many it refuses.
        self.refused = 0
        super().__init__(("127.0.0.1", 0), _Handler)
        Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def server_close(self) -> None:
        """End, as the `with` block around it does."""
        self.shutdown()
        super().server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        what = parts.path.rpartition("/")[2]
        refused = self._refuses(what)
        answer = None if refused else _answer(what, asked)
        body = json.dumps({"code": -1} if answer is None else answer).encode()
        self.send_response(503 if refused else 404 if answer is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuses(self, what: str) -> bool:
        assert isinstance(self.server, Candles)
        refuses = what == "depth" and self.server.refused > 0
        self.server.refused -= refuses
        return refuses

    def log_message(self, *_: object) -> None:
        pass


def _answer(what: str, asked: dict[str, str]) -> Any:
    now = int(time.time() * 1000)
    if what == "time":
        return {"serverTime": now}
    if what == "exchangeInfo":
        return {"timezone": "UTC", "serverTime": now, "symbols": [_market(base) for base in ("BTC", "ETH")]}
    if what == "klines":
        return [_candle(moment) for moment in _minutes(asked, now)]
    if what == "depth":
        return {"lastUpdateId": 1, "bids": [[str(PRICE), "1000"]], "asks": [[str(PRICE), "1000"]]}
    if what in {"24hr", "bookTicker"}:
        tickers = [_ticker(f"{base}USDT", now) for base in ("BTC", "ETH")]
        return next((one for one in tickers if one["symbol"] == asked.get("symbol")), tickers)
    return None


def _market(base: str) -> dict[str, Any]:
    return {
        "symbol": f"{base}USDT",
        "status": "TRADING",
        "baseAsset": base,
        "quoteAsset": "USDT",
        "baseAssetPrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"],
        "isSpotTradingAllowed": True,
        "permissions": ["SPOT"],
        "permissionSets": [["SPOT"]],
        "filters": _FILTERS,
    }


def _minutes(asked: dict[str, str], now: int) -> list[int]:
    limit = int(asked.get("limit", 500))
    last = now // _MINUTE * _MINUTE
    first = int(asked["startTime"]) if "startTime" in asked else last - (limit - 1) * _MINUTE
    return list(range(-(-first // _MINUTE) * _MINUTE, last + 1, _MINUTE))[:limit]


def _candle(moment: int) -> list[Any]:
    price = str(PRICE)
    return [moment, price, price, price, price, "10", moment + _MINUTE - 1, "1000", 10, "5", "500", "0"]


def _ticker(symbol: str, now: int) -> dict[str, Any]:
    price = str(PRICE)
    names = ("lastPrice", "bidPrice", "askPrice", "openPrice", "highPrice", "lowPrice", "weightedAvgPrice")
    sizes = {"bidQty": "1000", "askQty": "1000", "volume": "1000", "quoteVolume": "100000", "priceChange": "0"}
    return {"symbol": symbol, **dict.fromkeys(names, price), **sizes, "openTime": now - 1, "closeTime": now}
