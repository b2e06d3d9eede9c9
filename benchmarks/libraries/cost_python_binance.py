"""python-binance: get_ticker and an order over loopback, answered with Binance's headers, and one streamed message."""

from __future__ import annotations

import itertools
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from binance import Client
from binance.ws.reconnecting_websocket import ReconnectingWebsocket
from cost import compare

from otel_trading.instrumentation.python_binance import PythonBinanceInstrumentor

NUMBERS = itertools.count(1)
TICKER = {"symbol": "BTCUSDT", "lastPrice": "50000", "bidPrice": "49990", "askPrice": "50010", "volume": "9"}
MESSAGE = json.dumps({"e": "trade", "E": 1_700_000_000_000, "s": "BTCUSDT", "t": 1, "p": "50000", "q": "0.1"})


class Venue(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet each: two would wait for each other

    def do_GET(self) -> None:
        self._answer(TICKER)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({"symbol": "BTCUSDT", "orderId": next(NUMBERS), "status": "NEW", "executedQty": "0", "fills": []})

    def _answer(self, body: Any) -> None:
        data = json.dumps(body).encode()
        headers = {"X-MBX-USED-WEIGHT-1M": "17", "X-MBX-ORDER-COUNT-10S": "1", "Content-Length": str(len(data))}
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


with ThreadingHTTPServer(("127.0.0.1", 0), Venue) as server:
    Thread(target=server.serve_forever, daemon=True).start()
    client = Client("a", "b", ping=False)
    client.API_URL = f"http://127.0.0.1:{server.server_port}/api"
    order = {"symbol": "BTCUSDT", "quantity": 1, "price": "40000"}
    compare(
        "python-binance: get_ticker over loopback", lambda: client.get_ticker(symbol="BTCUSDT"),
        PythonBinanceInstrumentor(), rounds=150,
    )  # fmt: skip
    compare(
        "python-binance: an order over loopback", lambda: client.order_limit_buy(**order), PythonBinanceInstrumentor(),
        rounds=150,
    )  # fmt: skip
    server.shutdown()
socket = ReconnectingWebsocket("wss://stream.binance.com:9443/", "btcusdt@trade")
compare(
    "python-binance: a message, without its socket", lambda: socket._handle_message(MESSAGE),  # noqa: SLF001
    PythonBinanceInstrumentor(), calls=300,
)  # fmt: skip
