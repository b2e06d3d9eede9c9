"""One call of a client: what it is in ccxt's words, and what became of it."""

from __future__ import annotations

import re
import time
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from otel_trading import _guard, meter
from otel_trading.instrumentation import _replies
from otel_trading.instrumentation._hooks import covering, quietly
from otel_trading.instrumentation._hosts import venue_of
from otel_trading.instrumentation.python_binance import _orders, _several
from otel_trading.instrumentation.python_binance._orders import ORDERS, fields
from otel_trading.meter.venue import VenueCall

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading.semconv import attributes as a

__all__ = ["asked", "handled", "handled_async", "requested", "requested_async", "venue_at"]

_PATH: Final = re.compile(r"/(?:ws-)?(api|sapi|papi|fapi|dapi|eapi)/v\d+(?:/(?:margin/|um/|cm/)?(\w+(?:/\w+)?))?")
_VENUES: Final = {"fapi": "binanceusdm", "dapi": "binancecoinm"}
#: ccxt's verb by method and path; of others only that there was a request.
_VERBS: Final = {
    "post order": "create_order", "get order": "fetch_order", "delete order": "cancel_order", "put order": "edit_order",
    "get openOrders": "fetch_open_orders", "delete openOrders": "cancel_all_orders",
    "get openOrder": "fetch_open_order",
    "delete allOpenOrders": "cancel_all_orders", "get allOrders": "fetch_orders", "get myTrades": "fetch_my_trades",
    "get userTrades": "fetch_my_trades", "get account": "fetch_balance", "get balance": "fetch_balance",
    "get ticker/24hr": "fetch_ticker", "get ticker/price": "fetch_ticker", "get ticker/bookTicker": "fetch_bids_asks",
    "get depth": "fetch_order_book", "get klines": "fetch_ohlcv", "get trades": "fetch_trades",
    "get aggTrades": "fetch_trades", "get exchangeInfo": "fetch_markets", "get time": "fetch_time",
    "get ping": "fetch_status", "get positionRisk": "fetch_positions", "get premiumIndex": "fetch_funding_rate",
    "post leverage": "set_leverage", "post marginType": "set_margin_mode", "post batchOrders": "create_orders",
    "delete batchOrders": "cancel_orders", "post order/cancelReplace": "cancel_replace",
}  # fmt: skip
_SOCKET_VERBS: Final = {
    "order.place": "create_order",
    "order.cancel": "cancel_order",
    "order.cancelReplace": "cancel_replace",
    "order.status": "fetch_order",
    "openOrders.cancelAll": "cancel_all_orders",
    "openOrders.status": "fetch_open_orders",
    "ticker.price": "fetch_ticker",
    "ticker.book": "fetch_bids_asks",
    "ticker.24hr": "fetch_ticker",
    "depth": "fetch_order_book",
    "time": "fetch_time",
}
_OPERATIONS: Final[dict[str, a.OrderOperation]] = {
    "create_order": "new",
    "edit_order": "replace",
    "cancel_order": "cancel",
    "cancel_all_orders": "mass_cancel",
    "fetch_order": "status",
}
_LISTS: Final = frozenset({"fetch_open_orders", "fetch_orders", "cancel_all_orders", "cancel_orders"})
#: Codes of a cancel with a new order of which one or both failed; the reply says which.
_HALF_DONE: Final = frozenset({-2021, -2022})
#: Each id is that of an order or a message; else the second is that of the order which the first is about.
_SEVERAL: Final = frozenset({"create_orders", "cancel_replace"})
_call: ContextVar[_Call | None] = ContextVar("otel_trading_binance_call", default=None)


def venue_at(url: str) -> str:
    """Return ccxt's id of the market behind a URL; only host and path are looked at."""
    return venue_of(url) or _VENUES.get(_parts(url)[0], "binance")


@lru_cache(maxsize=1024)
def _parts(url: str) -> tuple[str, str | None]:
    """Return the family of the API and what of it is called."""
    found = _PATH.search(url)
    return (found[1], found[2]) if found else ("", "")


@lru_cache(maxsize=1024)
def _verb(method: str, uri: str) -> str:
    return _VERBS.get(f"{method.lower()} {_parts(uri)[1]}", "request")


