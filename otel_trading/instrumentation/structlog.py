"""structlog: trace ids in what the bot logs, and errors counted by logger.

| Read                                       | Done                                                             |
| ------------------------------------------ | ---------------------------------------------------------------- |
| an event inside a span                     | gains `trace_id` and `span_id`, unless it has them               |
| error, critical, exception, fatal          | `trading.log.errors` by logger: its `logger`, else `structlog`   |

A structlog over the standard library's loggers is counted there, once. No event text and no other key is read.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar, Final

from opentelemetry.trace import format_span_id, format_trace_id, get_current_span

from otel_trading import meter
from otel_trading.instrumentation._hooks import LazyInstrumentor, quietly
from otel_trading.semconv import resilience

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.semconv import Metric

__all__ = ["StructlogInstrumentor"]

_ERRORS: Final = {"error", "critical", "exception", "fatal"}


@quietly
def _look(logger: Any, method: str, event: dict[str, Any]) -> None:
    span = get_current_span().get_span_context()
    bound: dict[str, Any] = getattr(logger, "_context", {})
    if span.is_valid and "trace_id" not in event and "trace_id" not in bound:
        event.update(trace_id=format_trace_id(span.trace_id), span_id=format_span_id(span.span_id))
    if method in _ERRORS and not isinstance(getattr(logger, "_logger", None), logging.Logger):
        meter.error_logged(logger=str(event.get("logger") or bound.get("logger") or "structlog"))


def _process(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    def call(method_name: str, event: Any, event_kw: dict[str, Any]) -> Any:
        _look(instance, method_name, event_kw)
        return wrapped(method_name, event, event_kw)

    return call(*args, **kwargs)


class StructlogInstrumentor(LazyInstrumentor):
    """Hooks the step that every bound logger takes before its processors; those stay as the bot configured them."""

    versions = "structlog >= 21.5, < 27"
    tested = ("21.5.0", "26.1.0")
    emits: ClassVar[tuple[Metric, ...]] = (resilience.LOG_ERRORS,)
    gains = "trace ids in its events"
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
        "structlog._base": {"BoundLoggerBase._process_event": _process}
    }
