"""backoff: how often something was tried again, by the function that is repeated and what it failed with.

| Read from each decision to try again                                         | Emitted                      |
| ---------------------------------------------------------------------------- | ---------------------------- |
| function, and type of the exception; none for a result that is not good yet  | `trading.resilience.retries` |

Sync and async, `on_exception` and `on_predicate`. A handler is added behind the user's own `on_backoff` ones: what they
raise still ends the attempts, and is then no retry. A function that was decorated before is not seen. Do not call
`meter.retried` in an `on_backoff` as well: it would count twice.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar, Final

from otel_trading import meter
from otel_trading.instrumentation._hooks import LazyInstrumentor, quietly
from otel_trading.instrumentation._names import name_of
from otel_trading.semconv import resilience

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.semconv import Metric

__all__ = ["BackoffInstrumentor"]


def _decorate(wrapped: Callable[..., Any], _instance: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return wrapped(*args, **{**kwargs, "on_backoff": [*kwargs["on_backoff"], _backed_off]})


@quietly
def _backed_off(details: dict[str, Any]) -> None:
    """Count one more attempt; functions that were decorated while we were on keep this handler."""
    if BackoffInstrumentor().is_instrumented_by_opentelemetry:
        error = None if "value" in details else details.get("exception") or sys.exc_info()[1]
        meter.retried(operation=name_of(details["target"]), error=error)


_HOOKS: Final = {"retry_exception": _decorate, "retry_predicate": _decorate}


class BackoffInstrumentor(LazyInstrumentor):
    """Adds a handler to each function that is decorated."""

    versions = "backoff >= 2, < 3"
    tested = ("2.0.0", "2.2.1")
    emits: ClassVar[tuple[Metric, ...]] = (resilience.RETRIES,)
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
        "backoff._sync": _HOOKS,
        "backoff._async": _HOOKS,
    }
