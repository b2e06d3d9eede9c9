"""aiohttp, oldest and newest: an unchanged bot over REST and WebSocket, and what could go wrong around the hooks."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from venues.feed import Feed

from bot_support import assert_held, assert_nothing_planted, environment, unchanged
from otel_trading.instrumentation import _replies, _shapes
from otel_trading.instrumentation._hooks import covering
from otel_trading.instrumentation.aiohttp import AiohttpInstrumentor

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from otel_trading.stack import Stack
    from otel_trading.testing import CapturingMeter

BOT = """
import asyncio, json
import aiohttp

log = {"trades": 0, "connected": 0, "books": 0, "answers": [], "raised": ""}
url = "http://127.0.0.1:PORT"
secret = "?token=PLANTED"
params = {"channel": "book", "symbol": ["BTC/USD"], "token": "PLANTED"}

async def trades(session, done):
    while True:
        async with session.ws_connect(url + "/ws/btcusdt@trade" + secret, heartbeat=5) as socket:
            log["connected"] += 1
            async for message in socket:
                log["trades"] += json.loads(message.data)["e"] == "trade"
                if log["trades"] == 5:
                    await socket.send_str("next")
                if log["trades"] == 7:
                    done.set()

async def books(session, path, done):
    async with session.ws_connect(url + path + secret) as socket:
        await socket.send_json({"method": "subscribe", "params": params})
        while True:
            message = await socket.receive_json()
            log["books"] += message.get("channel") == "book"
            if log["books"] == 4:
                done.set()

async def two(session):
    async with session.ws_connect(url + "/stream?streams=btcusdt@trade/ethusdt@trade") as socket:
        async for message in socket:
            pass

async def main():
    async with aiohttp.ClientSession(headers={"X-API-KEY": "PLANTED"}) as session:
        for path in "/order", "/order", "/limited":
            async with session.get(url + path + secret) as answer:
                log["answers"].append(answer.status)
        try:
            await session.get(url + "/limited" + secret, raise_for_status=True)
        except aiohttp.ClientResponseError as error:
            log["raised"] = type(error).__name__
        done = [asyncio.Event(), asyncio.Event()]
        tasks = [asyncio.create_task(trades(session, done[0])), asyncio.create_task(books(session, "/v2", done[1]))]
        tasks.append(asyncio.create_task(books(session, "/dead", done[1])))
        tasks.append(asyncio.create_task(two(session)))
        for one in done:
            await asyncio.wait_for(one.wait(), 20)
        async with session.ws_connect(url + "/echo" + secret):
            pass
        print(json.dumps(log), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, input)
        for one in tasks:
            one.cancel()

