"""Ordinary bots on ccxt, which log what they did, and what the real Prometheus must hold of each."""

from __future__ import annotations

from typing import Final

__all__ = ["KRAKEN", "OPTIONS", "SECRET", "SYNC"]

SECRET: Final = "PLANTED"
#: A bot's own settings: what it has on the venue, and where that is.
OPTIONS: Final = """
def settings(name, address):
    rest, socket = f"http://{address}/api/v3", f"ws://{address}"
    url = rest if name == "binance" else f"http://{address}"
    streams = {"spot": f"{socket}/ws", "ws-api": {"spot": f"{socket}/ws-api/v3"}, "margin": f"{socket}/ws"}
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

exchange = ccxt.binance(settings("binance", os.environ["BOT_VENUE"]))
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
print(json.dumps(did), flush=True)
input()
"""
)
KRAKEN: Final = (
    OPTIONS
    + """
import json, os
import ccxt

exchange = ccxt.kraken(settings("kraken", os.environ["BOT_VENUE"]))
errors = []
done = exchange.create_order("BTC/USD", "market", "buy", 0.5)
filled = exchange.fetch_order(done["id"], "BTC/USD")["filled"]
same = sum(trade["amount"] for trade in exchange.fetch_my_trades("BTC/USD"))
resting = exchange.create_order("BTC/USD", "limit", "buy", 1, 40000)
exchange.cancel_order(resting["id"], "BTC/USD")
for volume, number in (5000, None), (None, "OUNKNOWN-NONE-NONE"):
    try:
        exchange.create_order("BTC/USD", "limit", "buy", volume, 1) if volume else exchange.cancel_order(number)
    except ccxt.BaseError as error:
        errors.append(type(error).__name__)
print(json.dumps([filled, same, errors]), flush=True)
input()
"""
)
