"""Your own timed blocks."""

from __future__ import annotations

from typing import Final

from otel_trading import instruments
from otel_trading._attributes import Keywords
from otel_trading._timer import Timer, timer
from otel_trading.semconv import attributes as a
from otel_trading.semconv import resilience as metrics

__all__ = ["timed"]

_TIMED: Final = Keywords(
    "timed", operation=a.OPERATION, error=a.ERROR_TYPE, symbol=a.SYMBOL, venue=a.VENUE, strategy=a.STRATEGY
)


@timer
def timed(
    operation: str, /, *, symbol: str | None = None, venue: str | None = None, strategy: str | None = None
) -> Timer:
    """Time a block of your own; a `with` block or a decorator, sync or async. An exception becomes `error.type`.

    Args:
        operation: Your name of the block.
        symbol: Venue or ccxt symbol.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.

    Emits: `trading.operation.duration`; its count is the number of calls.
    """

    def finish(seconds: float, error: str | None) -> None:
        attributes = _TIMED.resolve(operation, error, symbol, venue, strategy)
        instruments.of(metrics.OPERATION_DURATION).record(seconds, attributes)

    return Timer(finish)
