"""Order entry and the account over HTTP."""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from otel_trading.demo.venue.limits import RateLimit
from otel_trading.demo.venue.orders import RejectError, parse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from otel_trading.demo.venue.engine import Engine
    from otel_trading.demo.venue.faults import Faults

__all__ = ["API_KEY", "Rest"]

#: Everybody's: nothing here is worth a secret.
API_KEY: Final = "demo-key"
_SLOW: Final = 0.5
_STORM: Final = ("invalid_order", "market_closed", "other")


class Rest:
    """The handlers, and the middleware that stands before each of them.

    Args:
        engine: Where orders go.
        faults: What goes wrong.
        seed: For latency and the reasons of a reject storm.
    """

    def __init__(self, engine: Engine, faults: Faults, seed: int) -> None:
        self._engine = engine
        self._faults = faults
        self._limit = RateLimit()
        self._rng = random.Random(f"rest/{seed}")  # noqa: S311  latency, not a secret

    def routes(self) -> list[web.RouteDef]:
        """Return every route."""
        return [
            web.get("/health", _health),
            web.get("/v1/time", self.time),
            web.post("/v1/orders", self.create),
            web.get("/v1/orders", self.open_orders),
            web.get("/v1/orders/{client_id}", self.order),
            web.delete("/v1/orders/{client_id}", self.cancel),
            web.get("/v1/account", self.account),
            web.get("/v1/positions", self.positions),
            web.post("/admin/faults", self.fault),
        ]

    @property
    def middleware(self) -> Callable[..., Awaitable[web.StreamResponse]]:
        """The gate: key, budget, latency."""

        @web.middleware
        async def gate(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            if not request.path.startswith("/v1/"):
                return await handler(request)
            if request.headers.get("X-API-Key") != API_KEY:
                return _error(401, "permission", f"The header X-API-Key: {API_KEY} is needed.")
            if not self._limit.take() or self._faults.active("rate_limit"):
                reply: web.StreamResponse = _error(
                    429, "rate_limited", "Too many requests. Wait as long as Retry-After says."
                )
                reply.headers["Retry-After"] = "1" if self._faults.active("rate_limit") else self._limit.retry_after()
            else:
                await asyncio.sleep(self._rng.uniform(0.001, 0.006) + _SLOW * self._faults.active("latency"))
                reply = await handler(request)
            if not reply.prepared:  # a WebSocket has sent its headers long ago
                reply.headers.update(self._limit.headers())
            return reply

        return gate

    async def time(self, _: web.Request) -> web.Response:
        """Answer what time it is here."""
        return web.json_response({"time": time.time()})

    async def create(self, request: web.Request) -> web.Response:
        """Take an order; its executions come over the private stream."""
        try:
            order = parse(await request.json())
            self._check_storm()
            self._engine.place(order)
        except json.JSONDecodeError as error:
            return _error(400, "invalid_order", f"That is not JSON: {error}")
        except RejectError as reject:
            return _error(422, reject.reason, reject.text)
        reply = order.json()
        # After the reply has gone out: a fill must not overtake the acknowledgement of its order.
        asyncio.get_running_loop().call_later(0.005, self._engine.match, self._engine.books[order.symbol])
        return web.json_response(reply)

    def _check_storm(self) -> None:
        if self._faults.active("reject_storm"):
            raise RejectError(reason=self._rng.choice(_STORM), text="The venue rejects every order at the moment.")

    async def open_orders(self, _: web.Request) -> web.Response:
        """Answer which orders can still trade."""
        return web.json_response([order.json() for order in self._engine.open_orders()])

    async def order(self, request: web.Request) -> web.Response:
        """Answer how far an order got."""
        order = self._engine.orders.get(request.match_info["client_id"])
        return web.json_response(order.json()) if order else _error(404, "other", "No such order.")

    async def cancel(self, request: web.Request) -> web.Response:
        """End an order."""
        order = self._engine.cancel(request.match_info["client_id"])
        return web.json_response(order.json()) if order else _error(404, "other", "No such order is open.")

    async def account(self, _: web.Request) -> web.Response:
        """Answer what the account is worth."""
        return web.json_response(self._engine.account.json(self._engine.books))

    async def positions(self, _: web.Request) -> web.Response:
        """Answer what is held."""
        return web.json_response(self._engine.account.positions())

    async def fault(self, request: web.Request) -> web.Response:
        """Begin a fault."""
        try:
            wish: dict[str, Any] = await request.json()
            fault = self._faults.add(
                str(wish["kind"]), line=str(wish.get("line", "")), seconds=float(wish.get("seconds", 5.0))
            )
        except (ValueError, KeyError, TypeError) as error:
            return _error(400, "other", f"Cannot read that: {error}")
        return web.json_response({"kind": fault.kind, "line": fault.line, "seconds": fault.seconds})


async def _health(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


def _error(status: int, reason: str, text: str) -> web.Response:
    return web.json_response({"error": {"reason": reason, "text": text}}, status=status)
