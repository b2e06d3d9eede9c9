"""httpx: what a venue's replies tell of its budgets and its clock, for `Client` and `AsyncClient`.

Emits what `otel_trading.instrumentation.requests` emits, from the same headers.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from otel_trading.instrumentation import _replies
from otel_trading.instrumentation._hooks import LazyInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.semconv import Metric

__all__ = ["HttpxVenueInstrumentor"]


def _send(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    sent = time.time()
    response = wrapped(*args, **kwargs)
    _replies.read(response, sent)
    return response


async def _send_async(
    wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    sent = time.time()
    response = await wrapped(*args, **kwargs)
    _replies.read(response, sent)
    return response


class HttpxVenueInstrumentor(LazyInstrumentor):
    """Reads the reply of every request that a client sends; of redirects the last one."""

    versions = "httpx >= 0.24, < 1"
    tested = ("0.24.0", "0.28.1")
    emits: ClassVar[tuple[Metric, ...]] = _replies.EMITS
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
        "httpx": {"Client.send": _send, "AsyncClient.send": _send_async}
    }
