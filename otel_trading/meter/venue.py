"""Venues: how long a call took, how far the clocks are apart, how long a credential lasts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from otel_trading import trackers
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded
from otel_trading._numbers import number, unix_time
from otel_trading._timer import Timer, error_type, timer
from otel_trading.semconv import attributes as a
from otel_trading.semconv import venue as metrics

if TYPE_CHECKING:
    from types import TracebackType

    from otel_trading._numbers import Moment, Number

__all__ = ["VenueCall", "clock_offset", "credential_expiry", "offset", "venue_call"]

_CALL: Final = Keywords(
    "venue_call",
    operation=a.VENUE_OPERATION,
    error=a.ERROR_TYPE,
    venue=a.VENUE,
    symbol=a.SYMBOL,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)
_CLOCK: Final = Keywords("clock_offset", venue=a.VENUE)
_CREDENTIAL: Final = Keywords("credential_expiry", venue=a.VENUE, account=a.ACCOUNT)


@timer
def venue_call(
    *,
    operation: str,
    symbol: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> Timer:
    """Time a call to the venue; a `with` block or a decorator. An exception becomes `error.type`.

    Args:
        operation: ccxt's verb: fetch_balance, fetch_ticker ...; for orders use `order_request`.
        symbol: Venue or ccxt symbol.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.venue.request.duration`.
    """

    def finish(seconds: float, error: str | None) -> None:
        attributes = _CALL.resolve(operation, error, venue, symbol, strategy, account)
        trackers.default().pending.record(metrics.REQUEST_DURATION, seconds, attributes)

    return Timer(finish)


class VenueCall:
    """Does what `venue_call` does for less, for a hook that states what it knows.

    Args:
        operation: ccxt's verb.
        venue: ccxt id, ISO 10383 MIC or broker id.
        symbol: Venue or ccxt symbol.
    """

    __slots__ = ("_begin", "_what")

    def __init__(self, operation: str, venue: str, symbol: str | None = None) -> None:
        self._what = operation, venue, symbol
        self._begin = 0.0

    def __enter__(self) -> None:
        """Start the clock."""
        self._begin = time.perf_counter()

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop it; `kind` is the class of an exception, a code, or None."""
        _called(self._what, time.perf_counter() - self._begin, kind)


@guarded
def _called(what: tuple[str, str, str | None], seconds: float, kind: object) -> None:
    attributes = _CALL.resolve(what[0], error_type(kind), what[1], what[2], None, None)
    trackers.default().pending.record(metrics.REQUEST_DURATION, seconds, attributes)


@guarded
def clock_offset(*, seconds: Number, venue: str | None = None) -> None:
    """Take the local clock minus the venue's.

    Args:
        seconds: Signed; positive when the local clock is ahead.
        venue: ccxt id, ISO 10383 MIC or broker id.

    Emits: nothing by itself; feeds `trading.venue.clock.offset`.
    """
    offset(seconds, venue)


def offset(seconds: Number, venue: str | None) -> None:
    """Do what `clock_offset` does, inside a collection too, where a helper would wait for its end."""
    known = number(seconds, "seconds")
    if known is not None:
        trackers.default().venues.clock(_CLOCK.resolve(venue), known)


@guarded
def credential_expiry(*, time: Moment, venue: str | None = None, account: str | None = None) -> None:
    """Take the time at which a key, a token or a certificate ends; of several, state the first to end.

    Args:
        time: Unix seconds, or a datetime that knows its zone.
        venue: ccxt id, ISO 10383 MIC or broker id.
        account: Alias of the account.

    Emits: nothing by itself; feeds `trading.venue.credential.expiry.time`.
    """
    moment = unix_time(time, "time")
    if moment is not None:
        trackers.default().venues.expires(_CREDENTIAL.resolve(venue, account), moment)
