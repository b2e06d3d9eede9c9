"""requests and httpx against a real server that answers as venues do: budgets, refusals, clock, and nothing changed."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar

import httpx
import pytest
import requests

from otel_trading import meter
from otel_trading.instrumentation import _replies
from otel_trading.instrumentation._hosts import venue_of
from otel_trading.instrumentation.httpx import HttpxVenueInstrumentor
from otel_trading.instrumentation.requests import RequestsVenueInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from otel_trading.testing import CapturingMeter


class Venue(BaseHTTPRequestHandler):
    """Answers every GET with the status and the headers that the test set."""

    status: ClassVar[int] = 200
    told: ClassVar[dict[str, str]] = {}
    #: Seconds by which our clock is ahead of the venue's.
    ahead: ClassVar[float] = 0

    def do_GET(self) -> None:
        self.send_response_only(self.status)
        for name, value in {
            "Date": formatdate(time.time() - self.ahead, usegmt=True),
            "Content-Length": "4",
            **self.told,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"done")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


async def _with_httpx(url: str) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(url)).status_code


CALLS: dict[str, Callable[[str], int]] = {
    "requests": lambda url: requests.get(url, timeout=10).status_code,
    "httpx": lambda url: httpx.get(url).status_code,
    "httpx async": lambda url: asyncio.run(_with_httpx(url)),
}


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch, capmeter: CapturingMeter) -> Generator[str]:
    """A venue named `here`, watched by both instrumentors."""
    assert capmeter
    monkeypatch.setattr(Venue, "status", 200)
    monkeypatch.setattr(Venue, "told", {})
    monkeypatch.setattr(Venue, "ahead", 0)
    monkeypatch.setattr(_replies, "_clocks", {})
    instrumentors = RequestsVenueInstrumentor(), HttpxVenueInstrumentor()
    with ThreadingHTTPServer(("127.0.0.1", 0), Venue) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_TRADING_VENUE_HOSTS", f"127.0.0.1:{server.server_port}=here")
        for one in instrumentors:
            one.instrument()
        yield f"http://127.0.0.1:{server.server_port}/api/v3/order?signature=PLANTED"
        for one in instrumentors:
            if one.is_instrumented_by_opentelemetry:
                one.uninstrument()
        server.shutdown()


def _budgets(capmeter: CapturingMeter, what: str) -> dict[str, float]:
    found = capmeter.samples(f"trading.rate_limit.{what}")
    assert {one.attributes["trading.venue.name"] for one in found} <= {"here"}
    return {one.attributes["trading.rate_limit.name"]: one.value for one in found}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("told", "usage", "limit"),
    [
        (
            {"X-MBX-USED-WEIGHT-1M": "17", "x-mbx-order-count-10s": "3", "X-MBX-USED-WEIGHT": "17"},
            {"request_weight_1m": 17, "orders_10s": 3},
            {},
        ),
        ({"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "150"}, {"requests": 50}, {"requests": 200}),
        ({"RateLimit-Limit": "100, 100;w=60", "RateLimit-Remaining": "99"}, {"requests": 1}, {"requests": 100}),
        ({"RateLimit": '"a";r=40;t=3', "RateLimit-Policy": '"a";q=50;w=60'}, {"requests": 10}, {"requests": 50}),
        ({"RateLimit": "limit=10, remaining=4, reset=5"}, {"requests": 6}, {"requests": 10}),
        ({"X-RateLimit-Remaining": "150"}, {}, {}),
        ({"X-MBX-USED-WEIGHT-1M": "lots", "X-RateLimit-Limit": "", "RateLimit": "?", "Date": "yesterday"}, {}, {}),
    ],
)
def test_budgets_are_as_the_venue_tells_them(  # noqa: PLR0917  pytest passes them by name
    url: str,
    capmeter: CapturingMeter,
    call: str,
    told: dict[str, str],
    usage: dict[str, float],
    limit: dict[str, float],
) -> None:
    Venue.told = told

    assert CALLS[call](url) == 200
    assert _budgets(capmeter, "usage") == usage
    assert _budgets(capmeter, "limit") == limit
    assert "PLANTED" not in str(capmeter.samples())


def test_of_several_replies_each_budget_is_as_the_last_one_told_it(url: str, capmeter: CapturingMeter) -> None:
    for told in (
        {"X-MBX-ORDER-COUNT-10S": "3", "X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "150"},
        {"X-MBX-USED-WEIGHT-1M": "18", "X-RateLimit-Remaining": "5"},
        {"X-MBX-USED-WEIGHT-1M": "17", "Date": "yesterday"},
    ):
        Venue.told = told
        requests.get(url, timeout=10)

    assert _budgets(capmeter, "usage") == {"orders_10s": 3, "request_weight_1m": 17, "requests": 50}
    Venue.told = {"X-MBX-USED-WEIGHT-1M": "19"}
    requests.get(url, timeout=10)
    assert _budgets(capmeter, "usage") == {"orders_10s": 3, "request_weight_1m": 19, "requests": 50}


def test_a_budget_belongs_to_the_account_that_was_in_force_at_the_call(url: str, capmeter: CapturingMeter) -> None:
    for account, used in ("main", "1"), ("hedge", "2"):
        Venue.told = {"X-MBX-USED-WEIGHT-1M": used}
        with meter.scope(account=account):
            requests.get(url, timeout=10)

    assert capmeter.value("trading.rate_limit.usage", account="main") == 1
    assert capmeter.value("trading.rate_limit.usage", account="hedge") == 2


def test_what_a_bot_says_itself_meets_what_replies_told(url: str, capmeter: CapturingMeter) -> None:
    Venue.told = {"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "150"}
    requests.get(url, timeout=10)
    meter.rate_limit(name="requests", remaining=20, venue="here")

    assert capmeter.value("trading.rate_limit.usage", venue="here") == 180


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("status", "told", "refused"),
    [(429, {}, 1), (418, {}, 1), (503, {"Retry-After": "5"}, 1), (503, {}, 0), (401, {"Retry-After": "5"}, 0)],
)
def test_a_refusal_is_counted_once_with_its_status(
    *, url: str, capmeter: CapturingMeter, call: str, status: int, told: dict[str, str], refused: int
) -> None:
    Venue.status, Venue.told = status, told

    assert CALLS[call](url) == status
    assert sum(one.value for one in capmeter.samples("trading.rate_limit.rejections")) == refused
    if refused:
        assert capmeter.value("trading.rate_limit.rejections", venue="here", error_type=str(status)) == 1


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("ahead", [-90.0, 0.0, 90.0])
def test_the_clock_is_as_far_apart_as_whole_seconds_can_prove(
    url: str, capmeter: CapturingMeter, call: str, ahead: float
) -> None:
    Venue.ahead = ahead
    for _ in range(3):
        CALLS[call](url)
    offset = capmeter.value("trading.venue.clock.offset", venue="here")

    assert min(ahead, 0) <= offset <= max(ahead, 0), "never more than it is"
    assert abs(offset) >= abs(ahead) - 5, "a second of Date, and what a slow machine takes"


def test_a_cached_reply_and_a_host_that_is_no_venue_tell_nothing(url: str, capmeter: CapturingMeter) -> None:
    Venue.told = {"Age": "12"}
    requests.get(url, timeout=10)
    Venue.told = {"X-MBX-USED-WEIGHT-1M": "17"}
    requests.get(url.replace("127.0.0.1", "localhost"), timeout=10)

    assert capmeter.samples("trading.venue.clock.offset") == []
    assert capmeter.samples("trading.rate_limit.usage") == []


def test_a_clock_that_was_set_starts_anew(url: str, capmeter: CapturingMeter) -> None:
    for ahead in 60, 0:
        Venue.ahead = ahead
        requests.get(url, timeout=10)

    assert capmeter.value("trading.venue.clock.offset", venue="here") == 0


@pytest.mark.parametrize("call", CALLS)
def test_a_hook_that_fails_changes_nothing_and_is_counted(
    url: str, capmeter: CapturingMeter, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: Any) -> None:
        raise RuntimeError

    Venue.status = 429
    monkeypatch.setattr(meter, "rate_limited", broken)

    assert CALLS[call](url) == 429
    assert capmeter.value("trading.sdk.dropped", reason="internal_error") == 1


@pytest.mark.parametrize("call", CALLS)
def test_an_exception_passes_as_it_is(url: str, capmeter: CapturingMeter, call: str) -> None:
    nobody = url.replace("127.0.0.1", "127.0.0.2")
    with pytest.raises((requests.ConnectionError, httpx.ConnectError)):
        CALLS[call](nobody)

    assert capmeter.samples("trading.rate_limit.rejections") == []


def test_off_and_on_again_is_as_once(url: str, capmeter: CapturingMeter) -> None:
    one = RequestsVenueInstrumentor()
    one.uninstrument()
    before = requests.adapters.HTTPAdapter.send
    Venue.status = 429
    requests.get(url, timeout=10)
    assert capmeter.samples("trading.rate_limit.rejections") == []

    one.instrument()
    one.instrument()  # warns, and changes nothing
    requests.get(url, timeout=10)
    assert capmeter.value("trading.rate_limit.rejections", venue="here") == 1

    one.uninstrument()
    assert requests.adapters.HTTPAdapter.send is before


@pytest.mark.parametrize(
    ("url", "venue"),
    [
        ("https://api.binance.com/api/v3/time", "binance"),
        ("https://FAPI.binance.com:443/x", "binanceusdm"),
        ("wss://ws-fapi.binance.com/ws-fapi/v1", "binanceusdm"),
        ("wss://fstream.binance.com/ws", "binanceusdm"),
        ("wss://ws-dapi.binance.com/ws-dapi/v1", "binancecoinm"),
        ("wss://dstream.binance.com/ws", "binancecoinm"),
        ("https://api.kraken.com", "kraken"),
        ("https://futures.kraken.com/x", "krakenfutures"),
        ("https://notbinance.com", None),
        ("https://binance.com.evil.example", None),
        ("/relative", None),
    ],
)
def test_a_venue_follows_from_the_host(url: str, venue: str | None) -> None:
    assert venue_of(url) == venue