asyncio.run(main())
"""
HERE = 'trading_venue_name="binance"'


def test_an_unchanged_bot(stack: Stack, tmp_path: Path) -> None:
    with Feed() as feed:
        own = environment(stack, OTEL_TRADING_VENUE_HOSTS="127.0.0.1=binance")
        with unchanged(tmp_path, "aiohttp-bot", BOT.replace("PORT", str(feed.port)), own) as log:
            assert log["answers"] == [200, 200, 429]
            assert (log["trades"], log["connected"], log["books"]) == (7, 2, 4)
            place = f"127.0.0.1:{feed.port}"
            trades = f'$,{HERE},trading_connection_name="{place}/ws/btcusdt@trade"'
            dead = f'$,trading_connection_name="{place}/dead"'
            expected = {
                f'trading_rate_limit_usage{{$,{HERE},trading_rate_limit_name="request_weight_1m"}}': 17,
                f'trading_rate_limit_usage{{$,{HERE},trading_rate_limit_name="requests"}}': 7,
                f'trading_rate_limit_rejections_total{{$,{HERE},error_type="429"}}': 2,
                f'trading_market_data_messages_total{{{trades},trading_data_kind="trade"}}': log["trades"],
                f"sum(trading_connection_reconnects_total{{{trades}}})": log["connected"] - 1,
                f'sum(trading_market_data_messages_total{{$,trading_connection_name="{place}/v2"}})': log["books"],
                f"sum(trading_market_data_gaps_total{{$,{HERE}}})": 1,
                f'trading_connection_status{{{trades},trading_connection_state="connected"}}': 1,
                f'trading_connection_status{{{dead},trading_connection_state="connected"}}': 1,
                # heartbeats come, and it is dead all the same
                f"trading_market_data_age_seconds{{{dead}}} > bool 1": 1,
                # trades of one symbol come, and the other one is dead
                f'trading_market_data_age_seconds{{$,trading_connection_name="{place}/stream"}} > bool 1': 1,
                f"trading_market_data_delay_seconds_count{{$,{HERE}}} >= bool {log['trades']}": 1,
                # closed by the bot: nothing is left of it, and nothing fires
                f'sum(trading_connection_status{{$,trading_connection_name="{place}/echo"}}) or vector(0)': 0,
            }
            assert_held(stack, "aiohttp-bot", expected)
            assert_nothing_planted(stack, "aiohttp-bot")


MESSAGES = "trading.market_data.messages"


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch, capmeter: CapturingMeter) -> Generator[Feed]:
    """A venue that is watched, in this process."""
    assert capmeter
    monkeypatch.setenv("OTEL_TRADING_VENUE_HOSTS", "127.0.0.1=binance")
    monkeypatch.setattr(_replies, "_clocks", {})
    instrumentor = AiohttpInstrumentor()
    instrumentor.instrument(skip_dep_check=True)
    with Feed() as feed:
        yield feed
    instrumentor.uninstrument()


def states(capmeter: CapturingMeter) -> dict[str, str]:
    rows = [one.attributes for one in capmeter.samples() if one.name == "trading.connection.status" and one.value]
    return {one["trading.connection.name"].partition("/")[2]: one["trading.connection.state"] for one in rows}


def told(value: object) -> str:
    return json.dumps({"e": "trade", "x": value})


async def _echo(feed: Feed, *messages: str | bytes) -> list[Any]:
    got = []
    async with aiohttp.ClientSession(f"http://127.0.0.1:{feed.port}") as session, session.ws_connect("/echo") as socket:
        for message in messages:
            await (socket.send_bytes(message) if isinstance(message, bytes) else socket.send_str(message))
            got.append((await socket.receive()).data)
    return got


def test_what_the_bot_gets_is_what_came(feed: Feed, capmeter: CapturingMeter) -> None:
    odd: list[str | bytes] = ["", "{", "[]", '["hb"]', b"\x00\xff", '{"e":' + '"x' * 500, "pong"]
    odd += [told(1), told(2).encode()]
    AiohttpInstrumentor().instrument(skip_dep_check=True)  # a second time

    assert asyncio.run(_echo(feed, *odd)) == odd
    counts = {one.attributes["trading.data.kind"]: one.value for one in capmeter.samples(MESSAGES)}
    assert counts == {"trade": 2, "other": 5}
    assert not states(capmeter)


def test_who_covers_it_and_what_is_no_venue_is_left_alone(
    feed: Feed, capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with covering():
        asyncio.run(_echo(feed, told(1)))
    monkeypatch.setenv("OTEL_TRADING_VENUE_HOSTS", "127.0.0.9=binance")
    asyncio.run(_echo(feed, told(1)))

    assert not [one for one in capmeter.samples() if not one.name.startswith("trading.sdk")]


def test_a_hook_that_fails_is_counted_and_not_felt(
    feed: Feed, capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_shapes, "kind_of", lambda _: 1 / 0)

    assert asyncio.run(_echo(feed, told(1))) == [told(1)]
    assert capmeter.value("trading.sdk.dropped", reason="internal_error") == 1


def test_who_closes_is_told_apart(feed: Feed, capmeter: CapturingMeter) -> None:
    async def run(session: aiohttp.ClientSession, place: str) -> None:
        async with session.ws_connect(f"{place}/polite") as socket:
            await socket.receive()
            await socket.send_str("bye")
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
            assert states(capmeter) == {"polite": "disconnected"}
        assert states(capmeter) == {"polite": "disconnected"}
        async with session.ws_connect(f"{place}/polite") as socket:
            assert capmeter.value("trading.connection.reconnects", error_type="1000") == 1
            waiting = asyncio.ensure_future(_two(socket))
            await asyncio.sleep(0)
            await socket.close()  # by another task than the one that receives
            assert (await waiting).type in {aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED}
        assert not states(capmeter)

    _with_session(feed, run)


async def _two(socket: Any) -> Any:
    await socket.receive()
    return await socket.receive()


def test_a_receive_that_times_out_or_is_cancelled_does_so(feed: Feed, capmeter: CapturingMeter) -> None:
    async def run(session: aiohttp.ClientSession, place: str) -> None:
        async with session.ws_connect(f"{place}/echo") as socket:
            with pytest.raises(asyncio.TimeoutError):
                await socket.receive(timeout=0.05)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(socket.receive(), 0.05)
            await socket.send_str(told(1))
            assert (await socket.receive()).data == told(1)
        assert not states(capmeter)

    _with_session(feed, run)
    assert capmeter.value(MESSAGES) == 1


async def _until(capmeter: CapturingMeter, name: str, state: str) -> None:
    for _ in range(200):
        if states(capmeter).get(name) == state:
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"{name} is not {state}: {states(capmeter)}")


def test_an_attempt_that_is_cancelled_is_over(feed: Feed, capmeter: CapturingMeter) -> None:
    async def run(session: aiohttp.ClientSession, place: str) -> None:
        attempt = asyncio.ensure_future(session.ws_connect(f"{place}/slow"))
        await _until(capmeter, "slow", "connecting")
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        assert states(capmeter) == {"slow": "disconnected"}

    _with_session(feed, run)


def test_nothing_stays_connected(feed: Feed, capmeter: CapturingMeter) -> None:
    async def run(session: aiohttp.ClientSession, place: str) -> None:
        unread = await session.ws_connect(f"{place}/ws/btcusdt@trade")
        await unread.send_str("next")  # the venue hangs up, and nobody receives
        await _until(capmeter, "ws/btcusdt@trade", "disconnected")
        assert [message.type async for message in unread] == [aiohttp.WSMsgType.TEXT] * 5
        assert capmeter.value(MESSAGES, kind="trade") == 5

        socket = await session.ws_connect(f"{place}/echo")
        closing = asyncio.ensure_future(socket.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert "echo" not in states(capmeter)

    async def main() -> None:
        kept = []
        async with aiohttp.ClientSession() as session:
            await run(session, f"http://127.0.0.1:{feed.port}")
            kept.append(await session.ws_connect(f"http://127.0.0.1:{feed.port}/dead"))
            assert states(capmeter)["dead"] == "connected"
        assert "dead" not in states(capmeter)

    asyncio.run(main())


def test_failures_are_the_librarys_own(feed: Feed, capmeter: CapturingMeter) -> None:
    async def run(session: aiohttp.ClientSession, place: str) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(f"{place}/refused?signature=PLANTED")
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get("http://127.0.0.1:9/gone")
        with pytest.raises(aiohttp.InvalidURL):
            await session.get("not a url")
        with pytest.raises(aiohttp.ClientResponseError) as raised:
            await session.get(f"{place}/limited?signature=PLANTED", raise_for_status=True)
        assert raised.value.status == 429

    _with_session(feed, run)
    assert states(capmeter) == {"refused": "disconnected"}
    assert capmeter.value("trading.venue.request.duration", error_type="WSServerHandshakeError") == 1
    assert capmeter.value("trading.rate_limit.rejections", error_type="429") == 1
    assert "PLANTED" not in str(capmeter.samples())


def test_uninstrumenting_under_way_harms_nobody(feed: Feed, capmeter: CapturingMeter) -> None:
    async def run(session: aiohttp.ClientSession, place: str) -> None:
        async with session.ws_connect(f"{place}/echo") as socket:
            waiting = asyncio.ensure_future(socket.receive())
            await asyncio.sleep(0)
            AiohttpInstrumentor().uninstrument()
            await socket.send_str(told(1))
            assert (await waiting).data == told(1)
            assert not states(capmeter)
            AiohttpInstrumentor().instrument(skip_dep_check=True)

    _with_session(feed, run)
    assert not [one for one in capmeter.samples() if one.name == MESSAGES]


def _with_session(feed: Feed, run: Any) -> None:
    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            await run(session, f"http://127.0.0.1:{feed.port}")

    asyncio.run(main())
