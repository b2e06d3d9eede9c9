"""The paper venue over real HTTP and WebSocket."""

from __future__ import annotations

import contextlib
import email.utils
import itertools
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from otel_trading.demo.venue.faults import KINDS, Fault, Faults, script
from otel_trading.demo.venue.limits import LIMIT, WINDOW, RateLimit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from demo_support import VenueClient
    from websockets.sync.client import ClientConnection

KEY = {"X-API-Key": "demo-key"}


@contextlib.contextmanager
def listening(venue: VenueClient, path: str, *symbols: str) -> Iterator[ClientConnection]:
    with connect(venue.stream_url + path, additional_headers=KEY, close_timeout=1) as socket:
        if symbols:
            socket.send(json.dumps({"op": "subscribe", "symbols": symbols}))
            assert read(socket)["type"] == "subscribed"
        yield socket


def read(socket: ClientConnection, kind: str | None = None, timeout: float = 5.0) -> dict[str, Any]:
    until = time.monotonic() + timeout
    while True:
        message: dict[str, Any] = json.loads(socket.recv(timeout=max(until - time.monotonic(), 0.01)))
        if kind in {None, message["type"]}:
            return message


def drain(socket: ClientConnection, patience: float) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        socket.recv(timeout=patience)


def test_a_key_is_needed(venue: VenueClient) -> None:
    reply = venue.call("GET", "/v1/account", headers={"X-API-Key": "wrong"})
    assert (reply.status_code, reply.json()["error"]["reason"]) == (401, "permission")


def test_every_reply_tells_budget_and_time(venue: VenueClient) -> None:
    reply = venue.call("GET", "/v1/time")
    assert int(reply.headers["X-RateLimit-Limit"]) == LIMIT
    assert 0 <= int(reply.headers["X-RateLimit-Remaining"]) < LIMIT
    assert abs(email.utils.parsedate_to_datetime(reply.headers["Date"]).timestamp() - reply.json()["time"]) < 2


def test_an_order_fills_and_shows_in_the_account(own_venue: Callable[..., VenueClient]) -> None:
    venue = own_venue("--no-faults")
    with listening(venue, "/v1/fills") as fills:
        assert venue.order("1").json()["status"] == "new"
        assert read(fills, "order")["status"] == "new"
        fill = read(fills, "fill")
    assert (fill["client_id"], fill["quantity"], fill["complete"]) == ("1", 10, True)
    (position,) = venue.call("GET", "/v1/positions").json()
    assert (position["symbol"], position["quantity"], position["price"]) == ("AAPL", 10, fill["price"])
    assert venue.call("GET", "/v1/account").json()["cash"] == pytest.approx(100_000 - 10 * fill["price"] - fill["fee"])
    assert venue.call("GET", "/v1/orders/1").json()["status"] == "filled"


def test_an_order_sent_twice_is_one_order(venue: VenueClient) -> None:
    assert venue.order("twice").status_code == 200
    assert venue.order("twice").status_code == 200
    other = venue.order("twice", quantity=11)
    assert (other.status_code, other.json()["error"]["reason"]) == (422, "duplicate")


def test_a_resting_order_can_be_canceled_once(venue: VenueClient) -> None:
    last = venue.order("price-probe").json()
    assert last["status"] == "new"
    price = venue.call("GET", "/v1/orders/price-probe").json()
    assert price["symbol"] == "AAPL"
    with listening(venue, "/v1/market/a", "AAPL") as market:
        bid = read(market, "quote")["bid"]
    resting = venue.order("rest", type="limit", price=round(bid * 0.92, 2))
    assert resting.status_code == 200
    assert "rest" in [order["client_id"] for order in venue.call("GET", "/v1/orders").json()]
    assert venue.call("DELETE", "/v1/orders/rest").json()["status"] == "canceled"
    assert venue.call("DELETE", "/v1/orders/rest").status_code == 404


@pytest.mark.parametrize("body", [b"no json", b"[]", b"{}", b'{"client_id": 1}'])
def test_a_body_that_is_no_order_is_refused(venue: VenueClient, body: bytes) -> None:
    reply = venue.call("POST", "/v1/orders", data=body)
    assert reply.status_code in {400, 422}
    assert reply.json()["error"]["reason"] == "invalid_order"


def test_market_data_is_numbered_without_gaps_and_dated(venue: VenueClient) -> None:
    with listening(venue, "/v1/market/a", "AAPL", "MSFT") as market:
        messages = [read(market) for _ in range(80)]
    assert {message["symbol"] for message in messages} == {"AAPL", "MSFT"}
    for symbol in ("AAPL", "MSFT"):
        for kind in ("trade", "quote"):
            numbers = [m["sequence"] for m in messages if (m["symbol"], m["type"]) == (symbol, kind)]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert all(abs(message["time"] - time.time()) < 5 for message in messages)
    assert all(message["bid"] < message["ask"] for message in messages if message["type"] == "quote")


