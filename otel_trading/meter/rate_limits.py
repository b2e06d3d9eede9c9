"""Request budgets: how much is used, what was refused, how long we waited to stay within."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading import instruments, trackers
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded, lose
from otel_trading._numbers import number
from otel_trading._timer import Timer, error_type, timer
from otel_trading.semconv import attributes as a
from otel_trading.semconv import venue as metrics

if TYPE_CHECKING:
    from otel_trading._numbers import Number

__all__ = ["budget", "rate_limit", "rate_limit_wait", "rate_limited"]

_BUDGET: Final = Keywords("rate_limit", name=a.RATE_LIMIT, venue=a.VENUE, account=a.ACCOUNT)
_LIMITED: Final = Keywords(
    "rate_limited",
    "rate_limit_wait",
    name=a.RATE_LIMIT,
    error=a.ERROR_TYPE,
    venue=a.VENUE,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)


@guarded
def rate_limit(
    *,
    name: str,
    usage: Number | None = None,
    limit: Number | None = None,
    remaining: Number | None = None,
    venue: str | None = None,
    account: str | None = None,
) -> None:
    """Take the state of a request budget, as the venue's headers tell it.

    Args:
        name: Which budget, such as request_weight or orders_10s.
        usage: Requests used in the venue's window.
        limit: Requests allowed in it; when left out it is as it was told before.
        remaining: Requests left in it, for venues that tell this instead of the usage.
        venue: ccxt id, ISO 10383 MIC or broker id.
        account: Alias of the account.

    Emits: nothing by itself; feeds `trading.rate_limit.usage`, `.limit`, `.utilization`.
    """
    budget(name, usage, limit, remaining=remaining, venue=venue, account=account)


def budget(
    name: str,
    usage: Number | None,
    limit: Number | None,
    *,
    remaining: Number | None = None,
    venue: str | None = None,
    account: str | None = None,
) -> None:
    """Do what `rate_limit` does, inside a collection too, where a helper would wait for its end."""
    attributes = _BUDGET.resolve(name, venue, account)
    allowed = None if limit is None else number(limit, "limit", minimum=0)
    venues = trackers.default().venues
    used = _used(usage, remaining, venues.limit(attributes) if allowed is None else allowed)
    if used is not None:
        venues.budget(attributes, used, allowed)


def _used(usage: Number | None, remaining: Number | None, limit: float | None) -> float | None:
    if remaining is None or usage is not None:
        return number(usage, "usage", minimum=0)
    left = number(remaining, "remaining", minimum=0)
    if left is not None and limit is None:
        lose("invalid_value", f"remaining={left:g} of an unknown budget says nothing. Pass limit= as well, once.")
    return None if left is None or limit is None else max(0.0, limit - left)


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


@timer
def rate_limit_wait(
    *, name: str, venue: str | None = None, strategy: str | None = None, account: str | None = None
) -> Timer:
    """Time how long a request is held back to stay within a budget; a `with` block or a decorator.

    Put it around the wait of your throttle, and only where it waits: its count is then the number of waits.

    Args:
        name: Which budget.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.rate_limit.wait.duration`.
    """

    def finish(seconds: float, error: str | None) -> None:
        attributes = _LIMITED.resolve(name, error, venue, strategy, account)
        instruments.of(metrics.RATE_LIMIT_WAIT_DURATION).record(seconds, attributes)

    return Timer(finish)
