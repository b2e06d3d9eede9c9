"""What a raw WebSocket message of Binance, Kraken (v2) or Coinbase says beyond its kind: its symbol and its time.

Other venues' messages have a kind only. Names of symbols are the venue's own, as the bot asks for them.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias
from urllib.parse import unquote, urlsplit

from otel_trading.instrumentation import _shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from otel_trading.semconv.attributes import DataKind

    #: A kind of data, of one symbol or of whatever comes.
    Feed: TypeAlias = tuple[DataKind, str | None]

__all__ = ["Told", "asked", "asked_by_url", "moment_of", "read", "time_of"]

_HEAD: Final = 400
_TAIL: Final = 80
#: Of a message that names several symbols, and of a subscription, which may name hundreds.
_MOST: Final = 65_536
_BY_SYMBOL: Final = frozenset({"trade", "quote", "order_book", "bar", "ticker", "funding"})
_SYMBOL: Final = re.compile(r"[\w/.:-]{1,32}")
#: What Binance sends most, whole or in a combined stream, so that one look tells all of it.
_EVENT: Final = re.compile(
    r'\{(?:"stream":"[^"\\]{1,80}","data":\{)?"e":"(\w{1,32})","E":\d+,(?:"T":\d+,)?"s":"(\w{1,32})"'
    r'(?:,"([ta])":(\d{1,18})\b)?'
)
_MILLISECONDS: Final = re.compile(r'"E":\s*(\d{13}|\d{16})\b')
_MOMENT: Final = re.compile(r'"time(?:stamp)?":\s*"(\d{4}-[^"]{16,31})"')
#: RFC 3339, to the nanosecond.
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
#: Of what happened before the bot asked; and the bars of Kraken say when they end.
_EARLIER: Final = re.compile(r'"type":\s*"(?:snapshot|last_match)"|"channel":\s*"ohlc"')


class Told(NamedTuple):
    """What a message with data says."""

    kind: DataKind
    symbols: tuple[str | None, ...] = (None,)
    #: What the venue numbers without holes, and the number.
    number: tuple[str, int] | None = None


class _Venue(NamedTuple):
    """How a venue says it."""

    symbol: re.Pattern[str]
    time: Callable[[str], float | None]
    #: Words and symbols of a subscription.
    asked: Callable[[Any], Iterable[tuple[str, str | None]]]


def read(venue: str, message: str | bytes) -> Told | None:
    """Return what a message brings, or None for one that brings no data.

    Args:
        venue: Whose message it is.
        message: As it came.
    """
    known = _VENUES.get(venue)
    if known is _BINANCE and type(message) is str and (event := _EVENT.match(message)) is not None:
        kind = _kind_of_event(event[1])
        if kind is not None:
            _, symbol, key, number = event.groups()
            counts = key is not None and kind == "trade" and venue in _shapes.NUMBERED
            numbered = (f'{symbol}","{key}', int(number)) if counts else None
            return Told(kind, (symbol,) if kind in _BY_SYMBOL else (None,), numbered)
    kind = _shapes.kind_of(message)
    if kind is None:
        return None
    number = _shapes.number_of(venue, message) if kind == "trade" else None
    return Told(kind, _symbols(known, message) if known and kind in _BY_SYMBOL else (None,), number)


def time_of(venue: str, message: str | bytes) -> float | None:
    """Return when a message's venue says that it happened, in Unix seconds, where it says so.

    Args:
        venue: Whose message it is.
        message: As it came.
    """
    known = _VENUES.get(venue)
    if known is None:
        return None
    head = _text(message[:_HEAD])
    return known.time(head if len(message) <= _HEAD else f"{head}\n{_text(message[-_TAIL:])}")


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


def asked(venue: str, message: str | bytes) -> tuple[set[Feed], set[Feed]]:
    """Return the feeds that a message to the venue subscribes, and those that it ends.

    Args:
        venue: To whom it goes.
        message: As the bot sends it.
    """
    begun, ended = _shapes.asked(message)
    if not begun and not ended and not _shapes.subscribes(message):
        return set(), set()
    known = _VENUES.get(venue)
    named: set[Feed] = set() if known is None else _named(known, message)
    if not named:
        return {(kind, None) for kind in begun}, {(kind, None) for kind in ended}
    return (set(), named) if _shapes.ends(message) else (named, set())


def asked_by_url(venue: str, url: str) -> set[Feed]:
    """Return the feeds that opening a URL subscribes: Binance's .../ws/btcusdt@trade.

    Args:
        venue: Who answers there.
        url: Of the connection.
    """
    kinds: set[Feed] = {(kind, None) for kind in _shapes.asked_by_url(url)}
    if not kinds or _VENUES.get(venue) is not _BINANCE:
        return kinds
    parts = urlsplit(url)
    streams = re.split(r"[/=&]", unquote(f"{parts.path}/{parts.query}"))
    return _feeds(_stream(one) for one in streams if "@" in one) or kinds


def _named(known: _Venue, message: str | bytes) -> set[Feed]:
    try:
        return _feeds(known.asked(json.loads(message[:_MOST])))
    except (ValueError, LookupError, TypeError, AttributeError):
        return set()  # it does not ask as the venue's documentation says: the kinds are known


def _feeds(asked: Iterable[tuple[str, str | None]]) -> set[Feed]:
    feeds: set[Feed] = set()
    for word, symbol in asked:
        kind = _shapes.kind_of_word(word)
        if kind is not None:
            feeds.add((kind, symbol if kind in _BY_SYMBOL and symbol and _SYMBOL.fullmatch(symbol) else None))
    return feeds


def _symbols(known: _Venue, message: str | bytes) -> tuple[str | None, ...]:
    head = _text(message[:_HEAD])
    found = known.symbol.search(head)
    if found is None:
        return (None,)
    if known is _BINANCE:
        return (found[1].upper(),)  # as the stream is named, which says it in small letters
    key: Any = found[0].partition(":")[0]
    if message.find(key if isinstance(message, str) else key.encode(), found.end()) < 0:
        return (found[1],)
    return tuple(dict.fromkeys(known.symbol.findall(_text(message[:_MOST]))))


def _text(part: Any) -> str:
    return part if isinstance(part, str) else bytes(part).decode("utf-8", "replace")


@lru_cache(maxsize=256)
def _kind_of_event(word: str) -> DataKind | None:
    return None if _shapes.is_control(word) else _shapes.kind_of_word(word)


def _event_time(text: str) -> float | None:
    found = _MILLISECONDS.search(text)
    return None if found is None else int(found[1]) / 10 ** (len(found[1]) - 10)


def _moment(text: str) -> float | None:
    found = None if _EARLIER.search(text) else _MOMENT.search(text)
    return None if found is None else moment_of(found[1])


def _stream(name: str) -> tuple[str, str | None]:
    symbol, _, stream = name.partition("@")
    return (symbol, None) if symbol.startswith("!") else (stream, symbol.upper())


def _asked_binance(message: Any) -> Iterator[tuple[str, str | None]]:
    return (_stream(one) for one in message["params"])


def _asked_kraken(message: Any) -> Iterator[tuple[str, str | None]]:
    symbols = message["params"].get("symbol")
    return ((message["params"]["channel"], one) for one in _list(symbols))


def _asked_coinbase(message: Any) -> Iterator[tuple[str, str | None]]:
    for channel in message.get("channels") or [message["channel"]]:
        plain = isinstance(channel, str)
        symbols = None if plain else channel.get("product_ids")
        for symbol in _list(symbols or message.get("product_ids")):
            yield channel if plain else channel["name"], symbol


def _list(symbols: Any) -> Any:
    return symbols if symbols and not isinstance(symbols, str) else [None]


_BINANCE: Final = _Venue(re.compile(r'"(?:stream":\s*"(?=\w+@)|s":\s*")(\w{1,32})'), _event_time, _asked_binance)
_COINBASE: Final = _Venue(re.compile(r'"product_id":\s*"([\w-]{1,32})"'), _moment, _asked_coinbase)
_KRAKEN: Final = _Venue(re.compile(r'"symbol":\s*"([\w/.:-]{1,32})"'), _moment, _asked_kraken)
_VENUES: Final = {
    "binance": _BINANCE,
    "binancecoinm": _BINANCE,
    "binanceus": _BINANCE,
    "binanceusdm": _BINANCE,
    "coinbase": _COINBASE,
    "coinbaseexchange": _COINBASE,
    "kraken": _KRAKEN,
}
