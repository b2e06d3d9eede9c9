"""One unified call of a bot, such as `create_order`: the requests that it makes, and what became of it."""

from __future__ import annotations

import time
from contextlib import nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from otel_trading import _guard, meter
from otel_trading.instrumentation import _replies
from otel_trading.instrumentation._hooks import quietly
from otel_trading.instrumentation.ccxt import _orders
from otel_trading.instrumentation.ccxt._orders import ORDERS
from otel_trading.meter.venue import VenueCall

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from otel_trading.semconv import attributes as a

__all__ = ["CALL", "Call"]

#: What each order call asks of the venue, and the names of its arguments.
_OPERATIONS: Final[dict[str, tuple[a.OrderOperation, tuple[str, ...]]]] = {
    "create_order": ("new", ("symbol", "type", "side", "amount", "price", "params")),
    "edit_order": ("replace", ("id", "symbol", "type", "side", "amount", "price", "params")),
    "cancel_order": ("cancel", ("id", "symbol", "params")),
    "cancel_all_orders": ("mass_cancel", ("symbol", "params")),
    "fetch_order": ("status", ("id", "symbol", "params")),
}
#: Over the WebSocket the whole call is the request.
_SOCKET: Final = "_ws"
_RETURNED: Final = frozenset(f"{name}{end}" for name in ("create_order", "edit_order") for end in ("", _SOCKET))
_OWN_TRADES: Final = frozenset({"fetch_my_trades", "fetch_order_trades", "watch_my_trades"})
CALL: ContextVar[Call | None] = ContextVar("otel_trading_ccxt_call", default=None)