class _Call:
    """A request, from before it leaves until its reply was read."""

    __slots__ = ("ids", "sent", "timer", "venue", "verb")

    def __init__(self, venue: str, verb: str, params: dict[str, Any]) -> None:
        self.venue, self.verb = venue, verb
        #: Client ids of the order that it is about, or first of the message about it.
        self.ids: list[str] = []
        self.timer: Any = self._timer(params)
        self.timer.__enter__()
        self.sent = time.time()

    def _timer(self, params: dict[str, Any]) -> Any:
        if self.verb == "create_orders":
            self.ids = _several.placed(self.venue, params)
        elif self.verb == "cancel_replace":
            self.ids, order = _several.replacing(self.venue, params)
            return meter.order_request(venue=self.venue, **order)
        operation = _OPERATIONS.get(self.verb)
        if operation is None:
            return VenueCall(self.verb, self.venue, params.get("symbol"))
        if operation == "new":
            order = _orders.placed(self.venue, params)
            self.ids = [order["client_id"]]
            return meter.order_request(venue=self.venue, **order)
        names = (params.get("orderId"), params.get("origClientOrderId"))
        known = next((found for name in names if (found := ORDERS.client_id(self.venue, name))), None)
        symbol = params.get("symbol")
        if known is None or operation not in {"cancel", "replace"}:
            return meter.order_request(operation=operation, client_id=known, symbol=symbol, venue=self.venue)
        self.ids = [ORDERS.number(self.venue), known]
        return meter.order_request(
            operation=operation, client_id=self.ids[0], original_client_id=known, symbol=symbol, venue=self.venue
        )

    @quietly
    def returned(self, result: Any) -> None:
        self.timer.__exit__(None, None, None)
        take = _TAKEN.get(self.verb)
        if take is not None:
            take(self, result)
        if self.verb in _LISTS and isinstance(result, list):
            for order in result:  # pyright: ignore[reportUnknownVariableType]  # any JSON
                _orders.reported(self.venue, order)
        elif self.verb in _OPERATIONS:
            _orders.reported(self.venue, result)

    @quietly
    def raised(self, error: BaseException) -> None:
        code = getattr(error, "code", None)
        self.timer.__exit__(str(code) if isinstance(code, int) and code else type(error), error, None)
        why = _orders.reason(error)
        if self.verb == "cancel_replace" and code in _HALF_DONE:
            _several.failed(self.venue, self.ids, error)
        elif why is not None:
            for client_id in self.ids if self.verb in _SEVERAL else self.ids[:1]:
                meter.order_rejected(reason=why, client_id=client_id, venue=self.venue)


def _created(call: _Call, result: Any) -> None:
    told = fields(result)
    ORDERS.acknowledged(call.venue, call.ids[0], told.get("orderId"), told.get("clientOrderId"))


def _edited(call: _Call, result: Any) -> None:
    if call.ids:
        ORDERS.renamed(call.venue, call.ids[1], fields(result).get("orderId"))


def _traded(call: _Call, result: Any) -> None:
    for trade in result:
        _orders.executed(call.venue, trade)


#: What a reply tells besides the state of an order.
_TAKEN: Final[dict[str, Callable[[_Call, Any], None]]] = {
    "cancel_replace": lambda call, result: _several.replaced(call.venue, call.ids, result),
    "create_order": _created,
    "create_orders": lambda call, result: _several.replied(call.venue, call.ids, result),
    "edit_order": _edited,
    "fetch_markets": lambda call, result: _orders.learned(call.venue, fields(result)),
    "fetch_my_trades": _traded,
    "fetch_time": lambda call, result: _replies.clock(call.venue, float(result["serverTime"]) / 1000, call.sent, 0.001),
}


def _start(url: str, verb: str, params: Any) -> _Call | None:
    try:
        call = _Call(venue_at(url), verb, fields(params))
    except Exception:  # noqa: BLE001  the request leaves untimed
        _guard.count("internal_error")
        return None
    _call.set(call)
    return call


def _of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Call | None:
    method = str(args[0] if args else kwargs.get("method"))
    uri = str(args[1] if len(args) > 1 else kwargs.get("uri"))
    return _start(uri, _verb(method, uri), kwargs.get("data"))


def requested(wrapped: Callable[..., Any], _client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Hook `Client._request`."""
    call = _of(args, kwargs)
    try:
        with covering():
            result = wrapped(*args, **kwargs)
    except BaseException as error:
        if call is not None:
            call.raised(error)
        raise
    if call is not None:
        call.returned(result)
    return result


async def requested_async(
    wrapped: Callable[..., Any], _client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Hook `AsyncClient._request`."""
    call = _of(args, kwargs)
    try:
        with covering():
            result = await wrapped(*args, **kwargs)
    except BaseException as error:
        if call is not None:
            call.raised(error)
        raise
    if call is not None:
        call.returned(result)
    return result


async def asked(wrapped: Callable[..., Any], socket: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Hook `WebsocketAPI.request`, which carries orders as well."""
    payload = fields(args[1] if len(args) > 1 else kwargs.get("payload"))
    verb = _SOCKET_VERBS.get(str(payload.get("method")), "request")
    call = _start(str(socket._url), verb, payload.get("params"))  # noqa: SLF001  it has no other
    try:
        result = await wrapped(*args, **kwargs)
    except BaseException as error:
        if call is not None:
            call.raised(error)
        raise
    if call is not None:
        call.returned(result)
    return result


@quietly
def _read(response: Any) -> None:
    call = _call.get()
    status = response.status_code if hasattr(response, "status_code") else response.status
    venue, sent = (call.venue, call.sent) if call is not None else (venue_at(str(response.url)), time.time())
    _replies.tell(venue, int(status), response.headers, sent)


def handled(wrapped: Callable[..., Any], _client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Hook `Client._handle_response`."""
    _read(args[0] if args else kwargs.get("response"))
    return wrapped(*args, **kwargs)


async def handled_async(
    wrapped: Callable[..., Any], _client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Hook `AsyncClient._handle_response`."""
    _read(args[0] if args else kwargs.get("response"))
    return await wrapped(*args, **kwargs)
