"""What the venue knows of each symbol: the touch, the last trade, and the numbers of its messages."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from otel_trading.demo.market_data import Tick

__all__ = ["Book"]

#: Half the spread, relative to the price: two basis points, and never below a cent.
_HALF_SPREAD: Final = 0.0002
_CENT: Final = 0.01


@dataclass(slots=True)
class Book:
    """The best bid and ask of one symbol, made from the replayed trades."""

    symbol: str
    last: float = 0.0
    bid: float = 0.0
    ask: float = 0.0
    size: float = 0.0
    date: str = ""
    sequence: Counter[str] = field(default_factory=Counter[str])

    def take(self, tick: Tick) -> list[dict[str, Any]]:
        """Move to a tick and return the messages that tell of it: the trade, then the quote."""
        half = max(_CENT, round(tick.price * _HALF_SPREAD, 2))
        self.last, self.size, self.date = tick.price, tick.size, tick.date
        self.bid, self.ask = round(tick.price - half, 2), round(tick.price + half, 2)
        trade = self._message("trade", price=tick.price, size=tick.size, date=tick.date)
        quote = self._message("quote", bid=self.bid, ask=self.ask, bid_size=tick.size, ask_size=tick.size)
        return [trade, quote]

    def skip(self, messages: int) -> None:
        """Lose so many messages of each kind: the next number leaves a gap."""
        self.sequence.update(dict.fromkeys(self.sequence, messages))

    def _message(self, kind: str, **values: Any) -> dict[str, Any]:
        self.sequence[kind] += 1
        return {"type": kind, "symbol": self.symbol, "sequence": self.sequence[kind], "time": time.time(), **values}
