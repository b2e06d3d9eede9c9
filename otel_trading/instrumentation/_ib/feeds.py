"""Market data: what was subscribed, and what arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from otel_trading import meter
from otel_trading.instrumentation._ib import names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_trading.semconv import attributes as a

__all__ = ["CONNECTION", "Feeds", "kind_of_tick"]

CONNECTION: Final = "tws"
_FEED: Final[dict[str, Any]] = {"source": names.VENUE, "venue": names.VENUE, "connection": CONNECTION}
_TICK: Final[dict[str, a.DataKind]] = {"Last": "trade", "AllLast": "trade", "BidAsk": "quote", "MidPoint": "quote"}


class Feeds:
    """The subscriptions of one `IB` object, so that its goodbye ends them."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, a.DataKind], None] = {}

    def subscribed(self, contract: Any, kind: a.DataKind) -> None:
        """Start the clock of a feed."""
        symbol = names.symbol(contract)
        self._open[symbol, kind] = None
        meter.market_data_subscribed(symbol=symbol, kind=kind, **_FEED)

    def unsubscribed(self, contract: Any, kind: a.DataKind) -> None:
        """End a feed that the bot cancelled."""
        symbol = names.symbol(contract)
        self._open.pop((symbol, kind), None)
        meter.market_data_unsubscribed(symbol=symbol, kind=kind, **_FEED)

    def end(self) -> None:
        """End every feed: the bot said goodbye."""
        for symbol, kind in self._open:
            meter.market_data_unsubscribed(symbol=symbol, kind=kind, **_FEED)
        self._open.clear()

    def arrived(self, tickers: Iterable[Any]) -> None:
        """Take what one packet of TWS changed."""
        for ticker in tickers:
            symbol = names.symbol(ticker.contract)
            for kind in _kinds(ticker):
                meter.market_data_received(symbol=symbol, kind=kind, **_FEED)
            price = ticker.marketPrice()
            if price == price and price > 0:  # noqa: PLR0124  not a number before the first price; -1 without a market
                meter.price_marked(symbol=symbol, price=price, venue=names.VENUE)


def kind_of_tick(name: str) -> a.DataKind:
    """Return what `reqTickByTickData` subscribes."""
    return _TICK.get(name, "quote")


def _kinds(ticker: Any) -> Iterable[a.DataKind]:
    for tick in ticker.tickByTicks:
        yield "trade" if type(tick).__name__ == "TickByTickAllLast" else "quote"
    if ticker.domTicks:
        yield "order_book"
    if ticker.ticks:
        yield "ticker"