class Call:
    """A call of a unified method, from the bot or from inside ccxt.

    Args:
        exchange: Whose method.
        name: Of the method, in snake case.
        args: Its arguments.
        kwargs: Its keywords.
    """

    __slots__ = ("args", "batch", "exchange", "failed", "ids", "kwargs", "name", "params", "requests", "sent", "timer")

    def __init__(
        self, exchange: Any, name: str, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> None:
        self.exchange, self.name, self.args, self.kwargs = exchange, name, args, kwargs or {}
        #: How many requests it has made so far, and whether the last one failed so that ccxt may try again.
        self.requests, self.failed = 0, False
        #: When the last one left, as Unix seconds.
        self.sent = 0.0
        #: What it carried before it was signed.
        self.params: Any = None
        #: Client ids of the orders that it is about, or of the messages about them.
        self.ids: list[str] = []
        #: The orders of `create_orders`, as the meter was told.
        self.batch: list[dict[str, Any]] = []
        self.timer: Any = None

    @property
    def takes_result(self) -> bool:
        """Whether what it returns is the one order that it reads, so that to read it once is enough."""
        return bool(self.ids) and self.name in _RETURNED

    def request(self) -> AbstractContextManager[object]:
        """Return the timer of one request."""
        self.sent = time.time()
        self.requests += 1
        try:
            return self._request()
        except Exception:  # noqa: BLE001  the request leaves untimed
            _guard.count("internal_error")
            return nullcontext()

    def _request(self) -> AbstractContextManager[object]:
        name = self.name.removesuffix(_SOCKET)
        if self.failed:
            self.failed = False
            meter.retried(operation=name, venue=self.exchange.id)
        if self.requests == 1:
            if name in _OPERATIONS:
                return self._order(*_OPERATIONS[name])
            if name == "create_orders":
                self._batch()
        return VenueCall(name, self.exchange.id)

    def _order(self, operation: a.OrderOperation, names: tuple[str, ...]) -> AbstractContextManager[object]:
        given = dict(zip(names, self.args, strict=False)) | self.kwargs
        venue = self.exchange.id
        if operation == "new":
            order = _orders.placed(self.exchange, given, self.params)
            self.ids = [order["client_id"]]
            return meter.order_request(venue=venue, **order)
        symbol = _orders.market(self.exchange, given.get("symbol")).get("symbol", given.get("symbol"))
        known = ORDERS.client_id(venue, given.get("id"))
        if operation == "status" or known is None:
            return meter.order_request(operation=operation, client_id=known, symbol=symbol, venue=venue)
        self.ids = [ORDERS.number(venue), known]
        more = _orders.kind(given, given.get("params") or {}) if operation == "replace" else {}
        return meter.order_request(
            operation=operation, client_id=self.ids[0], original_client_id=known, symbol=symbol, venue=venue, **more
        )

    def _batch(self) -> None:
        orders = self.args[0] if self.args else self.kwargs["orders"]
        for order, sent in zip(orders, _orders.batch(self.params, len(orders)), strict=True):
            keywords = _orders.placed(self.exchange, order, sent)
            self.ids.append(keywords["client_id"])
            self.batch.append(keywords)
            meter.order_sent(venue=self.exchange.id, **keywords)

    def begin(self) -> None:
        """Start the clock of a call over the WebSocket."""
        if self.name.endswith(_SOCKET) and self.name.removesuffix(_SOCKET) in _OPERATIONS:
            self.timer = self.request()
            self.timer.__enter__()

    def end(self, error: BaseException | None) -> None:
        """Stop it."""
        if self.timer is not None:
            self.timer.__exit__(type(error) if error else None, error, None)

    @quietly
    def returned(self, result: Any) -> None:
        """Take what the bot gets."""
        name = self.name.removesuffix(_SOCKET)
        if name in _OWN_TRADES:
            for trade in result:
                _orders.executed(self.exchange, trade, own=True)
        elif name == "fetch_time":
            self._clock(result)
        elif name == "create_orders":
            _orders.replied_to_all(self.exchange, self.batch, result)
        elif self.ids:
            self._answered(name, result)

    def _answered(self, name: str, order: Any) -> None:
        venue, known = self.exchange.id, self.ids[-1]
        if name == "create_order":
            _orders.replied(self.exchange, known, order)
        elif name == "edit_order":
            ORDERS.renamed(venue, known, order.get("id"), order.get("clientOrderId"))
            _orders.reported(self.exchange, order)
        else:
            # A venue that takes a cancel and says no more than that has canceled; a fill that was faster still counts.
            told = _orders.fields(order)
            stated = told if told.get("status") else {"status": "canceled"}
            _orders.reported(self.exchange, {**stated, "clientOrderId": known})

    def _clock(self, milliseconds: Any) -> None:
        if self.requests == 1 and milliseconds is not None:
            _replies.clock(self.exchange.id, float(milliseconds) / 1000, self.sent, resolution=0.001)

    @quietly
    def raised(self, error: BaseException) -> None:
        """Take why the bot gets nothing."""
        name, why = self.name.removesuffix(_SOCKET), _orders.reason(error)
        if why is None or name not in {*_OPERATIONS, "create_orders"}:
            return
        venue = self.exchange.id
        if name in {"create_order", "create_orders"}:
            if not self.requests:
                self._denied(why)
            for client_id in self.ids:
                meter.order_rejected(reason=why, client_id=client_id, venue=venue)
        elif self.ids:
            meter.order_rejected(reason=why, client_id=self.ids[0], venue=venue)

    def _denied(self, why: a.RejectReason) -> None:
        """Count an order that never left: ccxt itself said no."""
        if self.name.startswith("create_orders"):
            orders = self.args[0] if self.args else self.kwargs.get("orders", ())
        else:
            orders = [dict(zip(_OPERATIONS["create_order"][1], self.args, strict=False)) | self.kwargs]
        for order in orders:
            told = _orders.kind(order, order.get("params") or {})
            symbol = _orders.market(self.exchange, order.get("symbol")).get("symbol")
            meter.order_rejected(
                reason=why, source="client", symbol=symbol, side=told["side"], type=told["type"], venue=self.exchange.id
            )
