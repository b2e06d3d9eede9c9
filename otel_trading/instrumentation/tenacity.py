"""tenacity: how often something was tried again, by the function that is repeated and what it failed with.

| Read from each decision to try again                          | Emitted                      |
| ------------------------------------------------------------- | ---------------------------- |
| function (`@retry`), or the one that runs the `for attempt`   | `trading.resilience.retries` |
| loop; type of the exception, none for a result to be repeated |                              |

Sync, async and Tornado. `before`, `after`, `before_sleep` and the other callbacks stay the user's alone: the decision
itself is looked at. Where `before_sleep` is `meter.before_sleep(...)`, that one counts, under the user's own name.
"""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any, ClassVar, Final

from opentelemetry.instrumentation.utils import unwrap
from wrapt import wrap_function_wrapper

from otel_trading import meter
from otel_trading.instrumentation._hooks import LazyInstrumentor, quietly
from otel_trading.instrumentation._names import UNNAMED, name_of
from otel_trading.meter.resilience import counts_retries
from otel_trading.semconv import resilience

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from otel_trading.semconv import Metric

__all__ = ["TenacityInstrumentor"]

_ITER: Final = "iter"
#: Frames of these stand between the user's loop and us.
_BETWEEN: Final = ("tenacity", "otel_trading.instrumentation", "wrapt")


def _decide(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    decision: Any = wrapped(*args, **kwargs)
    if inspect.iscoroutine(decision):
        return _awaited(decision, instance, *args, **kwargs)
    if _again(decision):
        _count(instance, *args, **kwargs)
    return decision


async def _awaited(coming: Awaitable[Any], retrying: Any, retry_state: Any) -> Any:
    decision = await coming
    if _again(decision):
        _count(retrying, retry_state)
    return decision


def _again(decision: object) -> bool:
    """Whether the decision is to wait for one more attempt."""
    return type(decision).__name__ == "DoSleep"


@quietly
def _count(retrying: Any, retry_state: Any) -> None:
    if not counts_retries(retrying.before_sleep):
        function, outcome = retry_state.fn, retry_state.outcome
        error = outcome.exception() if outcome.failed else None
        meter.retried(operation=name_of(function) if function else _loop(), error=error)


def _loop() -> str:
    """Name the function whose `for attempt in Retrying()` goes on."""
    frame = sys._getframe()  # noqa: SLF001  an attempt of a loop has no function of its own
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith(_BETWEEN):
        frame = frame.f_back
    name = str(getattr(frame.f_code, "co_qualname", frame.f_code.co_name)).rpartition("<locals>.")[2]
    return UNNAMED if name == "<module>" else name


class TenacityInstrumentor(LazyInstrumentor):
    """Looks at each decision whether to try again."""

    versions = "tenacity >= 8.2, < 10"
    tested = ("8.2.0", "9.2.1")
    emits: ClassVar[tuple[Metric, ...]] = (resilience.RETRIES,)
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {"tenacity": {"BaseRetrying.iter": _decide}}

    def _arrived(self, module: Any) -> None:
        super()._arrived(module)
        if _ITER in vars(module.AsyncRetrying):  # since 8.4; before, it inherits the one above
            wrap_function_wrapper(module.AsyncRetrying, _ITER, _decide)

    def _left(self, module: Any) -> None:
        super()._left(module)
        if _ITER in vars(module.AsyncRetrying):
            unwrap(module.AsyncRetrying, _ITER)
