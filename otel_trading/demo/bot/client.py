"""Calls to the venue over HTTP: one session, its request budget, its errors as exceptions."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import requests

from otel_trading import meter

if TYPE_CHECKING:
    from typing import TypeAlias

    from otel_trading.semconv.attributes import OrderSide, OrderType, RejectReason

    Json: TypeAlias = Any

__all__ = ["Client", "RateLimitedError", "RefusedError", "UnknownOrderError", "VenueError"]

_TIMEOUT: Final = 5.0
_BUDGET: Final = "requests_10s"


class VenueError(Exception):
    """The venue did not do what was asked."""


class UnknownOrderError(VenueError):
    """The venue has no such order."""


class RefusedError(VenueError):
    """The venue refused an order.

    Args:
        reason: Why, in the convention's words.
        text: What the venue says.
    """

    def __init__(self, *, reason: RejectReason, text: str) -> None:
        super().__init__(text)
        self.reason: RejectReason = reason


class RateLimitedError(RefusedError):
    """Too many calls: the venue wants to be left alone for a while."""


class Client:
    """The venue's REST interface.

    Args:
        url: Where the venue is.
        key: Its API key.
    """

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.headers["X-API-Key"] = key
        self._blocked_until = 0.0

    def create_order(
        self,
        *,
        client_id: str,
        symbol: str,
        side: OrderSide,
        type: OrderType,  # noqa: A002  FIX calls it so
        quantity: int,
        price: float | None = None,
    ) -> None:
        """Send an order; its fills come over the private stream.

        Raises:
            RefusedError: The venue does not take it.
            VenueError: It may or may not have reached the venue.
        """
        order = {"client_id": client_id, "symbol": symbol, "side": side, "type": type, "quantity": quantity}
        with meter.order_request(client_id=client_id, symbol=symbol, side=side, type=type, quantity=quantity):
            try:
                self._call("POST", "/v1/orders", json=order if price is None else {**order, "price": price})
            except RefusedError as reject:
                meter.order_rejected(client_id=client_id, reason=reject.reason)
                raise
        meter.order_acknowledged(client_id=client_id)

    def cancel_order(self, client_id: str) -> None:
        """Cancel an order; that it is gone comes over the private stream."""
        with meter.order_request(client_id=client_id, operation="cancel"):
            self._call("DELETE", f"/v1/orders/{client_id}")

    @meter.venue_call(operation="fetch_order")
    def order(self, client_id: str) -> Json:
        """Return one order as the venue sees it."""
        return self._call("GET", f"/v1/orders/{client_id}")

    @meter.venue_call(operation="fetch_open_orders")
    def open_orders(self) -> Json:
        """Return what can still trade."""
        return self._call("GET", "/v1/orders")

    @meter.venue_call(operation="fetch_balance")
    def account(self) -> Json:
        """Return cash and equity."""
        return self._call("GET", "/v1/account")

    @meter.venue_call(operation="fetch_markets")
    def lines(self) -> dict[str, list[str]]:
        """Return the market data lines, each with its symbols."""
        lines: dict[str, list[str]] = self._call("GET", "/v1/symbols")["lines"]
        return lines

    @meter.venue_call(operation="fetch_time")
    def sync_clock(self) -> None:
        """Compare our clock with the venue's, half-way between request and reply."""
        before = time.time()
        venue = self._call("GET", "/v1/time")["time"]
        meter.clock_offset(seconds=(before + time.time()) / 2 - venue)

    def _call(self, method: str, path: str, **options: Json) -> Json:
        time.sleep(max(0.0, self._blocked_until - time.monotonic()))
        try:
            reply = self._session.request(method, self._url + path, timeout=_TIMEOUT, **options)
        except requests.RequestException as error:
            raise VenueError(type(error).__name__) from error
        limit, left = (int(reply.headers[f"X-RateLimit-{word}"]) for word in ("Limit", "Remaining"))
        meter.rate_limit(name=_BUDGET, remaining=left, limit=limit)
        return self._read(reply)

    def _read(self, reply: requests.Response) -> Json:
        if reply.ok:
            return reply.json()
        if reply.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            meter.rate_limited(name=_BUDGET, error="429")
            self._blocked_until = time.monotonic() + float(reply.headers["Retry-After"])
            raise RateLimitedError(reason="rate_limited", text=reply.reason)
        error = reply.json()["error"]
        if reply.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
            raise RefusedError(reason=error["reason"], text=error["text"])
        if reply.status_code == HTTPStatus.NOT_FOUND:
            raise UnknownOrderError(error["text"])
        raise VenueError(reply.status_code, error["text"])
