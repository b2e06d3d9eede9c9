"""Resilience: what passed its check, what was tried again, what a circuit breaker did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from otel_trading import instruments, trackers
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded
from otel_trading._numbers import number
from otel_trading._timer import error_type
from otel_trading.semconv import attributes as a
from otel_trading.semconv import resilience as metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading._numbers import Number

__all__ = ["before_sleep", "breaker_called", "breaker_changed", "counts_retries", "error_logged", "health", "retried"]

_HEALTH: Final = Keywords("health", name=a.HEALTH_CHECK, venue=a.VENUE, strategy=a.STRATEGY, account=a.ACCOUNT)
_CHANGED: Final = Keywords(
    "breaker_changed", name=a.BREAKER, state=a.BREAKER_STATE, venue=a.VENUE, strategy=a.STRATEGY, account=a.ACCOUNT
)
_CALLED: Final = Keywords(
    "breaker_called",
    name=a.BREAKER,
    outcome=a.BREAKER_OUTCOME,
    error=a.ERROR_TYPE,
    venue=a.VENUE,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)
_LOGGED: Final = Keywords("error_logged", logger=a.LOGGER, venue=a.VENUE, strategy=a.STRATEGY, account=a.ACCOUNT)
_RETRIED: Final = Keywords(
    "retried",
    "before_sleep",
    operation=a.OPERATION,
    error=a.ERROR_TYPE,
    venue=a.VENUE,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)


@guarded
def health(
    *,
    name: str,
    ok: bool,
    seconds: Number | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """State the result of a health check.

    Args:
        name: Your name of the check.
        ok: Whether it passed.
        seconds: How long it took.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.resilience.health_check.duration`; feeds `.status`.
    """
    took = None if seconds is None else number(seconds, "seconds", minimum=0)
    trackers.default().health.checked(_HEALTH.resolve(name, venue, strategy, account), ok=bool(ok), seconds=took)


@guarded
def breaker_changed(
    *,
    name: str,
    state: a.BreakerState,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Enter a circuit breaker into a state; `watch_breaker` does it for a breaker that has listeners.

    Args:
        name: Your name of the breaker.
        state: closed, open or half_open.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.resilience.circuit_breaker.transitions` when it was in another state, closed to begin with; feeds
        `trading.resilience.circuit_breaker.status`.
    """
    attributes = _CHANGED.resolve(name, state, venue, strategy, account)
    entered = attributes.values[a.BREAKER_STATE.name]
    trackers.default().breakers.changed(attributes.without(a.BREAKER_STATE), entered)


@guarded
def breaker_called(
    *,
    name: str,
    outcome: a.BreakerOutcome,
    seconds: Number,
    error: str | BaseException | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Record a call that a circuit breaker guards; `watch_breaker` does it for a breaker that has listeners.

    Args:
        name: Your name of the breaker.
        outcome: success, failure, or short_circuited when the open breaker did not let it through.
        seconds: How long it took.
        error: What it failed with.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.resilience.circuit_breaker.call.duration`; its count by outcome is the number of calls.
    """
    took = number(seconds, "seconds", minimum=0)
    if took is not None:
        attributes = _CALLED.resolve(name, outcome, error_type(error), venue, strategy, account)
        instruments.of(metrics.BREAKER_CALL_DURATION).record(took, attributes)


@guarded
def retried(
    *,
    operation: str,
    error: str | BaseException | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Count one more attempt.

    Args:
        operation: Your name of what is tried again.
        error: What the attempt before failed with.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.resilience.retries`.
    """
    attributes = _RETRIED.resolve(operation, error_type(error), venue, strategy, account)
    instruments.of(metrics.RETRIES).record(1, attributes)


@guarded
def before_sleep(
    *, operation: str, venue: str | None = None, strategy: str | None = None, account: str | None = None
) -> Callable[[Any], None]:
    """Return what tenacity calls before it tries again: `@retry(before_sleep=meter.before_sleep(operation="quote"))`.

    Args:
        operation: Your name of what is tried again.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.resilience.retries`.
    """

    @guarded
    def count(state: Any) -> None:
        error = state.outcome.exception() if state.outcome.failed else None  # none: its result was not good enough
        retried(operation=operation, error=error, venue=venue, strategy=strategy, account=account)

    return _Counting(count)


class _Counting:
    """What `before_sleep` returns: whoever else would count retries can tell it from a function of the user's."""

    def __init__(self, count: Callable[[Any], None]) -> None:
        self._count = count

    def __call__(self, state: Any) -> None:
        self._count(state)


def counts_retries(callback: object) -> bool:
    """Return whether a callback of tenacity came from `before_sleep`."""
    return isinstance(callback, _Counting)


@guarded
def error_logged(
    *, logger: str, venue: str | None = None, strategy: str | None = None, account: str | None = None
) -> None:
    """Count a log record of severity ERROR or above; `otel-trading run` does so for logging and structlog.

    Args:
        logger: Name of the logger.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.log.errors`.
    """
    instruments.of(metrics.LOG_ERRORS).record(1, _LOGGED.resolve(logger, venue, strategy, account))
