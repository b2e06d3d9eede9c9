"""Events: named log records, through OpenTelemetry's API only; a logger that nobody configured costs nothing.

::

    events.emit(semconv.events.KILL_SWITCH_CHANGED, attributes)

An event stands in the trace in which it happened, so a log leads to its order and an order to its logs.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from opentelemetry._logs import Logger, LoggerProvider, SeverityNumber, get_logger

from otel_trading import __version__, _carried, _locks

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from otel_trading._attributes import AttributeSet
    from otel_trading.semconv import Event, Severity

__all__ = ["bind", "emit", "restore"]

SCOPE: Final = "otel_trading"
_NUMBERS: Final = {"INFO": SeverityNumber.INFO, "WARN": SeverityNumber.WARN, "ERROR": SeverityNumber.ERROR}


class _State:
    logger: Logger | None = None


def emit(
    event: Event,
    attributes: AttributeSet,
    *,
    severity: Severity | None = None,
    context: Context | None = None,
    **ids: str | None,
) -> None:
    """Emit one event.

    Args:
        event: Which one.
        attributes: As they stand on metrics; those that the event does not carry are left out.
        severity: When this one is louder than others of its kind.
        context: Where it belongs; the current context when None.
        ids: client_id, order_id, venue_order_id, execution_id, position_id, backtest_id.

    Raises:
        ConventionError: In strict mode, when a required attribute is missing.
    """
    logger = _State.logger or _logger()
    if not logger.enabled(event_name=event.name):
        return
    values = _carried.carried(event, attributes, ids)
    if values is None:
        return
    loud = severity or event.severity
    record = partial(
        logger.emit,
        event_name=event.name,
        severity_number=_NUMBERS[loud.value],
        severity_text=loud.value,
        attributes=values,
        context=context,
    )
    _locks.run(record)


def bind(provider: LoggerProvider) -> Logger | None:
    """Emit under another provider; returns the logger before."""
    _carried.forget()
    before, _State.logger = _State.logger, provider.get_logger(SCOPE, __version__)
    return before


def restore(before: Logger | None) -> None:
    """Put back what `bind` returned."""
    _carried.forget()
    _State.logger = before


def _logger() -> Logger:
    _State.logger = get_logger(SCOPE, __version__)  # a proxy until a provider is set
    return _State.logger
