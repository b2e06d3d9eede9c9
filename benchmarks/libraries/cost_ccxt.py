"""ccxt: a fetch_ticker and an order over loopback, answered with Binance's headers, and one update of a stream."""

from __future__ import annotations

import asyncio
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import ccxt
import ccxt.pro
from cost import compare, compare_async

from otel_trading.instrumentation.ccxt import CcxtInstrumentor

ORDER = {
    "symbol": "BTCUSDT", "orderId": 1, "clientOrderId": "one", "price": "40000", "origQty": "1", "executedQty": "0",
    "cummulativeQuoteQty": "0", "status": "NEW", "timeInForce": "GTC", "type": "LIMIT", "side": "BUY",
    "transactTime": 1_700_000_000_000, "fills": [],
}  # fmt: skip
TICKER = {
    "symbol": "BTCUSDT", "lastPrice": "50000", "bidPrice": "49990", "askPrice": "50010", "openPrice": "49000",
    "highPrice": "51000", "lowPrice": "48000", "volume": "9", "quoteVolume": "450000", "closeTime": 1_700_000_000_000,
}  # fmt: skip
MARKET = {
    "symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT", "permissions": ["SPOT"],
    "isSpotTradingAllowed": True, "orderTypes": ["LIMIT"],
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
    ],
}  # fmt: skip
UPDATE = {"symbol": "BTC/USDT", "timestamp": 1_700_000_000_000, "last": 50_000.0}


class Venue(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet each: two would wait for each other

    def do_GET(self) -> None:
        self._answer({"symbols": [MARKET]} if "exchangeInfo" in self.path else TICKER)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(ORDER | {"orderId": next(NUMBERS), "clientOrderId": f"c-{next(NUMBERS)}"})

    def _answer(self, body: Any) -> None:
        data = json.dumps(body).encode()
        headers = {"X-MBX-USED-WEIGHT-1M": "17", "X-MBX-ORDER-COUNT-10S": "1", "Content-Length": str(len(data))}
        self.send_response(200)
        for name, value in {**headers, "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


NUMBERS = iter(range(10**9))


class Stream(ccxt.pro.binance):
    """Whose updates come at once: what is left is what ccxt and the hook do around one."""

    async def watch_tickers(self, *_: object, **__: object) -> Any:
        await asyncio.sleep(0)
        return {"BTC/USDT": UPDATE}


async def stream(markets: dict[str, Any]) -> None:
    exchange = Stream()
    exchange.set_markets(list(markets.values()))
    await compare_async(
        "ccxt: an update of watch_ticker, without its socket",
        lambda: exchange.watch_ticker("BTC/USDT"),
        CcxtInstrumentor(),
        calls=200,
    )
    await exchange.close()


with ThreadingHTTPServer(("127.0.0.1", 0), Venue) as server:
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    exchange = ccxt.binance(
        {
            "apiKey": "a",
            "secret": "b",
            "enableRateLimit": False,
            "urls": {"api": {"public": url, "private": url}},
            "options": {"fetchMarkets": ["spot"], "fetchCurrencies": False, "fetchMargins": False},
        }
    )
    exchange.load_markets()
    compare(
        "ccxt: fetch_ticker over loopback", lambda: exchange.fetch_ticker("BTC/USDT"), CcxtInstrumentor(), rounds=150
    )
    compare(
        "ccxt: create_order over loopback",
        lambda: exchange.create_order("BTC/USDT", "limit", "buy", 1, 40_000),
        CcxtInstrumentor(),
        rounds=150,
    )
    server.shutdown()
asyncio.run(stream(exchange.markets))
