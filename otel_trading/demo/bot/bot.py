"""The bot: takes prices, asks the strategy, sends orders, keeps its limits, and says what happened where it happens."""

from __future__ import annotations

import contextlib
import itertools
import logging
import queue
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from otel_trading import meter
from otel_trading.demo.bot.client import Client, RefusedError, UnknownOrderError, VenueError
from otel_trading.demo.bot.strategy import DipBuyer

if TYPE_CHECKING:
    from otel_trading.semconv.attributes import OrderSide, OrderStatus

__all__ = ["LOOP", "Bot"]

_log: Final = logging.getLogger(__name__)
#: Seconds between two looks at the market.
LOOP: Final = 0.1
#: USD in one symbol.
MAX_POSITION: Final = 10_000.0
#: USD. A careful bot stops here; this one goes on with a tenth of its size, so that there is something left to see.
DAILY_LOSS: Final = 400.0
#: Seconds after which an order that waits is taken back.
_WAIT: Final = 1.5
#: Older quotes are not traded on.
_STALE: Final = 2.0
#: How long a symbol is left alone after a reject.
_REST: Final = 1.0


@dataclass(slots=True)
class _Order:
    """An order of ours that the venue has, and the price that we expected."""

    symbol: str
    mid: float
    sent: float = field(default_factory=time.monotonic)


class Bot:
    """Trades every symbol of the venue with one strategy.

    Args:
        client: The venue's REST interface.
        symbols: What to trade.
    """

    def __init__(self, client: Client, symbols: list[str]) -> None:
        self._client = client
        self._strategy = DipBuyer(symbols)
        self._inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._ids = (f"{uuid.uuid4().hex[:8]}-{number}" for number in itertools.count(1))
        self._quotes: dict[str, dict[str, Any]] = {}
        self._positions: defaultdict[str, float] = defaultdict(float)
        self._orders: dict[str, _Order] = {}
        self._resting: defaultdict[str, float] = defaultdict(float)
        self._size = MAX_POSITION
        self._start_equity: float | None = None
        meter.strategy_state(state="running")
        meter.risk_limit(name="daily_loss", limit=DAILY_LOSS, usage=0)

    def received(self, connection: str, message: dict[str, Any]) -> None:
        """Take a message of any stream, in that stream's thread."""
        kind = message["type"]
        if kind in {"trade", "quote"}:
            meter.market_data_received(
                source="paper",
                kind=kind,
                connection=connection,
                symbol=message["symbol"],
                venue_time=message["time"],
                sequence=message["sequence"],
            )
        self._inbox.put(message)

    @meter.iteration(period=LOOP)
    def step(self) -> None:
        """Look at what came, then trade."""
        self._read()
        try:
            self._cancel_what_waits()
            for symbol in self._quotes:
                self._trade(symbol)
        except VenueError as error:
            _log.warning("%s: %s", type(error).__name__, error)

    def check(self) -> None:
        """Ask the venue how we stand, and keep the daily loss limit."""
        begun = time.monotonic()
        try:
            equity = self._client.account()["equity"]
            self._reconcile()
            self._client.sync_clock()
        except VenueError as error:
            _log.warning("%s: %s", type(error).__name__, error)
            meter.health(name="venue", ok=False)
            return
        meter.health(name="venue", ok=True, seconds=time.monotonic() - begun)
        meter.equity(value=equity)
        self._start_equity = self._start_equity or equity
        loss = self._start_equity - equity
        meter.risk_limit(name="daily_loss", limit=DAILY_LOSS, usage=max(loss, 0.0))
        if loss > DAILY_LOSS and self._size == MAX_POSITION:
            _log.error("the daily loss limit of %.0f USD is breached: going on with a tenth of the size", DAILY_LOSS)
            self._size = MAX_POSITION / 10
            meter.strategy_state(state="reducing")

    def close(self) -> None:
        """Take every order back, and wait a moment for the reports of that."""
        for client_id in list(self._orders):
            with contextlib.suppress(UnknownOrderError):
                self._client.cancel_order(client_id)
        time.sleep(LOOP)
        self._read()

    def _read(self) -> None:
        while not self._inbox.empty():
            self._take(self._inbox.get())

    def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "trade":
                self._strategy.seen(message["symbol"], message["price"])
                meter.price_marked(symbol=message["symbol"], price=message["price"])
            case "quote":
                self._quotes[message["symbol"]] = message
            case "fill":
                self._filled(message)
            case "order" if message["status"] in {"canceled", "expired"}:
                meter.order_status_changed(client_id=message["client_id"], status=message["status"])
                self._orders.pop(message["client_id"], None)
            case _:  # an answer to our subscription
                pass

    def _filled(self, fill: dict[str, Any]) -> None:
        order = self._orders.get(fill["client_id"])
        meter.order_filled(
            client_id=fill["client_id"],
            symbol=fill["symbol"],
            side=fill["side"],
            price=fill["price"],
            quantity=fill["quantity"],
            currency=fill["currency"],
            fee=fill["fee"],
            liquidity=fill["liquidity"],
            expected_price=order.mid if order else None,
            benchmark="mid",
            complete=fill["complete"],
        )
        self._positions[fill["symbol"]] += fill["quantity"] if fill["side"] == "buy" else -fill["quantity"]
        if fill["complete"]:
            self._orders.pop(fill["client_id"], None)

    def _trade(self, symbol: str) -> None:
        stale = time.time() - self._quotes[symbol]["time"] > _STALE
        waiting = any(order.symbol == symbol for order in self._orders.values())
        if stale or waiting or time.monotonic() < self._resting[symbol]:
            return
        held = self._positions[symbol]
        side = self._strategy.decide(symbol, holding=held > 0)
        if side == "buy":
            self._send(symbol, side, int(self._size / self._quotes[symbol]["ask"]))
        elif side == "sell":
            self._send(symbol, side, int(held))

    def _send(self, symbol: str, side: OrderSide, quantity: int) -> None:
        """Buy at the bid and wait, sell at once."""
        bid, ask = self._quotes[symbol]["bid"], self._quotes[symbol]["ask"]
        client_id = next(self._ids)
        self._orders[client_id] = _Order(symbol, (bid + ask) / 2)
        try:
            self._client.create_order(
                client_id=client_id,
                symbol=symbol,
                side=side,
                type="limit" if side == "buy" else "market",
                quantity=quantity,
                price=bid if side == "buy" else None,
            )
        except RefusedError as reject:
            _log.info("%s %d %s: %s", side, quantity, symbol, reject)
            self._orders.pop(client_id)
            self._resting[symbol] = time.monotonic() + _REST

    def _cancel_what_waits(self) -> None:
        for client_id, order in list(self._orders.items()):
            if time.monotonic() - order.sent > _WAIT:
                order.sent = time.monotonic()  # asked once per wait
                with contextlib.suppress(UnknownOrderError):  # it has just been filled: the stream will say so
                    self._client.cancel_order(client_id)

    @meter.timed("reconcile")
    def _reconcile(self) -> None:
        """Settle what the private stream did not tell us of: it may have been away."""
        known = {order["client_id"] for order in self._client.open_orders()}
        for client_id, order in list(self._orders.items()):
            if client_id not in known and time.monotonic() - order.sent > _WAIT:
                meter.order_status_changed(client_id=client_id, status=self._status(client_id))
                self._orders.pop(client_id)

    def _status(self, client_id: str) -> OrderStatus:
        try:
            status: OrderStatus = self._client.order(client_id)["status"]
        except UnknownOrderError:
            return "lost"
        return status
