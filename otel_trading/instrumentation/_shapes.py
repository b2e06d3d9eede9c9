"""What a raw WebSocket message of a venue is about, told from its first bytes; nothing is parsed, nothing is kept."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from otel_trading.semconv.attributes import DataKind

__all__ = [
    "NUMBERED",
    "asked",
    "asked_by_url",
    "ends",
    "is_control",
    "kind_of",
    "kind_of_word",
    "number_of",
    "subscribes",
]

#: Bytes of a message that are looked at; every venue below says within them what it sends.
_HEAD: Final = 400
#: Of a subscription, which names all its symbols.
_ASKED: Final = 4000
#: Where venues say it: Binance e and stream, Kraken channel and feed, Coinbase type, OKX channel, Bybit topic, BitMEX
#: table, Polygon ev, Alpaca T, Deribit method.
_TOLD: Final = re.compile(
    rb'"(?:e|ev|T|stream|channel|ch|feed|topic|type|table|event|method|op|subject)"\s*:\s*"([^"\\]{1,64})"'
)
#: In this order: an order_trade_update is no trade, a bookTicker is no book, a tradeBin is no trade.
_ACCOUNT: Final = (
    r"order_trade|trade_?update|trade_lite|tradeorders|execution|account|balance|wallet|position|own_?trade|user"
    r"|fills|margin|(?:^|[./_])orders?$|open_?orders|order_?update"
)
_WORDS: Final[tuple[tuple[DataKind, str], ...]] = (
    ("account", _ACCOUNT),
    ("quote", r"book_?ticker|bbo|quote|spread|^q$"),
    ("order_book", r"book|depth|^l2|level[23]|^o$"),
    ("funding", r"funding"),
    ("ticker", r"ticker|allmids|mark-?price"),
    ("bar", r"kline|candle|ohlc|^chart|tradebin|^bars?$|updatedbars|dailybars|^am?$|^b$"),
    ("trade", r"trade|match|^t$|deal"),
    ("news", r"^news$|^n$"),
)
_KINDS: Final[tuple[tuple[DataKind, re.Pattern[str]], ...]] = tuple(
    (kind, re.compile(pattern)) for kind, pattern in _WORDS
)
#: Heartbeats, answers and greetings: over a connection that brings nothing else no data comes.
_CONTROL: Final = re.compile(
    r"heartbeat|^hb$|ping|pong|subscri|welcome|^ack$|^auth|login|logon|^error$|^info$|status|^success$|^conn|^system"
)
_SUBSCRIBED: Final = b"ubscri"
#: Some venues answer a subscription for as long as it lasts: then each message of the feed is an answer with data.
_CARRIES: Final = re.compile(rb'"data"\s*:\s*(?:\[\s*[^\]\s]|\{\s*[^}\s])')
#: Without such a word: books and best prices of Binance, and answers to a call.
_BOOK: Final = re.compile(rb'"(?:bids|asks|lastUpdateId)"')
_QUOTE: Final = re.compile(rb'"b":\s*"[^"]*",\s*"B":\s*"[^"]*",\s*"a":\s*"')
_ANSWER: Final = re.compile(rb'"(?:result|success|info|code|ret_msg)"\s*:|^\s*"?(?i:ping|pong)"?\s*$')
#: Kraken's first API and Bitfinex say it bare, in a list: [4, {...}, "trade", "XBT/USD"], [4, "hb"].
_LISTED: Final = re.compile(rb'"([a-z]+)(?:-\d+)?"\s*(?:,\s*"[^"]{3,24}"\s*)?\]\s*$')
_TAIL: Final = 64
_ASKS: Final = re.compile(rb'subscribe"|"(?:un)?sub"', re.IGNORECASE)
_ENDS: Final = re.compile(rb"unsub", re.IGNORECASE)
_QUOTED: Final = re.compile(rb'"([^"\\]{1,40})"')
_AT: Final = re.compile(r"@([a-zA-Z]\w{2,})")
#: What a venue numbers without holes, by what and in what: the trades of one symbol.
NUMBERED: Final = {
    "binance": re.compile(rb'"s":"(\w{1,32}","[ta])":(\d{1,18})\b'),
    "binanceus": re.compile(rb'"s":"(\w{1,32}","[ta])":(\d{1,18})\b'),
    "coinbaseexchange": re.compile(rb'"trade_id":(?=\d{1,18},.{1,350}"product_id":"([\w-]{1,32})")(\d{1,18})'),
}

_Verdict: TypeAlias = "DataKind | Literal['control'] | None"


def kind_of(message: str | bytes) -> DataKind | None:
    """Return what kind of data a message brings, `other` for an unknown shape, and None for one that brings none."""
    head = _start(message, _HEAD)
    words = tuple(_TOLD.findall(head))
    if words and _SUBSCRIBED in head and _CARRIES.search(head):
        words = tuple(word for word in words if _SUBSCRIBED not in word)
    verdict = _verdict(words) if words else None
    return (verdict or _bare(head, message)) if verdict != "control" else None


def asked(message: str | bytes) -> tuple[set[DataKind], set[DataKind]]:
    """Return the kinds of data that a message to the venue subscribes, and those that it ends."""
    text = _start(message, _ASKED)
    if not _ASKS.search(text):
        return set(), set()
    words = (word for word in _QUOTED.findall(text) if _verdict((word,)) != "control")
    kinds: set[DataKind] = {kind for word in words if (kind := _kind(word)) is not None}
    none: set[DataKind] = set()
    return (none, kinds) if _ENDS.search(text) else (kinds, none)


def subscribes(message: str | bytes) -> bool:
    """Return whether a message to the venue subscribes or ends a subscription."""
    return _ASKS.search(_start(message, _ASKED)) is not None


def ends(message: str | bytes) -> bool:
    """Return whether a message that `subscribes` ends a subscription."""
    return _ENDS.search(_start(message, _ASKED)) is not None


def kind_of_word(word: str) -> DataKind | None:
    """Return the kind of data that a word of a venue means, such as the name of a channel."""
    return _kind(word.encode("utf-8", "replace"))


def is_control(word: str) -> bool:
    """Return whether a word of a venue means that no data comes."""
    return _CONTROL.search(word.lower()) is not None


def asked_by_url(url: str) -> set[DataKind]:
    """Return the kinds of data that opening a URL subscribes: Binance's .../ws/btcusdt@trade."""
    parts = urlsplit(url)
    words = _AT.findall(unquote(f"{parts.path}?{parts.query}"))
    return {kind for word in words if (kind := _kind(word.encode())) is not None}


