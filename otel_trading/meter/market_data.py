"""Market data: what is subscribed, what arrived, what was missed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from otel_trading import trackers
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded, lose
from otel_trading._numbers import number, unix_time
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_trading._numbers import Moment, Number

__all__ = [
    "market_data_missed",
    "market_data_received",
    "market_data_resynced",
    "market_data_subscribed",
    "market_data_unsubscribed",
]

_RECEIVED: Final = Keywords(
    "market_data_received",
    "market_data_missed",
    "market_data_resynced",
    "market_data_subscribed",
    "market_data_unsubscribed",
    source=a.DATA_SOURCE,
    kind=a.DATA_KIND,
    connection=a.CONNECTION,
    symbol=a.SYMBOL,
    venue=a.VENUE,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)


@guarded
def market_data_received(
    *,
    source: str,
    kind: a.DataKind,
    connection: str | None = None,
    symbol: str | None = None,
    venue_time: Moment | None = None,
    sequence: Number | None = None,
    channel: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Count one market data message; the age of its feed starts again.

    Args:
        source: Who provides the data.
        kind: trade, quote, order_book, bar, ticker, funding, account, news or other.
        connection: Name of the connection that carried it.
        symbol: Venue or ccxt symbol.
        venue_time: The venue's timestamp (FIX 60): Unix seconds, or a datetime that knows its zone.
        sequence: The venue's sequence number of the message; one that skips counts as a gap.
        channel: What the venue numbers, where that is not one kind of one symbol: the connection's name, for a venue
            that counts every message of a connection.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.market_data.messages`, `.delay`, `.gaps` and the event `trading.market_data.gap_detected`; feeds
    `.age`.
    """
    attributes = _RECEIVED.resolve(source, kind, connection, symbol, venue, strategy, account)
    delay = None if venue_time is None else _delay(venue_time)
    trackers.default().feeds.received(attributes, delay=delay, sequence=_sequence(sequence), channel=channel)


def _delay(venue_time: Moment) -> float | None:
    stamp = unix_time(venue_time, "venue_time")
    return None if stamp is None else time.time() - stamp


def _sequence(value: Number | None) -> int | None:
    if value is None or type(value) is int:
        return value  # as it is: a float would round what lies above 2 ** 53
    checked = number(value, "sequence")
    return None if checked is None else int(checked)


def _each(symbol: str | None, symbols: Iterable[str] | None) -> Iterable[str | None]:
    if symbols is None:
        return (symbol,)
    if symbol is None and not isinstance(symbols, str):
        return symbols
    lose(
        "invalid_value",
        f"symbols={symbols!r} with symbol={symbol!r} is not clear. Pass one of them; symbols is a list.",
    )
    return ()


@guarded
def market_data_missed(
    *,
    source: str,
    kind: a.DataKind,
    connection: str | None = None,
    symbol: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Count messages that were lost, where a checksum or the library says so; numbers go to `market_data_received`.

    Args:
        source: Who provides the data.
        kind: trade, quote, order_book, bar, ticker, funding, account, news or other.
        connection: Name of the connection that carries the feed.
        symbol: Venue or ccxt symbol.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.market_data.gaps` and the event `trading.market_data.gap_detected`.
    """
    trackers.default().feeds.missed(_RECEIVED.resolve(source, kind, connection, symbol, venue, strategy, account))


@guarded
def market_data_resynced(
    *,
    source: str,
    kind: a.DataKind = "order_book",
    connection: str | None = None,
    symbol: str | None = None,
    sequence: Number | None = None,
    channel: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Count a book that was rebuilt from a snapshot; the next message has to follow the snapshot's number.

    Args:
        source: Who provides the data.
        kind: trade, quote, order_book, bar, ticker, funding, account, news or other.
        connection: Name of the connection that carries the feed.
        symbol: Venue or ccxt symbol.
        sequence: The venue's number of the snapshot; None when it has none, so that the next message starts anew.
        channel: What the venue numbers, as said to `market_data_received`.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.market_data.resyncs`.
    """
    attributes = _RECEIVED.resolve(source, kind, connection, symbol, venue, strategy, account)
    trackers.default().feeds.resynced(attributes, sequence=_sequence(sequence), channel=channel)


@guarded
def market_data_subscribed(
    *,
    source: str,
    kind: a.DataKind,
    connection: str | None = None,
    symbol: str | None = None,
    symbols: Iterable[str] | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Start the clock of a feed, so that one that never sends a message grows old as well.

    Args:
        source: Who provides the data.
        kind: trade, quote, order_book, bar, ticker, funding, account, news or other.
        connection: Name of the connection that carries it.
        symbol: Venue or ccxt symbol.
        symbols: Several of them, instead of `symbol`.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: nothing by itself; feeds `trading.market_data.age`.
    """
    for one in _each(symbol, symbols):
        attributes = _RECEIVED.resolve(source, kind, connection, one, venue, strategy, account)
        trackers.default().feeds.subscribed(attributes)


@guarded
def market_data_unsubscribed(
    *,
    source: str,
    kind: a.DataKind,
    connection: str | None = None,
    symbol: str | None = None,
    symbols: Iterable[str] | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """End a feed on purpose, so that its silence is no alarm.

    Args:
        source: Who provides the data.
        kind: trade, quote, order_book, bar, ticker, funding, account, news or other.
        connection: Name of the connection that carried it.
        symbol: Venue or ccxt symbol.
        symbols: Several of them, instead of `symbol`.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: nothing; its `trading.market_data.age` ends with the next export.
    """
    for one in _each(symbol, symbols):
        attributes = _RECEIVED.resolve(source, kind, connection, one, venue, strategy, account)
        trackers.default().feeds.unsubscribed(attributes)
