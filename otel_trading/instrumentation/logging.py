"""logging: errors counted by logger, whatever handlers and propagation the bot chose.

| Read                                                    | Emitted                         |
| ------------------------------------------------------- | ------------------------------- |
| a record of ERROR or above that its logger lets through | `trading.log.errors` by logger  |

OpenTelemetry's own package sends the records, and puts `otelTraceID` and `otelSpanID` on each for formats that ask for
them. Neither message nor arguments are read here.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar

from otel_trading import meter
from otel_trading.instrumentation._hooks import LazyInstrumentor, quietly
from otel_trading.semconv import resilience

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.semconv import Metric

__all__ = ["LoggedErrorsInstrumentor"]


@quietly
def _count(record: logging.LogRecord) -> None:
    if record.levelno >= logging.ERROR:
        meter.error_logged(logger=record.name)


def _call_handlers(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    _count(*args, **kwargs)
    return wrapped(*args, **kwargs)


class LoggedErrorsInstrumentor(LazyInstrumentor):
    """Counts at `Logger.callHandlers`, past the level and the filters of the logger."""

    versions = ""
    tested = ()
    emits: ClassVar[tuple[Metric, ...]] = (resilience.LOG_ERRORS,)
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
        "logging": {"Logger.callHandlers": _call_handlers}
    }
