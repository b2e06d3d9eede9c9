"""How venues write their WebSocket messages: where a symbol stands, where a time, and how a bot asks for data.

By the documentation of each: Binance (spot and futures streams), Bybit (v5), Coinbase (Exchange and Advanced Trade),
Kraken (v2) and OKX (v5).
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["BINANCE", "Dialect", "moment_of", "of", "stream"]

_EVENT_TIME: Final = re.compile(r'"E":\s*(\d{13}|\d{16})\b')
_TS: Final = re.compile(r'"ts":\s*"?(\d{13})\b')
_MOMENT: Final = re.compile(r'"time(?:stamp)?":\s*"(\d{4}-[^"]{16,31})"')
#: RFC 3339, to the nanosecond.
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
#: Of what happened before the bot asked; and the bars of Kraken say when they end.
_EARLIER: Final = re.compile(r'"type":\s*"(?:snapshot|last_match)"|"channel":\s*"ohlc"')


class Dialect(NamedTuple):
    """How a venue says it."""

    symbol: re.Pattern[str]
    #: The time that a message says, in Unix seconds.
    time: Callable[[str], float | None]
    #: Words and symbols of a subscription.
    asked: Callable[[Any], Iterable[tuple[str, str | None]]]


def of(venue: str) -> Dialect | None:
    """Return how a venue writes, where that is known.

    Args:
        venue: ccxt's id.
    """
    return _DIALECTS.get(venue)


def moment_of(text: object) -> float | None:
    """Return a time in text as Unix seconds, or None for what is none.

    Args:
        text: As RFC 3339 writes it.
    """
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    day, fraction, zone = found.groups()
    try:
        return datetime.fromisoformat(day + zone.replace("Z", "+00:00")).timestamp() + float(fraction or 0)
    except ValueError:
        return None  # no such day


def stream(name: str) -> tuple[str, str | None]:
    """Return what one of Binance's streams brings, and of which symbol.

    Args:
        name: As `btcusdt@trade`, or `!ticker@arr` of all symbols.
    """
    symbol, _, word = name.partition("@")
    return (symbol, None) if symbol.startswith("!") else (word, symbol.upper())


def _digits(pattern: re.Pattern[str]) -> Callable[[str], float | None]:
    """Return what finds Unix milliseconds or microseconds."""

    def time(text: str) -> float | None:
        found = pattern.search(text)
        return None if found is None else int(found[1]) / 10 ** (len(found[1]) - 10)

    return time


def _moment(text: str) -> float | None:
    found = None if _EARLIER.search(text) else _MOMENT.search(text)
    return None if found is None else moment_of(found[1])


def _asked_binance(message: Any) -> Iterator[tuple[str, str | None]]:
    return (stream(one) for one in message["params"])


def _asked_bybit(message: Any) -> Iterator[tuple[str, str | None]]:
    """Of `orderbook.50.BTCUSDT`; what has no symbol, as `order`, is the account's."""
    for topic in message["args"]:
        word, *more = topic.split(".")
        yield word, more[-1] if more else None


def _asked_coinbase(message: Any) -> Iterator[tuple[str, str | None]]:
    for channel in message.get("channels") or [message["channel"]]:
        plain = isinstance(channel, str)
        symbols = None if plain else channel.get("product_ids")
        for symbol in _list(symbols or message.get("product_ids")):
            yield channel if plain else channel["name"], symbol


def _asked_kraken(message: Any) -> Iterator[tuple[str, str | None]]:
    symbols = message["params"].get("symbol")
    return ((message["params"]["channel"], one) for one in _list(symbols))


def _asked_okx(message: Any) -> Iterator[tuple[str, str | None]]:
    return ((one["channel"], one.get("instId")) for one in message["args"])


def _list(symbols: Any) -> Any:
    return symbols if symbols and not isinstance(symbols, str) else [None]


BINANCE: Final = Dialect(
    re.compile(r'"(?:stream":\s*"(?=\w+@)|s":\s*")(\w{1,32})'), _digits(_EVENT_TIME), _asked_binance
)
_BYBIT: Final = Dialect(re.compile(r'"topic":\s*"\w+(?:\.\w+)?\.([\w-]{1,32})"'), _digits(_TS), _asked_bybit)
_COINBASE: Final = Dialect(re.compile(r'"product_id":\s*"([\w-]{1,32})"'), _moment, _asked_coinbase)
_KRAKEN: Final = Dialect(re.compile(r'"symbol":\s*"([\w/.:-]{1,32})"'), _moment, _asked_kraken)
_OKX: Final = Dialect(re.compile(r'"instId":\s*"([\w-]{1,32})"'), _digits(_TS), _asked_okx)
_DIALECTS: Final = {
    "binance": BINANCE,
    "binancecoinm": BINANCE,
    "binanceus": BINANCE,
    "binanceusdm": BINANCE,
    "bybit": _BYBIT,
    "coinbase": _COINBASE,
    "coinbaseexchange": _COINBASE,
    "kraken": _KRAKEN,
    "okx": _OKX,
}
