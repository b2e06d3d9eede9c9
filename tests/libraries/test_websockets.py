"""websockets, oldest and newest: three unchanged bots, and what could go wrong around the hooks."""

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

from bot_support import assert_held, environment, series, unchanged
from otel_trading.instrumentation import _feeds, _shapes
from otel_trading.instrumentation._hooks import covering
from otel_trading.instrumentation.websockets import WebsocketsInstrumentor

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from otel_trading.stack import Stack
    from otel_trading.testing import CapturingMeter, Sample

BOT = """
import asyncio, json, threading
from IMPORT import connect

log = {"trades": 0, "connected": 0, "books": 0, "refused": ""}
url = "ws://127.0.0.1:PORT"
secret = "?token=PLANTED"
params = {"channel": "book", "symbol": ["BTC/USD"], "token": "PLANTED"}
subscribe = json.dumps({"method": "subscribe", "params": params})

async def trades(done):
    while True:
        try:
            async with connect(url + "/ws/btcusdt@trade" + secret) as socket:
                log["connected"] += 1
                async for message in socket:
                    log["trades"] += json.loads(message)["e"] == "trade"
                    if log["trades"] == 5:
                        await socket.send("next")
                    if log["trades"] == 7:
                        await (await socket.ping())
                        done.set()
        except Exception as error:
            continue

async def books(path, wanted, done):
    async with connect(url + path + secret, additional_or_extra={"X-API-KEY": "PLANTED"}) as socket:
        await socket.send(subscribe)
        while True:
            message = json.loads(await socket.recv())
            log["books"] += message.get("channel") == "book"
            if log["books"] == wanted:
                done.set()

async def two():
    async with connect(url + "/stream?streams=btcusdt@trade/ethusdt@trade") as socket:
        async for message in socket:
            pass

async def main():
    done = [asyncio.Event() for _ in range(2)]
    tasks = [asyncio.create_task(trades(done[0])), asyncio.create_task(books("/v2", 4, done[1]))]
    tasks.append(asyncio.create_task(books("/dead", -1, done[1])))
    tasks.append(asyncio.create_task(two()))
    try:
        await connect(url + "/refused" + secret)
    except Exception as error:
        log["refused"] = type(error).__name__
    for one in done:
        await asyncio.wait_for(one.wait(), 20)
    async with connect(url + "/echo" + secret):
        pass
    print(json.dumps(log), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, input)

asyncio.run(main())
"""
CONNECT = 'trading_venue_operation="connect"'
DEAD, REFUSED = 'trading_connection_name="{}/dead"', 'trading_connection_name="{}/refused"'
HERE = 'trading_venue_name="binance"'


@pytest.mark.parametrize(
    ("name", "library", "headers"),
    [
        ("websockets-bot", "websockets.asyncio.client", "additional_headers"),
        ("legacy-bot", "websockets.legacy.client", "extra_headers"),
    ],
)
def test_an_unchanged_bot(stack: Stack, tmp_path: Path, name: str, library: str, headers: str) -> None:
    with Feed() as feed:
        own = environment(stack, OTEL_TRADING_VENUE_HOSTS="127.0.0.1=binance", PYTHONWARNINGS="ignore")
        text = BOT.replace("IMPORT", library).replace("PORT", str(feed.port)).replace("additional_or_extra", headers)
        with unchanged(tmp_path, name, text, own) as log:
            assert (log["trades"], log["connected"], log["books"]) == (7, 2, 4)
            place = f"127.0.0.1:{feed.port}"
            assert_held(stack, name, held(place, log))
            assert_held(
                stack,
                name,
                {
                    # heartbeats come, its pongs are there, and it is dead all the same
                    f'trading_market_data_age_seconds{{$,trading_connection_name="{place}/dead"}} > bool 1': 1,
                    # trades of one symbol come, and the other one is dead
                    f'trading_market_data_age_seconds{{$,trading_connection_name="{place}/stream"}} > bool 1': 1,
                    f"trading_market_data_delay_seconds_count{{$,{HERE}}} >= bool {log['trades']}": 1,
                    f"sum(trading_connection_ping_duration_seconds_count{{$,{HERE}}})": 1,
                    # closed by the bot: nothing is left of it, and nothing fires
                    f'sum(trading_connection_status{{$,trading_connection_name="{place}/echo"}}) or vector(0)': 0,
                },
            )
            assert "PLANTED" not in str(series(stack, name))


SYNC_BOT = """
import json
from websockets.sync.client import connect

log = {"trades": 0, "connected": 0, "lost": 0}
for attempt in range(2):
    socket = connect("ws://127.0.0.1:PORT/ws/btcusdt@trade?token=PLANTED")
    log["connected"] += 1
    try:
        while log["trades"] < 7:
            log["trades"] += json.loads(socket.recv(timeout=10))["e"] == "trade"
            if log["trades"] == 5:
                socket.send("next")
    except Exception as error:
        log["lost"] += 1
print(json.dumps(log), flush=True)
input()
"""


def test_an_unchanged_bot_of_threads(stack: Stack, tmp_path: Path) -> None:
    with Feed() as feed:
        own = environment(stack, OTEL_TRADING_VENUE_HOSTS="127.0.0.1=binance")
        with unchanged(tmp_path, "threads-bot", SYNC_BOT.replace("PORT", str(feed.port)), own) as log:
            assert log == {"trades": 7, "connected": 2, "lost": 1}
            trades = f'$,{HERE},trading_connection_name="127.0.0.1:{feed.port}/ws/btcusdt@trade"'
            assert_held(
                stack,
                "threads-bot",
                {
                    f"trading_market_data_messages_total{{{trades}}}": 7,
                    f"sum(trading_connection_reconnects_total{{{trades}}})": 1,
                    f"sum(trading_market_data_gaps_total{{$,{HERE}}})": 1,
                    f'trading_connection_status{{{trades},trading_connection_state="connected"}}': 1,
                },
            )
            assert "PLANTED" not in str(series(stack, "threads-bot"))


def held(place: str, log: dict[str, Any]) -> dict[str, float]:
    trades = f'$,{HERE},trading_connection_name="{place}/ws/btcusdt@trade"'
    messages = "trading_market_data_messages_total"
    return {
        f'{messages}{{{trades},trading_data_kind="trade"}}': log["trades"],
        f"sum(trading_connection_reconnects_total{{{trades}}})": log["connected"] - 1,
        f'sum({messages}{{$,trading_connection_name="{place}/v2"}})': log["books"],
        f"sum(trading_market_data_gaps_total{{$,{HERE}}})": 1,
        f'trading_connection_status{{{trades},trading_connection_state="connected"}}': 1,
        f'trading_connection_status{{$,{DEAD.format(place)},trading_connection_state="connected"}}': 1,
        f'trading_connection_status{{$,{REFUSED.format(place)},trading_connection_state="disconnected"}}': 1,
        f'trading_venue_request_duration_seconds_count{{$,{CONNECT},error_type="{log["refused"]}"}}': 1,
    }


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
