"""Which venue answers at a host."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from otel_trading import environment

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["venue_of"]

#: ccxt's id, or the broker's, by the domain of the API; a longer one wins, so that futures differ from spot.
HOSTS: Final = {
    "alpaca.markets": "alpaca",
    "binance.com": "binance",
    "binance.us": "binanceus",
    "binance.vision": "binance",
    "bitfinex.com": "bitfinex",
    "bitget.com": "bitget",
    "bitmex.com": "bitmex",
    "bitstamp.net": "bitstamp",
    "bybit.com": "bybit",
    "coinbase.com": "coinbase",
    "crypto.com": "cryptocom",
    "dapi.binance.com": "binancecoinm",
    "deribit.com": "deribit",
    "dstream.binance.com": "binancecoinm",
    "exchange.coinbase.com": "coinbaseexchange",
    "fapi.binance.com": "binanceusdm",
    "fstream.binance.com": "binanceusdm",
    "futures.kraken.com": "krakenfutures",
    "gateio.ws": "gate",
    "gemini.com": "gemini",
    "htx.com": "htx",
    "hyperliquid.xyz": "hyperliquid",
    "kraken.com": "kraken",
    "kucoin.com": "kucoin",
    "mexc.com": "mexc",
    "oanda.com": "oanda",
    "okx.com": "okx",
    "tradier.com": "tradier",
    "ws-dapi.binance.com": "binancecoinm",
    "ws-fapi.binance.com": "binanceusdm",
}

#: Where `os.environ` keeps them: it says by two exceptions that one is not set, which took a third of this look-up.
_variables: Final[Mapping[Any, Any]] = getattr(os.environ, "_data", os.environ)
_own: Final = environment.OTEL_TRADING_VENUE_HOSTS.name
_SETTING: Final[Any] = _own if _variables is os.environ else os.environ.encodekey(_own)


def venue_of(url: str) -> str | None:
    """Return the venue that answers at a URL, or None for a host that is none: those are not watched.

    Args:
        url: Of the request; only host and port are read.
    """
    # Signed URLs never repeat: only what lies between the slashes is worth remembering.
    where = url.split("/", 3)[2] if "//" in url else ""
    return _venue(where, _variables.get(_SETTING))


@lru_cache(maxsize=256)
def _venue(where: str, _setting: str | bytes | None) -> str | None:
    parts = urlsplit(f"//{where}")
    host, port, own = parts.hostname or "", parts.port, environment.OTEL_TRADING_VENUE_HOSTS.get()
    known = {**HOSTS, **dict(own)}
    words = host.split(".")
    names = [f"{host}:{port}", *(".".join(words[start:]) for start in range(len(words)))]
    return next((known[name] for name in names if name in known), None)
