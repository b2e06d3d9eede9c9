"""A bot's own API in four frameworks, unchanged under the launcher: what the real Prometheus holds of its requests."""

from __future__ import annotations

import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from bot_support import environment, series, serving
from stack_support import prometheus_query, wait_until

if TYPE_CHECKING:
    from collections.abc import Generator

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

_FLASK: Final = """
import time
from flask import Flask
from werkzeug.serving import make_server

app = Flask(__name__)

@app.get("/orders/<order>")
def order(order):
    return order

@app.get("/slow")
def slow():
    time.sleep(2.1)
    return "late"

@app.get("/broken")
def broken():
    raise RuntimeError("PLANTED")

server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
"""
_FASTAPI: Final = """
import asyncio, socket
import uvicorn
from fastapi import FastAPI

app = FastAPI()

@app.get("/orders/{order}")
async def order(order: str):
    return order

@app.get("/slow")
async def slow():
    await asyncio.sleep(2.1)

@app.get("/broken")
async def broken():
    raise RuntimeError("PLANTED")

listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="critical")).run(sockets=[listening])
"""
_AIOHTTP: Final = """
import asyncio, socket
from aiohttp import web

async def order(request):
    return web.Response(text=request.match_info["order"])

async def slow(request):
    await asyncio.sleep(2.1)
    return web.Response(text="late")

async def broken(request):
    raise RuntimeError("PLANTED")

app = web.Application()
app.add_routes([web.get("/orders/{order}", order), web.get("/slow", slow), web.get("/broken", broken)])
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
web.run_app(app, sock=listening, print=None)
"""
#: Its settings are made after its imports: whoever looks at them before spoils them.
_DJANGO: Final = """
import time
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
from werkzeug.serving import make_server

def order(request, order):
    return HttpResponse(order)

def slow(request):
    time.sleep(2.1)
    return HttpResponse("late")

def broken(request):
    raise RuntimeError("PLANTED")

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="PLANTED", LOGGING_CONFIG=None)
urlpatterns = [path("orders/<order>", order), path("slow", slow), path("broken", broken)]
server = make_server("127.0.0.1", 0, get_wsgi_application(), threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
"""
APPS: Final = {"flask": _FLASK, "fastapi": _FASTAPI, "aiohttp": _AIOHTTP, "django": _DJANGO}
#: How often each path is asked for. A percentile needs twenty, and a share of failures ten.
ASKED: Final = {"orders/4711?token=PLANTED": 2, "orders/4712": 1, "broken": 6, "nowhere/4713": 2, "slow": 24}
#: Answers by route as its framework writes it and by status; aiohttp's instrumentation sees an exception and no status.
ORDER: Final = {
    "flask": "/orders/<order>",
    "fastapi": "/orders/{order}",
    "aiohttp": "/orders/{order}",
    "django": "orders/<order>",
}
FAILED: Final = {"flask": "500", "fastapi": "500", "aiohttp": "", "django": "500"}
#: OpenTelemetry's stable names and no other.
STABLE: Final = {
    *(f"http_server_request_duration_seconds_{part}" for part in ("bucket", "count", "sum")),
    *(
        f"http_server_{way}_body_size_bytes_{part}"
        for way in ("request", "response")
        for part in ("bucket", "count", "sum")
    ),
    "http_server_active_requests",
}
#: https://opentelemetry.io/docs/specs/semconv/http/http-metrics/ advises these, in seconds.
BOUNDARIES: Final = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, float("inf")}
_DURATION: Final = "http_server_request_duration_seconds"


class Served:
    """One app that has answered, and what Prometheus holds of it."""

    def __init__(self, stack: Stack, framework: str) -> None:
        self.stack, self.framework, self.service = stack, framework, f"api-{framework}"
        self.slash = "" if framework == "django" else "/"  # as each writes its routes
        self.slow = f"{self.slash}slow"

    def counts(
        self, name: str = f"{_DURATION}_count", route: str = "http_route", status: str = "http_response_status_code"
    ) -> dict[tuple[str, str], float]:
        """Return the requests by route and status."""
        held = prometheus_query(self.stack, f'sum by ({route}, {status}) ({name}{{job="{self.service}"}})')
        return {(one["metric"].get(route, ""), one["metric"].get(status, "")): float(one["value"][1]) for one in held}

    def expected(self) -> dict[tuple[str, str], float]:
        return {
            (ORDER[self.framework], "200"): 3,
            (f"{self.slash}broken", FAILED[self.framework]): 6,
            ("", "404"): 2,
            (self.slow, "200"): 24,
        }


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code


@pytest.fixture(scope="module", params=APPS)
def served(request: pytest.FixtureRequest, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    one = Served(stack, request.param)
    folder = tmp_path_factory.mktemp(one.service)
    with serving(folder, one.service, APPS[one.framework], environment(stack)) as port, ThreadPoolExecutor(24) as pool:
        urls = [f"http://127.0.0.1:{port}/{path}" for path, times in ASKED.items() for _ in range(times)]
        assert sorted(pool.map(_status, urls)) == [200] * 27 + [404] * 2 + [500] * 6
        yield one


@pytest.mark.seed("S1-01", "S1-02", "S2-08")
def test_requests_are_held_by_route_and_status_under_our_names_and_theirs(served: Served) -> None:
    theirs = ("api_gateway_requests_total", "endpoint", "status")

    wait_until(lambda: served.counts() == served.expected(), 30, f"each request once, held: {served.counts()}")
    wait_until(lambda: served.counts(*theirs) == served.expected(), 30, f"the same as {theirs}")
    for name in "api_gateway_request_duration_seconds", "api_request_duration_seconds":
        query = f'{name}_bucket{{job="{served.service}",endpoint="{served.slow}",le="+Inf"}}'
        (slow,) = wait_until(partial(prometheus_query, served.stack, query), 30, query)
        assert float(slow["value"][1]) == 24


def test_the_time_is_in_seconds_with_the_standard_boundaries(served: Served) -> None:
    wait_until(lambda: served.counts() == served.expected(), 30, "every request")
    held = prometheus_query(served.stack, f'{_DURATION}_bucket{{job="{served.service}",http_route="{served.slow}"}}')
    counted = {float(one["metric"]["le"]): float(one["value"][1]) for one in held}

    assert set(counted) == BOUNDARIES
    assert counted[1] == 0
    assert counted[10] == 24


def test_no_old_name_no_path_no_query_and_no_text_of_an_exception(served: Served) -> None:
    wait_until(lambda: served.counts() == served.expected(), 30, "every request")
    held = [one for one in series(served.stack, served.service) if one["__name__"].startswith("http_")]

    assert {one["__name__"] for one in held} <= STABLE
    values = {value for one in held for value in one.values()}
    assert [value for value in values if any(word in value for word in ("PLANTED", "4711", "4713", "nowhere"))] == []
    assert [label for one in held for label in one if label in {"http_target", "http_url", "url_path"}] == []


def test_the_alerts_on_servers_begin(served: Served) -> None:
    for name in "HttpErrorRateHigh", "LatencyHigh":
        query = f'ALERTS{{alertname="{name}",alertstate="pending",service_name="{served.service}"}}'
        wait_until(partial(prometheus_query, served.stack, query), 30, query)
