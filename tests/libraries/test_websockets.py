"""websockets, oldest and newest: three unchanged bots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from venues.feed import Feed

from bot_support import assert_held, assert_nothing_planted, environment, unchanged

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

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
            assert_nothing_planted(stack, name)


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
            assert_nothing_planted(stack, "threads-bot")


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
