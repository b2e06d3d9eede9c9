"""What Binance's replies and messages look like."""

from __future__ import annotations

import time
from typing import Any

__all__ = ["LIMITS", "SYMBOLS", "markets", "message_of", "milliseconds", "ticker"]

SYMBOLS = {"BTCUSDT": ("BTC", "USDT"), "ETHUSDT": ("ETH", "USDT")}
LIMITS = [
    {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
    {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
]


def milliseconds() -> int:
    return time.time_ns() // 1_000_000


def markets() -> list[dict[str, Any]]:
    filters = [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
        {"filterType": "NOTIONAL", "minNotional": "5"},
    ]
    return [
        {
            "symbol": symbol, "status": "TRADING", "baseAsset": base, "quoteAsset": quote, "filters": filters,
            "baseAssetPrecision": 8, "quotePrecision": 8, "quoteAssetPrecision": 8, "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": False, "permissions": ["SPOT"], "permissionSets": [["SPOT"]],
            "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
        }
        for symbol, (base, quote) in SYMBOLS.items()
    ]  # fmt: skip


def ticker(symbol: str) -> dict[str, Any]:
    return {
        "symbol": symbol, "lastPrice": "50000", "price": "50000", "bidPrice": "49990", "askPrice": "50010",
        "bidQty": "1", "askQty": "1", "openPrice": "49000", "highPrice": "51000", "lowPrice": "48000", "volume": "9",
        "quoteVolume": "450000", "openTime": 0, "closeTime": milliseconds(), "priceChange": "1",
        "priceChangePercent": "2", "weightedAvgPrice": "50000", "prevClosePrice": "49000", "lastQty": "1",
        "firstId": 1, "lastId": 2, "count": 2,
    }  # fmt: skip


def message_of(stream: str, number: int) -> dict[str, Any]:
    symbol, _, kind = stream.partition("@")
    base = {"E": milliseconds(), "s": symbol.upper()}
    if kind == "trade":
        return {"e": "trade", **base, "t": number, "p": "50000", "q": "0.1", "T": milliseconds(), "m": True, "M": True}
    if kind == "aggTrade":
        return {"e": "aggTrade", **base, "a": number, "p": "50000", "q": "1", "f": 1, "l": 1, "T": milliseconds(),
                "m": True, "M": True}  # fmt: skip
    if kind == "bookTicker":
        return {"u": number, "s": symbol.upper(), "b": "49990", "B": "1", "a": "50010", "A": "1"}
    if kind.startswith("depth"):
        return {"e": "depthUpdate", **base, "U": number, "u": number, "b": [["49990", "2"]], "a": [["50010", "2"]]}
    name = "24hrMiniTicker" if kind == "miniTicker" else "24hrTicker"
    return {
        "e": name, **base, "p": "1", "P": "2", "w": "50000", "x": "49000", "c": "50000", "Q": "1",
        "b": "49990", "B": "1", "a": "50010", "A": "1", "o": "49000", "h": "51000", "l": "48000", "v": "9",
        "q": "450000", "O": 0, "C": milliseconds(), "F": 1, "L": 2, "n": 2,
    }  # fmt: skip
