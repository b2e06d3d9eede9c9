"""What becomes of telemetry in a forked worker: it begins anew, as a process of its own, with the first recording.

Until then nothing runs in the child: most forks end in `exec` or compute something. Counters begin at zero, state is
empty, and `service.instance.id` is the worker's, so that nothing is counted twice. Threads of the parent that were in
the middle of recording have left their locks locked: every one that the child could meet is made anew.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, Any, Final

from opentelemetry._logs import get_logger_provider
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import get_tracer_provider

from otel_trading import instruments, trackers
from otel_trading.sdk import exit as ending
from otel_trading.sdk import readers
from otel_trading.sdk.heartbeat import Heartbeat
from otel_trading.sdk.prometheus import ScrapeReader
from otel_trading.sdk.resource import resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.sdk._logs import ReadWriteLogRecord
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.trace import Span

__all__ = ["follow"]

_log: Final = logging.getLogger("otel_trading")


def follow(provider: MeterProvider, extra: dict[str, str], shutdowns: Callable[[], list[Callable[[], None]]]) -> None:
    """Let forked children of this process begin anew.

    Args:
        provider: Ours, which stays the provider of the child as well.
        extra: Attributes of the resource beside those of the environment.
        shutdowns: Returns how to end each provider.
    """
    if not hasattr(os, "register_at_fork"):
        return
    child = _Child(provider, extra, shutdowns)
    os.register_at_fork(before=instruments.stand_still, after_in_parent=instruments.go_on, after_in_child=child.forked)
    tracers, loggers = get_tracer_provider(), get_logger_provider()
    if isinstance(tracers, TracerProvider):
        tracers.add_span_processor(_FirstSpan(child))
    if isinstance(loggers, LoggerProvider):
        loggers.add_log_record_processor(_FirstLog(child))


class _Child:
    """OpenTelemetry offers no way to empty a provider, and other libraries hold its instruments: hence the privates."""

    def __init__(
        self, provider: MeterProvider, extra: dict[str, str], shutdowns: Callable[[], list[Callable[[], None]]]
    ) -> None:
        self._provider = provider
        self._extra = extra
        self._shutdowns = shutdowns
        self._parents: list[MetricReader] = []
        self._lock = threading.RLock()
        self._consumer: Any = provider._measurement_consumer  # noqa: SLF001
        self._begun = True

    def forked(self) -> None:
        """Run in the child before anything else: takes no lock, starts no thread, opens nothing."""
        self._lock = threading.RLock()
        self._begun = False
        trackers.set_default(None)
        instruments.begin_anew(self._begin)
        self._consumer._lock = threading.Lock()  # noqa: SLF001
        self._consumer._reader_storages = {}  # noqa: SLF001
        self._consumer.consume_measurement = self._first
        for meter in list(self._provider._meters.values()):  # noqa: SLF001
            _complete(meter)
        for reader in self._provider._metric_readers:  # noqa: SLF001
            self._parents.append(reader)  # kept: their connections are the parent's, and are not ours to close
            if isinstance(reader, ScrapeReader):
                reader.release()
        self._provider._metric_readers = []  # noqa: SLF001

    def _first(self, *measured: Any) -> None:
        """Stand in for the consumer until somebody records, be it another library."""
        self._begin()
        type(self._consumer).consume_measurement(self._consumer, *measured)

    def begin(self) -> None:
        """Begin with a span or a log record: without it the last of them would not leave at the end."""
        if not self._begun:
            self._begin()

    def _begin(self) -> None:
        with self._lock:
            if self._begun:
                return
            self._begun = True
            try:
                self._start()
            except Exception:  # noqa: BLE001  a worker goes on without telemetry
                _log.warning("This forked worker sends no telemetry.", exc_info=True)
            self._consumer.__dict__.pop("consume_measurement", None)

    def _start(self) -> None:
        own = resource(self._extra)
        self._provider._sdk_config.resource = own  # noqa: SLF001
        for provider in (get_tracer_provider(), get_logger_provider()):
            update = getattr(provider, "_update_resource", None)
            if update is not None:
                update(own)
        built, _ = readers.readers(worker=True)
        for reader in built:
            self._provider.add_metric_reader(reader)
        self._provider._metric_readers = built  # noqa: SLF001
        ending.close_at_exit(Heartbeat(), self._shutdowns())
        ending.exit_on_sigterm_as_the_parent_did()


def _complete(meter: Any) -> None:
    """Free a meter of what a thread of the parent held, and of the names of what it was about to create."""
    meter._instrument_registration_lock = threading.Lock()  # noqa: SLF001
    meter._instrument_ids_lock = threading.Lock()  # noqa: SLF001
    for begun in meter._instrument_ids.keys() - meter._instrument_id_instrument.keys():  # noqa: SLF001
        del meter._instrument_ids[begun]  # noqa: SLF001


class _FirstSpan(SpanProcessor):
    def __init__(self, child: _Child) -> None:
        self._child = child

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        del span, parent_context
        self._child.begin()


class _FirstLog(LogRecordProcessor):
    def __init__(self, child: _Child) -> None:
        self._child = child

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        del log_record
        self._child.begin()

    def shutdown(self) -> None:
        """Nothing to end."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held."""
        del timeout_millis
        return True
