"""The matching engine: takes orders, trades them against the replayed quotes, tells of every execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from otel_trading.demo.venue.account import Account
from otel_trading.demo.venue.orders import Fill, Order, RejectError, check_collar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from otel_trading.demo.market_data import Tick
    from otel_trading.demo.venue.book import Book

__all__ = ["Engine"]

_TAKER_FEE: Final = 0.0003
_MAKER_REBATE: Final = 0.0001
#: What it costs to take all that is quoted, relative to the price; less for less.
_IMPACT: Final = 0.0004


class Engine:
    """One account, one book per symbol.

    A market order takes the touch plus its impact, at most what is quoted: the rest trades with the next ticks. A limit
    order that does not cross rests until the other side reaches its price, then it trades at that price as maker.

    Args:
        books: Every symbol.
        report: Told of each execution and of each end of an order, as the private stream shows it.
    """

    def __init__(self, books: Iterable[Book], report: Callable[[dict[str, Any]], None]) -> None:
        self.books = {book.symbol: book for book in books}
        self.account = Account()
        self.orders: dict[str, Order] = {}
        self._open: dict[str, Order] = {}
        self._report = report

    def place(self, order: Order) -> Order:
        """Take an order, or return the one that was sent before under the same client id.

        Raises:
            RejectError: With the reason.
        """
        before = self.orders.get(order.client_id)
        if before is not None:
            if before.terms() != order.terms():
                raise RejectError(reason="duplicate", text=f"client_id {order.client_id} belongs to another order.")
            return before
        book = self.books.get(order.symbol)
        if book is None:
            raise RejectError(reason="unknown_symbol", text=f"{order.symbol} is not traded here.")
        check_collar(order, book.last)
        self._check_funds(order, book)
        self.orders[order.client_id] = self._open[order.client_id] = order
        self._report(order.report())
        return order

    def cancel(self, client_id: str) -> Order | None:
        """End an open order; None when there is none."""
        order = self._open.get(client_id)
        if order is not None:
            self._end(order, "canceled")
        return order

    def open_orders(self) -> list[Order]:
        """Return what can still trade."""
        return list(self._open.values())

    def take(self, tick: Tick) -> list[dict[str, Any]]:
        """Move to a tick, trade what it allows, and return its market data messages."""
        book = self.books[tick.symbol]
        messages = book.take(tick)
        self.match(book)
        return messages

    def match(self, book: Book) -> None:
        """Trade the open orders of one symbol, oldest first, until the quoted size is used up."""
        for order in [order for order in self._open.values() if order.symbol == book.symbol]:
            price = self._price(order, book)
            quantity = min(order.remaining, book.size)
            if price is not None and quantity > 0:
                book.size -= quantity
                self._fill(order, price, quantity)
            order.rested = True
            if order.open and order.time_in_force == "ioc":
                self._end(order, "expired")

    def _price(self, order: Order, book: Book) -> float | None:
        touch = book.ask if order.side == "buy" else book.bid
        if order.price is None:
            share = min(1.0, order.remaining / max(book.size, 1.0))
            return round(touch * (1 + order.sign * _IMPACT * share), 4)
        crosses = order.sign * (order.price - touch) >= 0
        return (order.price if order.rested else touch) if crosses else None

    def _fill(self, order: Order, price: float, quantity: float) -> None:
        order.filled += quantity
        order.status = "filled" if order.remaining <= 0 else "partially_filled"
        maker = order.rested and order.price is not None
        fee = price * quantity * (-_MAKER_REBATE if maker else _TAKER_FEE)
        fill = Fill(
            client_id=order.client_id,
            symbol=order.symbol,
            side=order.side,
            price=price,
            quantity=quantity,
            liquidity="maker" if maker else "taker",
            fee=round(fee, 6),
            currency="USD",
            complete=not order.open,
        )
        self.account.take(fill)
        self._report(fill.json())
        if not order.open:
            self._open.pop(order.client_id)

    def _end(self, order: Order, status: str) -> None:
        order.status = status
        self._open.pop(order.client_id)
        self._report(order.report())

    def _check_funds(self, order: Order, book: Book) -> None:
        held = self.account.quantities.get(order.symbol, 0.0)
        if order.side == "sell":
            selling = sum(o.remaining for o in self._open.values() if o.symbol == order.symbol and o.side == "sell")
            if order.quantity > held - selling:
                raise RejectError(
                    reason="insufficient_funds", text=f"You hold {held:g} {order.symbol}, {selling:g} of them sold."
                )
        elif order.quantity * (order.price or book.ask) > self.account.cash:
            raise RejectError(reason="insufficient_funds", text=f"It costs more than your {self.account.cash:.2f} USD.")
