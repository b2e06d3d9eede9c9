"""What a circuit breaker without listeners shows while a block that it guards is entered and left."""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from otel_trading import meter
from otel_trading.instrumentation._hooks import quietly
from otel_trading.semconv import resilience

if TYPE_CHECKING:
    from otel_trading.semconv.attributes import BreakerOutcome, BreakerState

__all__ = ["EMITS", "entered", "left", "refused"]

EMITS: Final = (
    resilience.BREAKER_CALL_DURATION,
    resilience.BREAKER_STATUS,
    resilience.BREAKER_TRANSITIONS,
)
_MAX_OPEN: Final = 16
#: Which breakers guard what is under way here, and since when; the innermost last.
_under_way: ContextVar[tuple[tuple[object, float], ...]] = ContextVar("otel_trading_guarded_blocks", default=())


@quietly
def entered(breaker: object, name: str, state: BreakerState | None) -> None:
    """Note that a block was let through.

    Args:
        breaker: The same object at `left`.
        name: Of the breaker.
        state: In which it let it through; None when it is one that we do not know.
    """
    _under_way.set((*_under_way.get()[1 - _MAX_OPEN :], (breaker, time.perf_counter())))
    _state(name, state)


@quietly
def left(breaker: object, name: str, state: BreakerState | None, error: BaseException | None, *, failed: bool) -> None:
    """Note how it ended.

    Args:
        breaker: As at `entered`.
        name: Of the breaker.
        state: After it.
        error: What left the block.
        failed: Whether the breaker counts it as a failure.
    """
    seconds = time.perf_counter() - _begin(breaker)
    outcome: BreakerOutcome = "failure" if failed else "success"
    meter.breaker_called(name=name, outcome=outcome, seconds=seconds, error=error if failed else None)
    _state(name, state)


@quietly
def refused(name: str, state: BreakerState | None, error: str | None) -> None:
    """Note that an open breaker did not let a block through."""
    _state(name, state)
    meter.breaker_called(name=name, outcome="short_circuited", seconds=0.0, error=error)


def _begin(breaker: object) -> float:
    """Return since when the innermost block of a breaker is under way, and forget that."""
    blocks = _under_way.get()
    for index in range(len(blocks) - 1, -1, -1):
        if blocks[index][0] is breaker:
            _under_way.set((*blocks[:index], *blocks[index + 1 :]))
            return blocks[index][1]
    return time.perf_counter()  # an asynchronous generator may be ended in a context of its own


def _state(name: str, state: BreakerState | None) -> None:
    if state is not None:
        meter.breaker_changed(name=name, state=state)
