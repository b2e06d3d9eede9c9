"""What a raw WebSocket message of a venue says beyond its kind: its symbol and its time.

The messages of a venue that has no dialect (`_dialects`) have a kind only. Names of symbols are the venue's own, as the
bot asks for them.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias
from urllib.parse import unquote, urlsplit

from otel_trading.instrumentation import _dialects, _shapes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_trading.semconv.attributes import DataKind

    #: A kind of data, of one symbol or of whatever comes.
    Feed: TypeAlias = tuple[DataKind, str | None]

__all__ = ["Told", "asked", "asked_by_url", "read", "time_of"]

_HEAD: Final = 400
_TAIL: Final = 120
#: Of a message that names several symbols, and of a subscription, which may name hundreds.
_MOST: Final = 65_536
_BY_SYMBOL: Final = frozenset({"trade", "quote", "order_book", "bar", "ticker", "funding"})
_SYMBOL: Final = re.compile(r"[\w/.:-]{1,32}")
#: What Binance sends most, whole or in a combined stream, so that one look tells all of it.
_EVENT: Final = re.compile(
    r'\{(?:"stream":"[^"\\]{1,80}","data":\{)?"e":"(\w{1,32})","E":\d+,(?:"T":\d+,)?"s":"(\w{1,32})"'
    r'(?:,"([ta])":(\d{1,18})\b)?'
)


class Told(NamedTuple):
    """What a message with data says."""

    kind: DataKind
    symbols: tuple[str | None, ...] = (None,)
    #: What the venue numbers without holes, and the number.
    number: tuple[str, int] | None = None


def read(venue: str, message: str | bytes) -> Told | None:
    """Return what a message brings, or None for one that brings no data.

    Args:
        venue: Whose message it is.
        message: As it came.
    """
    known = _dialects.of(venue)
    if known is _dialects.BINANCE and type(message) is str and (event := _EVENT.match(message)) is not None:
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
    known = _dialects.of(venue)
    if known is None:
        return None
    head = _text(message[:_HEAD])
    return known.time(head if len(message) <= _HEAD else f"{head}\n{_text(message[-_TAIL:])}")


def asked(venue: str, message: str | bytes) -> tuple[set[Feed], set[Feed]]:
    """Return the feeds that a message to the venue subscribes, and those that it ends.

    Args:
        venue: To whom it goes.
        message: As the bot sends it.
    """
    begun, ended = _shapes.asked(message)
    if not begun and not ended and not _shapes.subscribes(message):
        return set(), set()
    known = _dialects.of(venue)
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
    if not kinds or _dialects.of(venue) is not _dialects.BINANCE:
        return kinds
    parts = urlsplit(url)
    streams = re.split(r"[/=&]", unquote(f"{parts.path}/{parts.query}"))
    return _feeds(_dialects.stream(one) for one in streams if "@" in one) or kinds


def _named(known: _dialects.Dialect, message: str | bytes) -> set[Feed]:
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


def _symbols(known: _dialects.Dialect, message: str | bytes) -> tuple[str | None, ...]:
    head = _text(message[:_HEAD])
    found = known.symbol.search(head)
    if found is None:
        return (None,)
    if known is _dialects.BINANCE:
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
