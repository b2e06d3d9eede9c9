"""websockets, oldest and newest: what could go wrong around the hooks, and connections however they end."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from venues.feed import Feed
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus

from otel_trading.instrumentation import _feeds, _shapes
from otel_trading.instrumentation._hooks import covering
from otel_trading.instrumentation.websockets import WebsocketsInstrumentor

if TYPE_CHECKING:
    from collections.abc import Generator

    from otel_trading.testing import CapturingMeter, Sample


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch, capmeter: CapturingMeter) -> Generator[Feed]:
    """A venue that is watched, in this process."""
    assert capmeter
    monkeypatch.setenv("OTEL_TRADING_VENUE_HOSTS", "127.0.0.1=binance")
    instrumentor = WebsocketsInstrumentor()
    instrumentor.instrument(skip_dep_check=True)
    with Feed() as feed:
        yield feed
    instrumentor.uninstrument()


MESSAGES = "trading.market_data.messages"
STATUS = "trading.connection.status"


def url(feed: Feed, path: str) -> str:
    return f"ws://127.0.0.1:{feed.port}{path}"


def watched(capmeter: CapturingMeter) -> list[Sample]:
    return [
        one for one in capmeter.samples() if one.name.startswith(("trading.market", "trading.conn", "trading.venue"))
    ]


def states(capmeter: CapturingMeter) -> dict[str, str]:
    """The state of each connection, by the end of its name."""
    rows = [one.attributes for one in capmeter.samples() if one.name == STATUS and one.value]
    return {re.sub(r"^[^/]*/", "", one["trading.connection.name"]): one["trading.connection.state"] for one in rows}


def told(value: object) -> str:
    return json.dumps({"e": "trade", "x": value})


def test_what_the_bot_gets_is_what_came(feed: Feed, capmeter: CapturingMeter) -> None:
    odd: list[str | bytes] = [
        "",
        "{",
        "[]",
        '["hb"]',
        b"\x00\xff",
        '{"e":' + '"x' * 500,
        "pong",
        told(1),
        told(2).encode(),
    ]

    async def run() -> list[str | bytes]:
        async with connect(url(feed, "/echo")) as socket:
            got = []
            for message in odd:
                await socket.send(message)
                got.append(await socket.recv())
            counts = {one.attributes["trading.data.kind"]: one.value for one in capmeter.samples(MESSAGES)}
            assert counts == {"trade": 2, "other": 5}
            return got

    assert asyncio.run(run()) == odd


def test_a_recv_that_is_cancelled_is_cancelled(feed: Feed, capmeter: CapturingMeter) -> None:
    async def run() -> None:
        async with connect(url(feed, "/echo")) as socket:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(socket.recv(), 0.05)
            await socket.send(told(1))
            assert await socket.recv() == told(1)
            assert capmeter.value(MESSAGES) == 1

    asyncio.run(run())


class Own(ClientConnection):
    """A user's connection."""

    async def recv(self, *args: Any, **kwargs: Any) -> Any:
        return "mine: " + str(await super().recv(*args, **kwargs))


def test_a_users_own_connection_is_its_own(feed: Feed, capmeter: CapturingMeter) -> None:
    WebsocketsInstrumentor().instrument(skip_dep_check=True)  # a second time

    async def run() -> None:
        async with connect(url(feed, "/echo"), create_connection=Own) as socket:
            await socket.send(told(1))
            assert await socket.recv() == "mine: " + told(1)
            assert capmeter.value(MESSAGES) == 1

    asyncio.run(run())


def test_uninstrumenting_under_way_harms_nobody(feed: Feed, capmeter: CapturingMeter) -> None:
    async def run() -> None:
        async with connect(url(feed, "/echo")) as socket:
            waiting = asyncio.ensure_future(socket.recv())
            await asyncio.sleep(0)
            WebsocketsInstrumentor().uninstrument()
            await socket.send(told(1))
            assert await waiting == told(1)
            await socket.send(told(2))
            assert await socket.recv() == told(2)
            assert not states(capmeter)
            WebsocketsInstrumentor().instrument(skip_dep_check=True)
            await socket.send(told(3))
            assert await socket.recv() == told(3)

    asyncio.run(run())
    assert not [one for one in capmeter.samples() if one.name == MESSAGES]