def number_of(venue: str, message: str | bytes) -> tuple[str, int] | None:
    """Return what a venue numbers without holes, and the number of a message that brings a trade.

    Args:
        venue: Only some number their trades.
        message: As it came.
    """
    pattern = NUMBERED.get(venue)
    found = pattern.search(_start(message, _HEAD)) if pattern else None
    return (found[1].decode(), int(found[2])) if found else None


def _start(message: Any, length: int) -> bytes:
    start = message[:length]
    return start.encode("utf-8", "replace") if isinstance(start, str) else bytes(start)


@lru_cache(maxsize=4096)
def _verdict(words: tuple[bytes, ...]) -> _Verdict:
    if any(_CONTROL.search(_lower(word)) for word in words):
        return "control"
    return next((kind for word in words if (kind := _kind(word)) is not None), None)


def _kind(word: bytes) -> DataKind | None:
    text = _lower(word)
    return next((kind for kind, pattern in _KINDS if pattern.search(text)), None)


def _lower(word: bytes) -> str:
    return word.decode("utf-8", "replace").lower()


def _bare(head: bytes, message: str | bytes) -> DataKind | None:
    if _BOOK.search(head):
        return "order_book"
    if _QUOTE.search(head):
        return "quote"
    if _ANSWER.search(head):
        return None
    listed = _LISTED.search(_start(message[-_TAIL:], _TAIL)) if head.lstrip()[:1] == b"[" else None
    verdict = _verdict((listed[1],)) if listed else None
    return None if verdict == "control" else verdict or "other"
