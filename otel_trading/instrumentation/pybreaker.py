"""pybreaker: the state of each breaker, and the outcome and duration of each call that it guards.

| Read from each `CircuitBreaker` that the bot makes | Emitted                                                         |
| -------------------------------------------------- | --------------------------------------------------------------- |
| its state, from its first call or change on        | `trading.resilience.circuit_breaker.status`, `.transitions`     |
| calls that succeed, fail, or are refused when open | `trading.resilience.circuit_breaker.call.duration` by outcome   |

It is `meter.watch_breaker` for every breaker: a listener is added to the user's own. The name is the breaker's; one
without a name takes that of the first function that it guards. To give it another, or a venue, call
`meter.watch_breaker(breaker, name=..., venue=...)`: yours takes the place of this one. What pybreaker excludes counts
as success, as pybreaker does. A coroutine is followed to its end, and its failure counts here; to pybreaker it
succeeded when it was made, so that its failures never open the breaker: guard such a one with another library.
Refusals of its `call_async` for Tornado are not seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakSet

from otel_trading.instrumentation._hooks import LazyInstrumentor, quietly
from otel_trading.instrumentation._names import UNNAMED, name_of
from otel_trading.meter.breakers import attend_breaker, leave_breaker
from otel_trading.semconv import resilience

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.meter.breakers import Breaker
    from otel_trading.semconv import Metric

__all__ = ["PybreakerInstrumentor"]

#: Those that were made since the first `instrument`, to leave them and to come back.
_made: WeakSet[Any] = WeakSet()
_leave = quietly(leave_breaker)


def _name(function: object) -> str:
    """Name what is guarded; the block of a `with breaker.calling()` has no name."""
    return UNNAMED if getattr(function, "__module__", None) == "pybreaker" else name_of(function)


def _init(wrapped: Callable[..., None], instance: Breaker, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    wrapped(*args, **kwargs)
    _remember(instance)
    _attend(instance)


@quietly
def _remember(breaker: Breaker) -> None:
    _made.add(breaker)


@quietly
def _attend(breaker: Breaker) -> None:
    attend_breaker(breaker, _name)


class PybreakerInstrumentor(LazyInstrumentor):
    """Attaches to each breaker when it is made."""

    versions = "pybreaker >= 1.1, < 2"
    tested = ("1.1.0", "1.4.1")
    emits: ClassVar[tuple[Metric, ...]] = (
        resilience.BREAKER_CALL_DURATION,
        resilience.BREAKER_STATUS,
        resilience.BREAKER_TRANSITIONS,
    )
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {"pybreaker": {"CircuitBreaker.__init__": _init}}

    def _arrived(self, module: Any) -> None:
        super()._arrived(module)
        for breaker in tuple(_made):
            _attend(breaker)

    def _left(self, module: Any) -> None:
        super()._left(module)
        for breaker in tuple(_made):
            _leave(breaker)
