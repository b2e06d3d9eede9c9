"""A bot that calls a venue, unchanged under the launcher: the real Prometheus holds budgets, refusals and clock."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from bot_support import environment, series, serving
from stack_support import prometheus_query, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

#: The bot and, in the same process, the venue that it calls.
BOT: Final = """
from threading import Thread
import httpx, requests
from flask import Flask
from werkzeug.serving import make_server

venue = Flask("venue")

@venue.get("/order")
def order():
    return "done", 200, {"X-MBX-USED-WEIGHT-1M": "17"}

@venue.get("/banned")
def banned():
    return "no", 429, {"X-RateLimit-Limit": "9", "X-RateLimit-Remaining": "0"}

server = make_server("127.0.0.2", 0, venue, threaded=True)
Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.2:{server.server_port}"
requests.get(f"{url}/order?signature=PLANTED", headers={"X-MBX-APIKEY": "PLANTED"}, timeout=10)
httpx.get(f"{url}/banned?signature=PLANTED", headers={"X-MBX-APIKEY": "PLANTED"})
print(server.server_port, flush=True)
input()
"""
HELD: Final = {
    'trading_rate_limit_usage{{{0},trading_rate_limit_name="request_weight_1m"}}': 17,
    'trading_rate_limit_usage{{{0},trading_rate_limit_name="requests"}}': 9,
    "trading_rate_limit_utilization_ratio{{{0}}}": 1,
    'trading_rate_limit_rejections_total{{{0},error_type="429"}}': 1,
    "trading_venue_clock_offset_seconds{{{0}}}": 0,
}


def test_replies_to_an_unchanged_bot_are_held_by_venue(stack: Stack, tmp_path: Path) -> None:
    own = environment(stack, OTEL_TRADING_VENUE_HOSTS="127.0.0.2=here")
    with serving(tmp_path, "caller", BOT, own):
        for selector, value in HELD.items():
            query = selector.format('service_name="caller",trading_venue_name="here"')
            (found,) = wait_until(partial(prometheus_query, stack, query), 30, query)
            assert float(found["value"][1]) == value, query
        calls = 'sum by (http_response_status_code) (http_client_request_duration_seconds_count{service_name="caller"})'
        answers = prometheus_query(stack, calls)
        held = str(series(stack, "caller"))

    counted = {one["metric"]["http_response_status_code"]: one["value"][1] for one in answers}
    assert counted == {"200": "1", "429": "1"}
    assert "PLANTED" not in held
