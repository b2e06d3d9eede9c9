"""Requests about several orders: batches of futures, and spot's cancel with a new order in the place of an old one."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from otel_trading import meter
from otel_trading.instrumentation.python_binance import _orders
from otel_trading.instrumentation.python_binance._orders import ORDERS, fields

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["failed", "placed", "replaced", "replacing", "replied"]

_REFUSED = 400


def placed(venue: str, params: dict[str, Any]) -> list[str]:
    """Take a batch that is about to leave; returns the client ids of its orders."""
    ids: list[str] = []
    for order in _batch(params.get("batchOrders")):
        keywords = _orders.placed(venue, order)
        meter.order_sent(venue=venue, **keywords)
        ids.append(keywords["client_id"])
    return ids


def _batch(given: Any) -> list[dict[str, Any]]:
    """Return its orders, which the library has made a part of a query of by now."""
    orders = json.loads(unquote_plus(given.partition("&")[0])) if isinstance(given, str) else given
    return [fields(order) for order in orders or ()]


def replied(venue: str, ids: Sequence[str], result: Any) -> None:
    """Take the replies to a batch, which come in its order: of each an order, or why there is none."""
    for client_id, told in zip(ids, result, strict=False):
        _answered(venue, client_id, told)


def _answered(venue: str, client_id: str, told: Any) -> None:
    order = fields(told)
    if order.get("orderId") is not None:
        ORDERS.acknowledged(venue, client_id, order["orderId"], order.get("clientOrderId"))
        _orders.reported(venue, order)
        return
    why = _orders.reason(SimpleNamespace(code=order.get("code"), message=order.get("msg"), status_code=_REFUSED))
    if why is not None:
        meter.order_rejected(reason=why, client_id=client_id, venue=venue)


def replacing(venue: str, params: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """Take a cancel and its new order; returns their ids, and the order as keywords of `meter.order_request`."""
    names = (params.get("cancelOrderId"), params.get("cancelOrigClientOrderId"))
    known = next((found for name in names if (found := ORDERS.client_id(venue, name))), None)
    message = ORDERS.number(venue)
    meter.order_sent(
        operation="cancel",
        client_id=None if known is None else message,
        original_client_id=known,
        symbol=params.get("symbol"),
        venue=venue,
    )
    order = _orders.placed(venue, params)
    return [order["client_id"], message], order


def replaced(venue: str, ids: Sequence[str], result: Any) -> None:
    """Take the reply to both, of whichever of them there was one."""
    told = fields(result)
    new, canceled = fields(told.get("newOrderResponse")), fields(told.get("cancelResponse"))
    if canceled.get("orderId") is not None:
        _orders.reported(venue, {"status": "CANCELED", **canceled})
    elif canceled:
        meter.order_rejected(client_id=ids[1], venue=venue)
    if new:
        _answered(venue, ids[0], new)
    elif told.get("newOrderResult") == "NOT_ATTEMPTED":
        meter.order_rejected(client_id=ids[0], venue=venue)


def failed(venue: str, ids: Sequence[str], error: Any) -> bool:
    """Take an error that says what became of both; returns whether it did."""
    response = getattr(error, "response", None)
    text = getattr(response, "text", None)
    body = text if isinstance(text, str) else getattr(response, "_body", None)  # aiohttp's, which was read already
    try:
        told = fields(fields(json.loads(body or "")).get("data"))
    except ValueError:
        return False
    replaced(venue, ids, told)
    return bool(told)
