"""What of a call's attributes stands on a span or an event: those declared there, and ids that no metric may carry."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from otel_trading import _guard, environment
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from otel_trading._attributes import AttributeSet
    from otel_trading.semconv import Event, Span

__all__ = ["IDS", "carried", "forget"]

#: Keywords for the unbounded attributes.
IDS: Final = {
    "client_id": a.ORDER_CLIENT_ID.name,
    "order_id": a.ORDER_ID.name,
    "venue_order_id": a.ORDER_VENUE_ID.name,
    "execution_id": a.EXECUTION_ID.name,
    "position_id": a.POSITION_ID.name,
    "backtest_id": a.BACKTEST_ID.name,
}
_MAX_LENGTH: Final = 256
#: As labels they are text; spans and events know truth.
_TRUE_OR_FALSE: Final = frozenset(one.name for one in (a.POST_ONLY, a.CURRENCY_CONVERTED))


def carried(signal: Span | Event, attributes: AttributeSet, ids: dict[str, str | None]) -> dict[str, str | bool] | None:
    """Return the attributes of a span or an event; None when a required one is missing.

    Args:
        signal: What is emitted.
        attributes: As they stand on metrics; those that the signal does not carry are left out.
        ids: By the keywords of `IDS`; None stands for not known.

    Raises:
        ConventionError: In strict mode, when a required attribute is missing.
    """
    allowed = _allowed(signal)
    values: dict[str, str | bool] = {
        key: value == "true" if key in _TRUE_OR_FALSE else value
        for key, value in attributes.values.items()
        if key in allowed
    }
    for keyword, value in ids.items():
        if value is not None and IDS[keyword] in allowed:
            values[IDS[keyword]] = str(value)[:_MAX_LENGTH]
    missing = [name for name in signal.required if name not in values and name in allowed]
    if missing:
        _guard.lose("invalid_value", f"{signal} needs {', '.join(missing)}. Pass it, or set its default.")
        return None
    return values


@lru_cache(maxsize=128)
def _allowed(signal: Span | Event) -> frozenset[str]:
    """Return the declared attributes without those that the user wants to leave nowhere."""
    return frozenset(key for key in signal.keys if not _dropped(key))


def _dropped(key: str) -> bool:
    return any(fnmatchcase(key, glob) for glob in environment.OTEL_TRADING_DROPPED_ATTRIBUTES.get())


def forget() -> None:
    """Read the environment again at the next call."""
    _allowed.cache_clear()
