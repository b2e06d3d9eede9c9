"""Connections: what is up, what broke it, how fast it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading import instruments, trackers
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded
from otel_trading._numbers import number
from otel_trading._timer import error_type
from otel_trading.semconv import attributes as a
from otel_trading.semconv import market_data as metrics

if TYPE_CHECKING:
    from otel_trading._numbers import Number

__all__ = ["connection_changed", "connection_closed", "connection_ping"]

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

_NAMED: Final = Keywords(
    "connection_closed",
    "connection_ping",
    name=a.CONNECTION,
    venue=a.VENUE,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)


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

    Emits: `trading.connection.reconnects` and the event `trading.connection.state_changed`; feeds
    `trading.connection.status` and `.uptime`.
    """
    attributes = _CONNECTION.resolve(name, state, transport, error_type(error), venue, strategy, account)
    entered, cause = attributes.values[a.CONNECTION_STATE.name], attributes.get(a.ERROR_TYPE)
    trackers.default().connections.changed(attributes.without(a.CONNECTION_STATE, a.ERROR_TYPE), entered, cause)


@guarded
def connection_closed(
    *, name: str, venue: str | None = None, strategy: str | None = None, account: str | None = None
) -> None:
    """End a connection on purpose, so that its absence is no alarm; connecting again is no reconnect.

    Feeds that it carried, in a process that goes on, are ended by `market_data_unsubscribed`.

    Args:
        name: Your name of the connection.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: nothing; its `trading.connection.status` and `.uptime` end with the next export.
    """
    trackers.default().connections.closed(_NAMED.resolve(name, venue, strategy, account))


@guarded
def connection_ping(
    *,
    name: str,
    seconds: Number,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Record the round trip of one heartbeat.

    Args:
        name: Your name of the connection.
        seconds: From ping to pong; FIX: from TestRequest (35=1) to its Heartbeat (35=0).
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.connection.ping.duration`.
    """
    attributes = _NAMED.resolve(name, venue, strategy, account)
    took = number(seconds, "seconds", minimum=0)
    if took is not None:
        instruments.of(metrics.PING_DURATION).record(took, attributes)
