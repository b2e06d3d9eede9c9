"""requests: a GET over loopback, on a session kept open, answered with a venue's headers."""

from __future__ import annotations

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import requests
from cost import compare

from otel_trading.instrumentation.requests import RequestsVenueInstrumentor


class Venue(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one segment: in two, each reply would wait for a delayed acknowledgement

    def do_GET(self) -> None:
        self.send_response(200)
        for name, value in {"X-MBX-USED-WEIGHT-1M": "17", "X-MBX-ORDER-COUNT-10S": "1", "Content-Length": "2"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


with ThreadingHTTPServer(("127.0.0.1", 0), Venue) as server:
    Thread(target=server.serve_forever, daemon=True).start()
    os.environ["OTEL_TRADING_VENUE_HOSTS"] = f"127.0.0.1:{server.server_port}=here"
    with requests.Session() as session:
        compare(
            "requests: GET over loopback",
            lambda: session.get(f"http://127.0.0.1:{server.server_port}/order", timeout=10),
            RequestsVenueInstrumentor(),
        )
    server.shutdown()
