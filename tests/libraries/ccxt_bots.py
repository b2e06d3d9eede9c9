"""Ordinary bots on ccxt, which log what they did, and what the real Prometheus must hold of each."""

from __future__ import annotations

from typing import Final

__all__ = ["OPTIONS", "PRO", "SECRET", "SYNC"]

SECRET: Final = "PLANTED"
#: A bot's own settings: what it has on the venue, and where that is.
OPTIONS: Final = """
def settings(name, address):
    rest, socket = f"http://{address}/api/v3", f"ws://{address}"
    url = rest if name == "binance" else f"http://{address}"
    streams = {"spot": f"{socket}/stream/testnet.binance/ws", "ws-api": {"spot": f"{socket}/ws-api/v3"}}
    return {
        "apiKey": "PLANTEDkey",
        "secret": "UExBTlRFRHNlY3JldA==",
        "enableRateLimit": True,
        "urls": {"api": {"public": url, "private": url, "v1": url, "ws": streams}},
        "options": {"fetchMarkets": ["spot"], "fetchCurrencies": False, "fetchMargins": False},
    }
"""
SYNC: Final = (
    OPTIONS
    + """
import json, os
import ccxt

exchange = ccxt.binance(settings("binance", os.environ["BOT_BINANCE"]))
did = {"filled": 0, "errors": []}

def attempt(call, *args, **kwargs):
    try:
        return call(*args, **kwargs)
    except ccxt.BaseError as error:
        did["errors"].append(type(error).__name__)

exchange.load_markets()
exchange.fetch_time()
attempt(exchange.fetch_ticker, "BTC/USDT")  # this one is refused
market = exchange.create_order("BTC/USDT", "market", "buy", 0.5)
slow = exchange.create_limit_buy_order("BTC/USDT", 1, 49999, {"clientOrderId": "mine-1"})
while slow["status"] == "open":
    slow = exchange.fetch_order(slow["id"], "BTC/USDT")
for trade in exchange.fetch_my_trades("BTC/USDT"):
    did["filled"] += trade["amount"]
resting = exchange.createOrder("BTC/USDT", "limit", "sell", 1, 60000)
exchange.cancel_order(resting["id"], "BTC/USDT")
attempt(exchange.create_order, "BTC/USDT", "limit", "buy", 5000, 40000, {"note": "PLANTED"})
attempt(exchange.create_order, "BTC/USDT", "limit", "buy", 1, 60000, {"postOnly": True})
attempt(exchange.create_order, "NO/PE", "limit", "buy", 1, 1)
attempt(exchange.cancel_order, slow["id"], "BTC/USDT")

kraken = ccxt.kraken(settings("kraken", os.environ["BOT_KRAKEN"]))
done = kraken.create_order("BTC/USD", "market", "buy", 0.5)
did["kraken"] = kraken.fetch_order(done["id"], "BTC/USD")["filled"]
did["again"] = sum(trade["amount"] for trade in kraken.fetch_my_trades("BTC/USD"))
resting = kraken.create_order("BTC/USD", "limit", "buy", 1, 40000)
kraken.cancel_order(resting["id"], "BTC/USD")
attempt(kraken.create_order, "BTC/USD", "limit", "buy", 5000, 1)
attempt(kraken.cancel_order, "OUNKNOWN-NONE-NONE")
print(json.dumps(did), flush=True)
input()
"""
)
PRO: Final = (
    OPTIONS
    + """
import asyncio, json, os, sys, urllib.request
import ccxt.pro as ccxt

address = os.environ["BOT_VENUE"]
did = {"ticker": 0, "book": 0, "lost": [], "states": []}

def control(what):
    urllib.request.urlopen(f"http://{address}/control/{what}").read()

async def follow(exchange):
    while "closed" not in did["states"]:
        did["states"] += [order["status"] for order in await exchange.watch_orders("BTC/USDT")]

async def until_lost(watch, key, most=1_000_000):
    for _ in range(most):  # a connection that is lost between two calls is only opened again
        try:
            await watch("BTC/USDT")
        except ccxt.NetworkError as error:
            did["lost"].append(type(error).__name__)
            return
        did[key] += 1

async def trade(exchange):
    both = [("buy", 0.5), ("sell", 0.25)]
    orders = (exchange.create_order("ETH/USDT", "market", side, amount) for side, amount in both)
    did["done"] = [order["status"] for order in await asyncio.gather(*orders)]
    await exchange.create_order("ETH/USDT", "limit", "buy", 1, 40000)
    await exchange.cancel_all_orders("ETH/USDT")
    try:
        await exchange.create_order("ETH/USDT", "limit", "buy", 5000, 40000)
    except ccxt.InsufficientFunds:
        did["refused"] = 1

async def main():
    exchange = ccxt.binance(settings("binance", address))
    try:
        await exchange.watch_ticker("BTC/USDT")
        did["ticker"] += 1
        book = asyncio.create_task(until_lost(exchange.watch_order_book, "book"))
        while did["book"] < 3:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(control, "skip")
        await book
        await until_lost(exchange.watch_order_book, "book", 3)
        orders = asyncio.create_task(follow(exchange))
        await asyncio.sleep(0.5)
        await exchange.create_order("BTC/USDT", "limit", "buy", 1, 49998)
        await orders
        ticker = asyncio.create_task(until_lost(exchange.watch_ticker, "ticker", 100))
        await asyncio.to_thread(control, "drop")
        await ticker
        await exchange.watch_ticker("BTC/USDT")
        did["ticker"] += 1
        await trade(exchange)
        print(json.dumps(did), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
    finally:
        await exchange.close()

asyncio.run(main())
"""
)
