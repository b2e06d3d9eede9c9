"""Venues: how long a call took, how much of a budget is used, how far the clocks are apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading import instruments, trackers
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded
from otel_trading._numbers import number
from otel_trading._timer import Timer, error_type, timer
from otel_trading.semconv import attributes as a
from otel_trading.semconv import venue as metrics

if TYPE_CHECKING:
    from otel_trading._numbers import Number

__all__ = ["clock_offset", "rate_limit", "rate_limited", "venue_call"]

_CALL: Final = Keywords(
    "venue_call",
    operation=a.VENUE_OPERATION,
    error=a.ERROR_TYPE,
    venue=a.VENUE,
    symbol=a.SYMBOL,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)
_BUDGET: Final = Keywords("rate_limit", name=a.RATE_LIMIT, venue=a.VENUE, account=a.ACCOUNT)
_LIMITED: Final = Keywords(
    "rate_limited", name=a.RATE_LIMIT, error=a.ERROR_TYPE, venue=a.VENUE, strategy=a.STRATEGY, account=a.ACCOUNT
)
_CLOCK: Final = Keywords("clock_offset", venue=a.VENUE)


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

    @guarded
    def finish(seconds: float, error: str | None) -> None:
        attributes = _CALL.resolve(operation, error, venue, symbol, strategy, account)
        instruments.of(metrics.REQUEST_DURATION).record(seconds, attributes)

    return Timer(finish)


@guarded
def rate_limit(
    *,
    name: str,
    usage: Number,
    limit: Number | None = None,
    venue: str | None = None,
    account: str | None = None,
) -> None:
    """Take the state of a request budget, as the venue's headers tell it.

    Args:
        name: Which budget, such as request_weight or orders_10s.
        usage: Requests used in the venue's window.
        limit: Requests allowed in it.
        venue: ccxt id, ISO 10383 MIC or broker id.
        account: Alias of the account.

    Emits: nothing by itself; feeds `trading.rate_limit.usage`, `.limit`, `.utilization`.
    """
    attributes = _BUDGET.resolve(name, venue, account)
    used = number(usage, "usage", minimum=0)
    allowed = None if limit is None else number(limit, "limit", minimum=0)
    if used is not None:
        trackers.default().venues.budget(attributes, used, allowed)


@guarded
def rate_limited(
    *,
    name: str,
    error: str | BaseException | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Count a request that was refused because a budget was used up.

    Args:
        name: Which budget; inbound the client class, never a client id.
        error: HTTP status such as 429 or 418, an exception, or None.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.rate_limit.rejections`.
    """
    attributes = _LIMITED.resolve(name, error_type(error), venue, strategy, account)
    instruments.of(metrics.RATE_LIMIT_REJECTIONS).record(1, attributes)


@guarded
def clock_offset(*, seconds: Number, venue: str | None = None) -> None:
    """Take the local clock minus the venue's.

    Args:
        seconds: Signed; positive when the local clock is ahead.
        venue: ccxt id, ISO 10383 MIC or broker id.

    Emits: nothing by itself; feeds `trading.venue.clock.offset`.
    """
    offset = number(seconds, "seconds")
    if offset is not None:
        trackers.default().venues.clock(_CLOCK.resolve(venue), offset)
