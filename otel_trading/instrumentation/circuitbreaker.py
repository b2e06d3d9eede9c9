"""circuitbreaker: the state of each breaker, and the outcome and duration of each call that it guards.

| Read from each `CircuitBreaker`                       | Emitted                                                     |
| ----------------------------------------------------- | ----------------------------------------------------------- |
| its state at each call or `with`, half-open included  | `trading.resilience.circuit_breaker.status`, `.transitions` |
| calls that succeed or fail, from entering to leaving  | `.call.duration` by outcome                                 |
| calls that it refuses when open, with fallback or not | the same, short_circuited, in no time                       |

The name is the breaker's: as given, else that of the first function that it decorates. What the user's
`expected_exception` does not take for a failure counts as success, as circuitbreaker does. A breaker that has waited
long enough is half-open for us once it lets a call through.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar, Final

from otel_trading.instrumentation import _breakers
from otel_trading.instrumentation._hooks import LazyInstrumentor, quietly
from otel_trading.instrumentation._names import UNNAMED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.semconv import Metric
    from otel_trading.semconv.attributes import BreakerState

__all__ = ["CircuitbreakerInstrumentor"]

_MODULE: Final = "circuitbreaker"
_STATES: Final[dict[str, BreakerState]] = {"closed": "closed", "open": "open", "half_open": "half_open"}


def _enter(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    entered = wrapped(*args, **kwargs)
    _let_in(instance)
    return entered


def _exit(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    swallowed = wrapped(*args, **kwargs)
    _let_out(instance, *args)
    return swallowed


@quietly
def _let_in(breaker: Any) -> None:
    _breakers.entered(breaker, breaker.name or UNNAMED, _STATES.get(breaker.state))


@quietly
def _let_out(breaker: Any, _kind: object, error: BaseException | None, _trace: object) -> None:
    failed = error is not None and breaker.last_failure is error  # what is no failure to the breaker is not kept there
    _breakers.left(breaker, breaker.name or UNNAMED, _STATES.get(breaker.state), error, failed=failed)


@quietly
def _asked(breaker: Any, code: Any) -> None:
    """Note a refusal, when it is the decorated function that asks whether the breaker is open."""
    if code.co_name.endswith("wrapper") and code.co_filename == sys.modules[_MODULE].__file__:
        error = None if breaker.fallback_function else "CircuitBreakerError"
        _breakers.refused(breaker.name or UNNAMED, "open", error)


def _telling(opened: property) -> property:
    def told(self: Any) -> Any:
        answer = opened.__get__(self)
        if answer:
            _asked(self, sys._getframe(1).f_code)  # noqa: SLF001  a refusal is told nowhere else, a fallback's least
        return answer

    return property(told, doc=opened.__doc__)


class CircuitbreakerInstrumentor(LazyInstrumentor):
    """Looks at each breaker when it lets a call through, when the call ends, and when it refuses one."""

    versions = "circuitbreaker >= 2, < 3"
    tested = ("2.0.0", "2.1.3")
    emits: ClassVar[tuple[Metric, ...]] = _breakers.EMITS
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
        _MODULE: {"CircuitBreaker.__enter__": _enter, "CircuitBreaker.__exit__": _exit}
    }
    _opened: property

    def _arrived(self, module: Any) -> None:
        super()._arrived(module)
        self._opened = module.CircuitBreaker.opened
        module.CircuitBreaker.opened = _telling(self._opened)

    def _left(self, module: Any) -> None:
        super()._left(module)
        module.CircuitBreaker.opened = self._opened
