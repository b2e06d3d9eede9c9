"""A script that calls a venue with the HTTP client of the test, and what the real Prometheus then holds."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

from bot_support import assert_held, assert_nothing_planted, environment, unchanged

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from otel_trading.stack import Stack

__all__ = ["check", "taken_off_under_way"]

SCRIPT: Final = """
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
import CLIENT as client

TOLD = {
    "/order": (200, {"X-MBX-USED-WEIGHT-1M": "17"}),
    "/other": (429, {"RateLimit": '"a";r=2', "RateLimit-Policy": '"a";q=9'}),
}

class Venue(BaseHTTPRequestHandler):
    def do_GET(self):
        status, headers = TOLD[self.path.partition("?")[0]]
        self.send_response(status)
        for name, value in {**headers, "Content-Length": "2"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.2", 0), Venue)
Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.2:{server.server_port}"
secret = {"X-MBX-APIKEY": "PLANTED"}
paths = "/order", "/order", "/other"
answers = [client.get(f"{url}{path}?signature=PLANTED", headers=secret).status_code for path in paths]
print(json.dumps(answers), flush=True)
input()
"""
HERE: Final = 'trading_venue_name="here"'


def check(stack: Stack, folder: Path, client: str) -> None:
    """Run the script with a client and compare; nothing of the signature and the key is held."""
    own = environment(stack, OTEL_TRADING_VENUE_HOSTS="127.0.0.2=here")
    with unchanged(folder, f"{client}-bot", SCRIPT.replace("CLIENT", client), own) as answers:
        assert answers == [200, 200, 429]
        assert_held(
            stack,
            f"{client}-bot",
            {
                f'trading_rate_limit_usage{{$,{HERE},trading_rate_limit_name="request_weight_1m"}}': 17,
                f'trading_rate_limit_usage{{$,{HERE},trading_rate_limit_name="requests"}}': 7,
                f'trading_rate_limit_rejections_total{{$,{HERE},error_type="429"}}': 1,
                f"trading_venue_clock_offset_seconds{{$,{HERE}}}": 0,
            },
        )
        assert_nothing_planted(stack, f"{client}-bot")


def taken_off_under_way(client: Any, instrumentor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the hooks off while the venue still thinks, and put them on again: each call ends as it began.

    Args:
        client: Module of the library.
        instrumentor: Its.
        monkeypatch: Makes the server of the test a venue.
    """
    monkeypatch.setenv("OTEL_TRADING_VENUE_HOSTS", "127.0.0.2=here")

    class Venue(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if instrumentor.is_instrumented_by_opentelemetry:
                instrumentor.uninstrument()
            else:
                instrumentor.instrument(skip_dep_check=True)
            self.send_response(429)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.2", 0), Venue) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.2:{server.server_port}/order?signature=PLANTED"
        instrumentor.instrument(skip_dep_check=True)
        assert [client.get(url).text for _ in range(4)] == ["ok"] * 4
        server.shutdown()
    assert instrumentor.is_instrumented_by_opentelemetry
    instrumentor.uninstrument()
