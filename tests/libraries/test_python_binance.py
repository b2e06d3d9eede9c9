"""python-binance, oldest and newest: an unchanged bot on a stand-in of Binance, sync, async and on streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from venues.binance import binance

from bot_support import assert_held, assert_nothing_planted, environment, unchanged

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

BOT: Final = """
import asyncio, json, os, sys, urllib.request
from binance import AsyncClient, BinanceSocketManager, Client
from binance.exceptions import BinanceAPIException

address = os.environ["BOT_VENUE"]
for client in Client, AsyncClient:
    client.API_URL, client.WS_API_URL = f"http://{address}/api", f"ws://{address}/ws-api/v3"
BinanceSocketManager.STREAM_URL = f"ws://{address}/"
did = {"errors": [], "trades": 0, "book": 0, "states": [], "lost": 0}

def attempt(call, **kwargs):
    try:
        return call(**kwargs)
    except BinanceAPIException as error:
        did["errors"].append(error.code)

def control(what):
    urllib.request.urlopen(f"http://{address}/control/{what}").read()

def trade(client, symbol):
    client.get_exchange_info()
    client.get_server_time()
    attempt(client.get_ticker, symbol=symbol)  # this one is refused
    client.order_market_buy(symbol=symbol, quantity=0.5)
    slow = client.order_limit_buy(symbol=symbol, quantity=1, price="49999", newClientOrderId="mine-1")
    while slow["status"] != "FILLED":
        slow = client.get_order(symbol=symbol, orderId=slow["orderId"])
    did["filled"] = sum(float(one["qty"]) for one in client.get_my_trades(symbol=symbol))
    resting = client.order_limit_sell(symbol=symbol, quantity=1, price="60000")
    client.cancel_order(symbol=symbol, orderId=resting["orderId"])
    attempt(client.order_limit_buy, symbol=symbol, quantity=5000, price="40000")
    attempt(client.create_order, symbol=symbol, side="BUY", type="LIMIT_MAKER", quantity=1, price="60000")
    attempt(client.cancel_order, symbol=symbol, orderId=slow["orderId"])

async def stream():
    client = await AsyncClient.create("PLANTEDkey", "PLANTEDsecret")
    manager = BinanceSocketManager(client)
    trades, book, user = manager.trade_socket("BTCUSDT"), manager.depth_socket("BTCUSDT"), manager.user_socket()
    async with trades, book, user:
        while did["trades"] < 5:
            did["trades"] += (await trades.recv())["e"] == "trade"
        await book.recv()
        await asyncio.to_thread(control, "skip")
        while did["book"] < 20:
            did["book"] += (await book.recv())["e"] == "depthUpdate"
        await client.order_limit_buy(symbol="ETHUSDT", quantity=1, price="49998")
        while "FILLED" not in did["states"]:
            did["states"].append((await user.recv())["X"])
        await client.order_market_sell(symbol="ETHUSDT", quantity=0.25)
        await client.order_limit_buy(symbol="ETHUSDT", quantity=1, price="40000")
        await asyncio.gather(*(client.get_orderbook_ticker(symbol="ETHUSDT") for _ in range(3)))
        await asyncio.to_thread(control, "drop")
        while not did["lost"]:
            did["lost"] += (await trades.recv())["e"] == "error"
        while (await trades.recv())["e"] == "error":
            pass
        print(json.dumps(did), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
    await client.close_connection()

trade(Client("PLANTEDkey", "PLANTEDsecret"), "BTCUSDT")
asyncio.run(stream())
"""
SECRET: Final = "PLANTED"
#: So that the hooks of requests, aiohttp and websockets, which are on as well, would count what is counted here.
KNOWN: Final = {"OTEL_TRADING_VENUE_HOSTS": "127.0.0.1=binance"}
AT: Final = '$,trading_venue_name="binance"'
BTC, ETH = (f'{AT},trading_instrument_symbol="{symbol}"' for symbol in ("BTCUSDT", "ETHUSDT"))


def _sum(name: str, where: str, **more: str) -> str:
    narrower = "".join(f',trading_{key}="{value}"' for key, value in more.items())
    return f"sum(trading_{name}{{{where}{narrower}}})"


def _states(where: str, **states: float) -> dict[str, float]:
    return {_sum("order_transitions_total", where, order_status=name): count for name, count in states.items()}


def test_a_bot_is_held_as_it_says(stack: Stack, tmp_path: Path) -> None:
    with binance() as (venue, address):
        venue.faults.append(("ticker/24hr", 429, {"Retry-After": "1"}))
        with unchanged(tmp_path, "binance-bot", BOT, environment(stack, BOT_VENUE=address, **KNOWN)) as did:
            assert did["errors"] == [-1003, -2010, -2010, -2011]
            assert did["filled"] == 1.5
            assert_held(
                stack,
                "binance-bot",
                {
                    _sum("execution_fills_total", BTC): 4,
                    _sum("position_quantity", BTC): did["filled"],
                    _sum("order_requests_total", BTC + ',error_type="-2010"'): 2,
                    _sum("order_requests_total", BTC, order_operation="cancel"): 2,
                    **_states(BTC, pending_new=5, filled=2, canceled=1, rejected=2),
                    _sum("order_rejections_total", BTC, order_reject_reason="insufficient_funds"): 1,
                    _sum("order_rejections_total", BTC, order_reject_reason="post_only_would_cross"): 1,
                    _sum("order_acknowledgement_duration_seconds_count", BTC): 3,
                    _sum("venue_request_duration_seconds_count", AT, venue_operation="fetch_bids_asks"): 3,
                    _sum("rate_limit_rejections_total", AT + ',error_type="429"'): 1,
                    _sum("rate_limit_usage", AT, rate_limit_name="request_weight_1m"): venue.weight,
                    _sum("rate_limit_limit", AT, rate_limit_name="request_weight_1m"): 6000,
                    f"abs(trading_venue_clock_offset_seconds{{{AT}}}) < bool 0.5": 1,
                    _sum("execution_fills_total", ETH): 4,
                    _sum("position_quantity", ETH): 0.75,
                    **_states(ETH, pending_new=3, filled=2),
                    _sum("market_data_messages_total", BTC, data_kind="trade") + f" >= bool {did['trades']}": 1,
                    _sum("market_data_messages_total", BTC, data_kind="order_book") + f" >= bool {did['book']}": 1,
                    _sum("market_data_gaps_total", BTC): 1,
                    f"count(trading_connection_uptime_seconds{{{AT}}}) <= bool 4": 1,
                    _sum("connection_reconnects_total", AT) + " >= bool 1": 1,
                },
            )
            assert_nothing_planted(stack, "binance-bot", SECRET)
