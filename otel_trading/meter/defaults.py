"""Values that a bot says once instead of in every call."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from otel_trading import _context
from otel_trading.errors import ConventionError
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["defaults", "scope"]


def defaults(
    *,
    mode: a.Mode | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
    currency: str | None = None,
) -> None:
    """Set default attributes for the whole process; a call's own keyword wins over them.

    Args:
        mode: live, paper, backtest or replay.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account, never its number.
        currency: ISO 4217 or venue asset code.

    Raises:
        ConventionError: For a mode that does not exist: this is configuration, not recording.
    """
    _context.set_defaults(_values(mode, venue, strategy, account, currency))


@contextmanager
def scope(
    *,
    mode: a.Mode | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
    currency: str | None = None,
) -> Generator[None, None, None]:
    """Set default attributes inside a `with` block, for this thread or task and the tasks that it starts.

    Args:
        mode: live, paper, backtest or replay.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account, never its number.
        currency: ISO 4217 or venue asset code.

    Raises:
        ConventionError: For a mode that does not exist.
    """
    with _context.scope(_values(mode, venue, strategy, account, currency)):
        yield


def _values(
    mode: str | None, venue: str | None, strategy: str | None, account: str | None, currency: str | None
) -> dict[str, str | None]:
    if mode is not None and mode not in a.MODE.values:
        message = f"mode={mode!r} does not exist. Use one of {', '.join(a.MODE.values)}."
        raise ConventionError(message)
    return {
        a.MODE.name: mode,
        a.VENUE.name: None if venue is None else str(venue).lower(),
        a.STRATEGY.name: strategy,
        a.ACCOUNT.name: account,
        a.CURRENCY.name: currency,
    }