def test_only_what_is_subscribed_comes(venue: VenueClient) -> None:
    with listening(venue, "/v1/market/b", "IBM") as market:
        assert {read(market)["symbol"] for _ in range(20)} == {"IBM"}


@pytest.mark.parametrize(
    "request_text", ["nonsense", "[]", '{"op": "dance"}', '{"op": "subscribe", "symbols": ["GOOG"]}']
)
def test_what_the_stream_cannot_read_is_answered(venue: VenueClient, request_text: str) -> None:
    with listening(venue, "/v1/market/a") as market:
        market.send(request_text)
        assert read(market)["type"] == "error"
        market.send('{"op": "ping"}')
        assert read(market)["type"] == "pong"


def test_silence_keeps_the_connection_and_says_nothing(own_venue: Callable[..., VenueClient]) -> None:
    venue = own_venue("--no-faults")
    with listening(venue, "/v1/market/a", "AAPL") as quiet, listening(venue, "/v1/market/b", "IBM") as other:
        venue.fault("silence", line="a", seconds=1.5)
        with pytest.raises(TimeoutError):
            drain(quiet, 0.5)
        assert read(other, "quote")["symbol"] == "IBM"
        assert read(quiet, "quote")["symbol"] == "AAPL"


def test_a_dropped_line_cuts_and_refuses_until_it_is_over(own_venue: Callable[..., VenueClient]) -> None:
    venue = own_venue("--no-faults")
    with listening(venue, "/v1/market/b", "IBM") as market:
        venue.fault("drop", line="b", seconds=1.0)
        with pytest.raises(ConnectionClosed):
            drain(market, 2.0)
    with pytest.raises(InvalidStatus), listening(venue, "/v1/market/b"):
        pass
    assert read_when_back(venue)["symbol"] == "IBM"


def read_when_back(venue: VenueClient) -> dict[str, Any]:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        with contextlib.suppress(InvalidStatus), listening(venue, "/v1/market/b", "IBM") as market:
            return read(market, "quote")
        time.sleep(0.05)
    pytest.fail("the line stays down")


def test_a_gap_shows_in_the_numbers(own_venue: Callable[..., VenueClient]) -> None:
    venue = own_venue("--no-faults")
    with listening(venue, "/v1/market/a", "AAPL") as market:
        before = read(market, "quote")["sequence"]
        venue.fault("gap", line="a", seconds=0.5)
        numbers = [before, *(read(market, "quote")["sequence"] for _ in range(15))]
    steps = [after - earlier for earlier, after in itertools.pairwise(numbers)]
    assert sorted(set(steps)) == [1, 4]
    assert steps.count(4) == 1


def test_a_storm_rejects_and_a_limit_answers_429(own_venue: Callable[..., VenueClient]) -> None:
    venue = own_venue("--no-faults")
    venue.fault("reject_storm", seconds=30)
    assert venue.order("storm").status_code == 422
    venue.fault("rate_limit", seconds=30)
    reply = venue.order("limited")
    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "1")
    assert reply.json()["error"]["reason"] == "rate_limited"


def test_latency_makes_replies_slow(own_venue: Callable[..., VenueClient]) -> None:
    venue = own_venue("--no-faults")
    quick = venue.call("GET", "/v1/time").elapsed.total_seconds()
    venue.fault("latency", seconds=30)
    assert venue.call("GET", "/v1/time").elapsed.total_seconds() > max(0.5, quick)


def test_an_unknown_fault_is_refused(venue: VenueClient) -> None:
    reply = venue.fault("earthquake")
    assert reply.status_code == 400
    assert "silence" in reply.json()["error"]["text"]


def test_the_budget_is_used_up_and_comes_back() -> None:
    now = [0.0]
    budget = RateLimit(clock=lambda: now[0])
    assert sum(budget.take() for _ in range(LIMIT + 5)) == LIMIT
    assert budget.headers()["X-RateLimit-Remaining"] == "0"
    assert budget.retry_after() == "10"
    now[0] = WINDOW
    assert budget.take()


def test_the_script_is_seeded_and_comes_again() -> None:
    assert script(3) == script(3)
    assert script(3) != script(4)
    assert {fault.kind for fault in script(1)} == set(KINDS)
    now = [0.0]
    faults = Faults([Fault("drop", "b", start=10, seconds=5, every=60)], clock=lambda: now[0])
    held = []
    for now[0] in (9.9, 10.0, 14.9, 15.0, 70.0, 75.1):
        held.append(faults.active("drop", "b"))
    assert held == [False, True, True, False, True, False]
    assert not faults.active("drop", "a")


def test_the_venue_knows_nothing_of_telemetry() -> None:
    code = (
        "import sys, otel_trading.demo.venue.server; print([n for n in sys.modules if 'meter' in n or 'opentel' in n])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert run.stdout.strip() == "[]"
