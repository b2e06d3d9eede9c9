"""Keep the app's own warnings on stderr when OpenTelemetry's log handler is installed.

Python prints warnings of an app that never configured logging through `logging.lastResort`, but only while no handler
is found. OpenTelemetry's handler on the root logger is found, so those warnings would vanish from the terminal.
"""

from __future__ import annotations

import logging
from typing import Final

from opentelemetry.instrumentation.logging import LoggingInstrumentor
from opentelemetry.instrumentation.logging.handler import LoggingHandler

from otel_trading.instrumentation.logging import LoggedErrorsInstrumentor

__all__ = ["CORRELATION", "instrument_logging", "keep_last_resort"]

#: `otelTraceID` and the like on every record, for the app's formats that ask for them; none is changed.
CORRELATION: Final = {"inject_trace_context": True}


def instrument_logging() -> None:
    """Send log records over OpenTelemetry, for a process that is not auto-instrumented."""
    instrumentor = LoggingInstrumentor()
    if not instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.instrument(**CORRELATION)
    LoggedErrorsInstrumentor().instrument()
    keep_last_resort()


def keep_last_resort() -> None:
    """Let OpenTelemetry's handlers hand a record to `logging.lastResort` when no other handler would show it."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LoggingHandler) and _last_resort not in handler.filters:
            handler.addFilter(_last_resort)


def _last_resort(record: logging.LogRecord) -> bool:
    last = logging.lastResort
    if last is not None and record.levelno >= last.level and not _has_another_handler(record.name):
        last.handle(record)
    return True


def _has_another_handler(name: str) -> bool:
    logger: logging.Logger | None = logging.getLogger(name)
    while logger is not None:
        if any(not isinstance(handler, LoggingHandler) for handler in logger.handlers):
            return True
        logger = logger.parent if logger.propagate else None
    return False
