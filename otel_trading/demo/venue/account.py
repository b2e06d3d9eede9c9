"""The one account of the paper venue: cash, positions, fees."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_trading.demo.venue.book import Book
    from otel_trading.demo.venue.orders import Fill

__all__ = ["Account"]


@dataclass(slots=True)
class Account:
    """Cash in USD and signed holdings; a holding costs what was paid for it on average."""

    cash: float = 100_000.0
    fees: float = 0.0
    quantities: dict[str, float] = field(default_factory=dict[str, float])
    prices: dict[str, float] = field(default_factory=dict[str, float])

    def take(self, fill: Fill) -> None:
        """Book an execution."""
        change = fill.quantity if fill.side == "buy" else -fill.quantity
        held = self.quantities.get(fill.symbol, 0.0)
        self.cash -= change * fill.price + fill.fee
        self.fees += fill.fee
        after = held + change
        if held * change >= 0:
            cost = abs(held) * self.prices.get(fill.symbol, 0.0) + abs(change) * fill.price
            self.prices[fill.symbol] = cost / abs(after)
        elif held * after < 0:
            self.prices[fill.symbol] = fill.price
        self.quantities[fill.symbol] = after

    def equity(self, books: Mapping[str, Book]) -> float:
        """Return cash and holdings at the last trade."""
        return self.cash + sum(quantity * books[symbol].last for symbol, quantity in self.quantities.items())

    def positions(self) -> list[dict[str, Any]]:
        """Return what is held, as the API shows it."""
        return [
            {"symbol": symbol, "quantity": quantity, "price": self.prices[symbol]}
            for symbol, quantity in self.quantities.items()
            if quantity
        ]

    def json(self, books: Mapping[str, Book]) -> dict[str, Any]:
        """Return it as the API shows it."""
        return {"currency": "USD", "cash": self.cash, "equity": self.equity(books), "fees": self.fees}
