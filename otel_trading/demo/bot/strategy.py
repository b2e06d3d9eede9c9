"""When to trade: buys what falls below its moving average, sells it when it is back."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal

from otel_trading import meter

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DipBuyer"]


class DipBuyer:
    """One moving average per symbol.

    Args:
        symbols: What is traded.
        window: Prices in the average.
        dip: How far below the average is a dip, relative.
    """

    def __init__(self, symbols: Iterable[str], *, window: int = 20, dip: float = 0.004) -> None:
        self._prices = {symbol: deque[float](maxlen=window) for symbol in symbols}
        self._dip = dip

    def seen(self, symbol: str, price: float) -> None:
        """Take a traded price."""
        self._prices[symbol].append(price)

    def decide(self, symbol: str, *, holding: bool) -> Literal["buy", "sell"] | None:
        """Return what to do now, or None."""
        prices = self._prices[symbol]
        if len(prices) < (prices.maxlen or 0):
            return None
        with meter.indicator(name="moving_average"):
            average = sum(prices) / len(prices)
        distance = prices[-1] / average - 1
        if not holding and distance < -self._dip:
            meter.signal_emitted(type="buy", symbol=symbol, confidence="high" if distance < -2 * self._dip else "low")
            return "buy"
        if holding and distance > 0:
            meter.signal_emitted(type="sell", symbol=symbol)
            return "sell"
        return None