def test_who_covers_it_and_what_is_no_venue_is_left_alone(
    feed: Feed, capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with connect(url(feed, "/echo")) as socket:
            await socket.send(told(1))
            await socket.recv()

    with covering():
        asyncio.run(run())
    monkeypatch.setenv("OTEL_TRADING_VENUE_HOSTS", "127.0.0.9=binance")
    asyncio.run(run())

    assert not watched(capmeter)


def test_connections_of_one_name_are_told_apart_and_keys_are_in_none(feed: Feed, capmeter: CapturingMeter) -> None:
    key = "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"

    async def run() -> None:
        first, second = await connect(url(feed, f"/ws/{key}")), await connect(url(feed, f"/ws/{key}"))
        assert states(capmeter) == {"ws/*": "connected", "ws/*#2": "connected"}
        await first.close()
        third = await connect(url(feed, f"/ws/{key}"))
        assert states(capmeter) == {"ws/*": "connected", "ws/*#2": "connected"}
        await second.close()
        await third.close()
        assert not states(capmeter)

    asyncio.run(run())


def test_a_loss_is_what_the_bot_did_not_do(feed: Feed, capmeter: CapturingMeter) -> None:
    async def run() -> None:
        async with connect(url(feed, "/polite")) as socket:
            await socket.recv()
            await socket.send("bye")
            with pytest.raises(ConnectionClosedOK):
                await socket.recv()
        assert states(capmeter) == {"polite": "disconnected"}
        assert capmeter.value("trading.market_data.age", kind="trade") >= 0
        async with connect(url(feed, "/polite")):
            assert capmeter.value("trading.connection.reconnects", error_type="1000") == 1
        assert not states(capmeter)

    asyncio.run(run())


def test_a_failure_to_connect_is_the_librarys_own(capmeter: CapturingMeter, feed: Feed) -> None:
    with pytest.raises(InvalidStatus) as raised:
        asyncio.run(echo_at(url(feed, "/refused?signature=PLANTED")))
    with pytest.raises(OSError, match="Connect call failed"):
        asyncio.run(echo_at("ws://127.0.0.1:9/gone"))

    assert raised.value.response.status_code == 404
    assert states(capmeter) == {"refused": "disconnected", "gone": "disconnected"}
    calls = "trading.venue.request.duration"
    assert capmeter.value(calls, operation="connect", error_type="InvalidStatus") == 1
    assert capmeter.value(calls, operation="connect", error_type="ConnectionRefusedError") == 1
    assert "PLANTED" not in str(capmeter.samples())


async def echo_at(place: str) -> None:
    await connect(place)


async def _until(capmeter: CapturingMeter, name: str, state: str) -> None:
    for _ in range(200):
        if states(capmeter).get(name) == state:
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"{name} is not {state}: {states(capmeter)}")


def test_nothing_stays_connected(feed: Feed, capmeter: CapturingMeter) -> None:
    async def run() -> None:
        attempt = asyncio.ensure_future(echo_at(url(feed, "/slow")))
        await _until(capmeter, "slow", "connecting")
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        assert states(capmeter) == {"slow": "disconnected"}

        unread = await connect(url(feed, "/ws/btcusdt@trade"))
        await unread.send("next")  # the venue hangs up, and nobody receives
        await _until(capmeter, "ws/btcusdt@trade", "disconnected")
        with suppress(ConnectionClosedError):  # the oldest version drops what nobody has received yet
            got = await unread.recv()
            assert json.loads(got)["e"] == "trade"
            assert capmeter.value(MESSAGES, kind="trade") == 1
        assert states(capmeter)["ws/btcusdt@trade"] == "disconnected"

        socket = await connect(url(feed, "/echo"))
        closing = asyncio.ensure_future(socket.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert "echo" not in states(capmeter)
        await socket.wait_closed()

    asyncio.run(run())
    assert "connected" not in states(capmeter).values()


def test_a_hook_that_fails_is_counted_and_not_felt(
    feed: Feed, capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with connect(url(feed, "/echo")) as socket:
            monkeypatch.setattr(_shapes, "kind_of", lambda _: 1 / 0)
            await socket.send(told(1))
            assert await socket.recv() == told(1)

    asyncio.run(run())
    assert capmeter.value("trading.sdk.dropped", reason="internal_error") == 1


def test_a_subscription_starts_the_clock_and_its_end_stops_it(
    feed: Feed, capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ages() -> set[str]:
        found = [one for one in capmeter.samples() if one.name == "trading.market_data.age"]
        return {one.attributes["trading.data.kind"] for one in found}

    monkeypatch.setattr(_feeds, "_LATE", 0.0)

    async def again() -> None:
        """Without a word of a subscription, over a connection that was closed before."""
        async with connect(url(feed, "/echo")) as socket:
            await socket.send(told(1))
            await socket.recv()
            assert ages() == {"trade"}
        assert not ages()

    async def run() -> None:
        async with connect(url(feed, "/echo")) as socket:
            await socket.send('{"op":"subscribe","args":["publicTrade.BTCUSDT","orderbook.50.BTCUSDT"]}')
            await socket.recv()
            assert ages() == {"trade", "order_book"}
            await socket.send('{"op":"unsubscribe","args":["publicTrade.BTCUSDT"]}')
            await socket.recv()
            assert ages() == {"order_book"}
            await socket.send('{"topic":"publicTrade.ETHUSDT","data":[{"v":1}]}')  # another symbol goes on
            await socket.recv()
            assert ages() == {"trade", "order_book"}
        assert not ages()
        await again()

    asyncio.run(run())
