"""A timer on the loop that the library runs on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeAlias

from otel_trading.instrumentation._hooks import quietly

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Handle", "later"]

Handle: TypeAlias = asyncio.TimerHandle


def later(seconds: float, call: Callable[[], Any]) -> Handle | None:
    """Call something in a while; at once where no loop runs, because nobody would call it then."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        call()
        return None
    return loop.call_later(seconds, _call, call)


@quietly
def _call(call: Callable[[], Any]) -> None:
    call()
