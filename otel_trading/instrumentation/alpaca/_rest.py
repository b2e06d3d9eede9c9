"""Calls over REST: each is timed, those about orders as order messages, and what Alpaca replies is taken."""

from __future__ import annotations

import re
from contextlib import nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from otel_trading import _guard, meter
from otel_trading.instrumentation._hooks import quietly
from otel_trading.instrumentation._orders import Report, quantity
from otel_trading.instrumentation.alpaca import _orders
from otel_trading.instrumentation.alpaca._orders import ORDERS, VENUE, field

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

__all__ = ["CALLS", "ORDERS_OF_CLIENT"]

#: ccxt's verb by method and the word of the path that says it; of other calls method and first word.
_VERBS: Final = {
    ("get", "account"): "fetch_balance",
    ("get", "assets"): "fetch_markets",
    ("get", "bars"): "fetch_ohlcv",
    ("get", "clock"): "fetch_time",
    ("get", "orderbooks"): "fetch_order_book",
    ("get", "orders"): "fetch_orders",
    ("get", "positions"): "fetch_positions",
    ("get", "quotes"): "fetch_bids_asks",
    ("get", "snapshots"): "fetch_tickers",
    ("get", "trades"): "fetch_trades",
}
_WORD: Final = re.compile(r"[a-z_]+")
#: The order call that runs: its request is timed already.
_operation: ContextVar[str | None] = ContextVar("otel_trading_alpaca_operation", default=None)


def _request(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if _operation.get() is not None:
        return wrapped(*args, **kwargs)
    operation = _verb(*args, **kwargs)
    token = _operation.set(operation)
    try:
        with meter.venue_call(operation=operation, venue=VENUE):
            return wrapped(*args, **kwargs)
    finally:
        _operation.reset(token)


def _verb(method: object = "", path: object = "", *_: object, **__: object) -> str:
    words = [word for word in str(path).strip("/").split("/") if _WORD.fullmatch(word)]
    verb = str(method).lower()
    known = (_VERBS.get((verb, word)) for word in reversed(words))
    return next((one for one in known if one is not None), f"{verb}_{words[0] if words else 'other'}")


def _attempt(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return wrapped(*args, **kwargs)
    except Exception as error:
        if type(error).__name__ == "RetryException":
            _retried(error)
        raise


@quietly
def _retried(error: BaseException) -> None:
    status = getattr(getattr(error.__context__, "response", None), "status_code", None)
    meter.retried(operation=_operation.get() or "other", error=None if status is None else str(status), venue=VENUE)


class _Call:
    """An order message: what it is about, and what becomes of it."""

    def __init__(self, operation: str, begin: Callable[..., dict[str, Any]], args: Any, kwargs: Any) -> None:
        self.operation = operation
        self.client_id: str | None = None
        self.timer: AbstractContextManager[object] = nullcontext()
        try:
            keywords = begin(*args, **kwargs)
            self.client_id = keywords.get("original_client_id") or keywords.get("client_id")
            self.timer = meter.order_request(venue=VENUE, **keywords)
        except Exception:  # noqa: BLE001  the call goes out uncounted
            _guard.count("internal_error")

    @quietly
    def failed(self, error: BaseException) -> None:
        """Reject a new order where Alpaca said no to it; any other failure leaves it unknown."""
        refused = _orders.reason(error)
        if refused is not None and self.operation == "create_order":
            meter.order_rejected(client_id=self.client_id, reason=refused, venue=VENUE)


def _sending(
    operation: str, begin: Callable[..., dict[str, Any]], end: Callable[[_Call, Any], None]
) -> Callable[..., Any]:
    taken = quietly(end)

    def send(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = _Call(operation, begin, args, kwargs)
        token = _operation.set(operation)
        try:
            with call.timer:
                result = wrapped(*args, **kwargs)
        except Exception as error:
            call.failed(error)
            raise
        finally:
            _operation.reset(token)
        taken(call, result)
        return result

    return send


def _reading(end: Callable[[Any], None]) -> Callable[..., Any]:
    taken = quietly(end)

    def read(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = wrapped(*args, **kwargs)
        taken(result)
        return result

    return read


def _submit(order_data: Any) -> dict[str, Any]:
    return _orders.placed(order_data)


def _submitted(call: _Call, order: Any) -> None:
    if call.client_id is not None:
        _orders.replied(call.client_id, order)


def _change(operation: str) -> Callable[..., dict[str, Any]]:
    def begin(order_id: Any, order_data: Any = None) -> dict[str, Any]:
        known = ORDERS.client_id(VENUE, str(order_id))
        keywords = {"operation": operation, "quantity": quantity(field(order_data, "qty"))}
        if known is None:
            return keywords
        return {**keywords, "client_id": ORDERS.number(VENUE), "original_client_id": known}

    return begin


def _replaced(call: _Call, order: Any) -> None:
    _orders.replaced(call.client_id, field(order, "id"), field(order, "client_order_id"))
    _orders.reported(order)


def _canceled(call: _Call, _: Any) -> None:
    if call.client_id is not None:
        ORDERS.reported(VENUE, Report(id=None, client_id=call.client_id, status="pending_cancel"))


def _close(symbol_or_asset_id: Any, close_options: Any = None) -> dict[str, Any]:
    symbol = str(symbol_or_asset_id)
    traded = None if len(symbol) == len("550e8400-e29b-41d4-a716-446655440000") else symbol
    return _orders.placed({"symbol": traded, "type": "market", "qty": field(close_options, "qty")})


def _close_all(*_: object, **__: object) -> dict[str, Any]:
    return {"operation": "mass_cancel"}


def _taken(_call: _Call, _result: Any) -> None:
    """Each cancel of many is told of by the stream."""


def _closed_all(_: _Call, responses: Any) -> None:
    for response in responses:
        order = field(response, "body")
        if field(order, "id") is not None and ORDERS.client_id(VENUE, str(field(order, "id"))) is None:
            keywords = _orders.placed(order)
            meter.order_sent(venue=VENUE, **keywords)
            _orders.replied(keywords["client_id"], order)


def _clock(clock: Any) -> None:
    """Take the market's hours, no longer than they hold: many bots ask once and sleep until the opening."""
    is_open = field(clock, "is_open")
    if isinstance(is_open, bool):
        change = _orders.moment(field(clock, "next_close" if is_open else "next_open"))
        meter.venue_session(status="open" if is_open else "closed", until=change, venue=VENUE)


def _listed(orders: Any) -> None:
    for order in orders:
        _orders.reported(order)


CALLS: Final = {"RESTClient._request": _request, "RESTClient._one_request": _attempt}
ORDERS_OF_CLIENT: Final = {
    "TradingClient.submit_order": _sending("create_order", _submit, _submitted),
    "TradingClient.replace_order_by_id": _sending("edit_order", _change("replace"), _replaced),
    "TradingClient.cancel_order_by_id": _sending("cancel_order", _change("cancel"), _canceled),
    "TradingClient.cancel_orders": _sending("cancel_all_orders", _close_all, _taken),
    "TradingClient.close_position": _sending("create_order", _close, _submitted),
    "TradingClient.close_all_positions": _sending("close_all_positions", _close_all, _closed_all),
    "TradingClient.get_orders": _reading(_listed),
    "TradingClient.get_order_by_id": _reading(_orders.reported),
    "TradingClient.get_order_by_client_id": _reading(_orders.reported),
    "TradingClient.get_clock": _reading(_clock),
}
