"""Tick to trade: how fast an order answers a price."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from otel_trading import trackers
from otel_trading._attributes import Keywords
from otel_trading._numbers import unix_time
from otel_trading._timer import Timer, timer
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from otel_trading._numbers import Moment
    from otel_trading._timer import Close

__all__ = ["tick_to_trade"]

_TICK: Final = Keywords(
    "tick_to_trade", source=a.DATA_SOURCE, symbol=a.SYMBOL, venue=a.VENUE, strategy=a.STRATEGY, account=a.ACCOUNT
)


@timer
def tick_to_trade(
    *,
    source: str | None = None,
    received: Moment | None = None,
    symbol: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> Timer:
    """Put around the handling of one tick, as a `with` block or a decorator: the first order message in it is timed.

    That is the next `order_sent`, or the beginning of the next `order_request`, for a new order, a replace or a cancel,
    in this thread or task or in one that the block starts. A block without any records nothing.

    Args:
        source: Who provides the data.
        received: When the tick arrived, if that was before the block, such as on another thread: Unix seconds, or a
            datetime that knows its zone.
        symbol: Venue or ccxt symbol.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.tick_to_trade.duration`.
    """

    def start() -> Close:
        attributes = _TICK.resolve(source, symbol, venue, strategy, account)
        stamp = None if received is None else unix_time(received, "received")
        trackers.default().ticks.begin(attributes, 0.0 if stamp is None else max(0.0, time.time() - stamp))
        return _end

    return Timer(_ignore, start)


def _ignore(seconds: float, error: str | None) -> None:
    """Take the length of the block, which says nothing: its first order was the end of the tick."""


def _end(error: str | None) -> None:
    del error
    trackers.default().ticks.end()
