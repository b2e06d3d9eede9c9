"""Health checks: what passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading import trackers
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded
from otel_trading._numbers import number
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from otel_trading._numbers import Number

__all__ = ["health"]

_HEALTH: Final = Keywords("health", name=a.HEALTH_CHECK, venue=a.VENUE, strategy=a.STRATEGY, account=a.ACCOUNT)


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
