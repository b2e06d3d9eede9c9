"""Market data and connections: what arrived, what is up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from otel_trading import trackers
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded, lose
from otel_trading._numbers import number
from otel_trading._timer import error_type
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from otel_trading._numbers import Number

__all__ = [
    "connection_changed",
    "market_data_received",
    "market_data_subscribed",
    "market_data_unsubscribed",
]

_RECEIVED: Final = Keywords(
    "market_data_received",
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
#: Unix seconds in the year 5138; anything later is milliseconds or finer.
_LATEST: Final = 1e11
_CONNECTION: Final = Keywords(
    "connection_changed",
    name=a.CONNECTION,
    state=a.CONNECTION_STATE,
    transport=a.TRANSPORT,
    error=a.ERROR_TYPE,
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
    venue_time: Number | None = None,
    sequence: Number | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Count one market data message; the age of its feed starts again.

    Args:
        source: Who provides the data.
        kind: trade, quote, order_book, bar, ticker, funding, account or news.
        connection: Name of the connection that carried it.
        symbol: Venue or ccxt symbol.
        venue_time: The venue's timestamp (FIX 60), Unix seconds.
        sequence: The venue's sequence number of the message; one that skips counts as a gap.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.market_data.messages`, `.delay`, `.gaps`; feeds `.age`.
    """
    attributes = _RECEIVED.resolve(source, kind, connection, symbol, venue, strategy, account)
    delay = None if venue_time is None else _delay(venue_time)
    trackers.default().feeds.received(attributes, delay=delay, sequence=_sequence(sequence))


def _delay(venue_time: Number) -> float | None:
    stamp = number(venue_time, "venue_time")
    if stamp is not None and stamp > _LATEST:  # else a delay of zero would be told for ever
        lose("invalid_value", f"venue_time={stamp:.0f} is not in seconds. Divide milliseconds by 1000.")
        return None
    return None if stamp is None else time.time() - stamp


def _sequence(value: Number | None) -> int | None:
    if value is None or type(value) is int:
        return value  # as it is: a float would round what lies above 2 ** 53
    checked = number(value, "sequence")
    return None if checked is None else int(checked)


@guarded
def market_data_subscribed(
    *,
    source: str,
    kind: a.DataKind,
    connection: str | None = None,
    symbol: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Start the clock of a feed, so that one that never sends a message grows old as well.

    Args:
        source: Who provides the data.
        kind: trade, quote, order_book, bar, ticker, funding, account or news.
        connection: Name of the connection that carries it.
        symbol: Venue or ccxt symbol.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: nothing by itself; feeds `trading.market_data.age`.
    """
    attributes = _RECEIVED.resolve(source, kind, connection, symbol, venue, strategy, account)
    trackers.default().feeds.subscribed(attributes)


@guarded
def market_data_unsubscribed(
    *,
    source: str,
    kind: a.DataKind,
    connection: str | None = None,
    symbol: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """End a feed on purpose, so that its silence is no alarm.

    Args:
        source: Who provides the data.
        kind: trade, quote, order_book, bar, ticker, funding, account or news.
        connection: Name of the connection that carried it.
        symbol: Venue or ccxt symbol.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: nothing; its `trading.market_data.age` ends with the next export.
    """
    attributes = _RECEIVED.resolve(source, kind, connection, symbol, venue, strategy, account)
    trackers.default().feeds.unsubscribed(attributes)


@guarded
def connection_changed(
    *,
    name: str,
    state: a.ConnectionState,
    transport: a.Transport = "websocket",
    error: str | BaseException | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Enter a connection into a state; coming back up counts as a reconnect.

    Args:
        name: Your name of the connection, such as market_data or orders.
        state: connecting, connected, degraded or disconnected.
        transport: rest, websocket, fix or tcp.
        error: What broke it: an exception, a code, or None.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.connection.reconnects`; feeds `trading.connection.status` and `.uptime`.
    """
    attributes = _CONNECTION.resolve(name, state, transport, error_type(error), venue, strategy, account)
    entered, cause = attributes.values[a.CONNECTION_STATE.name], attributes.get(a.ERROR_TYPE)
    trackers.default().connections.changed(attributes.without(a.CONNECTION_STATE, a.ERROR_TYPE), entered, cause)
