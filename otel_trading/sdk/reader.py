"""The periodic reader that no exception can kill.

The stock reader catches one type around `collect()`; any other ends its thread for ever, and with it all telemetry.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.metrics.export import Gauge, MetricExportResult, PeriodicExportingMetricReader

from otel_trading import _guard, _locks, instruments
from otel_trading.sdk.redaction import clean_metrics
from otel_trading.semconv import sdk as metrics

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricsData

__all__ = ["SurvivingReader"]

_log: Final = logging.getLogger("otel_trading")
#: What is further ahead than this, the Collector has not taken (`filter/prometheus_safe`).
_TAKEN_AHEAD_NS: Final = 300 * 10**9
_SECOND_NS: Final = 10**9
_MILLISECOND_NS: Final = 10**6


class SurvivingReader(PeriodicExportingMetricReader):
    """Collects and exports at each interval, whatever happens; a lost export is counted.

    While the clock is behind the last export, because somebody set it back, nothing is exported: points that go back in
    time would stand between those before them, and every counter would seem to begin anew at each.

    Emits: `trading.sdk.export.duration`, and `trading.sdk.dropped` with reason export_failed or internal_error.
    """

    _collected = _exported = 0
    _waits = False

    def _ticker(self) -> None:
        seconds = self._export_interval_millis / 1e3
        while not self._shutdown_event.wait(seconds):
            self._collect_once()
        self._collect_once()

    def _at_fork_reinit(self) -> None:
        """Stay silent in a forked child: it would send its parent's state and counts again, as its parent."""

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Collect and export now; what is recorded by whoever interrupts this thread meanwhile comes afterwards."""
        with _locks.inside:
            self._collected = time.time_ns()
            return super().force_flush(timeout_millis)

    def _collect_once(self) -> None:
        try:
            with _locks.inside:
                self._collected = time.time_ns()
                self.collect(timeout_millis=self._export_timeout_millis)
        except BaseException:  # noqa: BLE001  whatever a callback raises, CancelledError included: the thread lives on
            _guard.count("internal_error")
            _log.exception("Collecting metrics failed; the next interval tries again.")

    def _receive_metrics(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> None:
        del kwargs
        behind = self._behind()
        if behind and not self._shutdown_event.is_set():
            return
        if behind:
            _move(metrics_data, behind)  # the last word of a process waits for nothing, and is the last one
        _after_their_start(metrics_data)
        self._exported = time.time_ns() + behind
        begin = time.perf_counter()
        error = None
        with suppress_instrumentation(), self._export_lock:
            try:
                result = self._exporter.export(clean_metrics(metrics_data), timeout_millis=timeout_millis)
                if result is not MetricExportResult.SUCCESS:
                    error = "export_failed"
            except BaseException as failure:  # noqa: BLE001  the thread must live on
                error = type(failure).__qualname__
                _log.exception("Exporting metrics failed; the next interval tries again.")
        if error:
            _guard.count("export_failed")
        instruments.record_own(metrics.EXPORT_DURATION, time.perf_counter() - begin, error)

    def _behind(self) -> int:
        """Return how far the clock is behind the last export, in nanoseconds; 0 where that is no matter."""
        behind = self._exported - self._collected
        # Two threads that export at once are no clock that was set; one that was has to catch up in full.
        if not (0 if self._waits else _SECOND_NS) < behind < _TAKEN_AHEAD_NS:
            behind = 0
        if behind and not self._waits:
            message = "The clock was set back: exports wait %.1f s until it is where it was; counters lose nothing."
            _log.warning(message, behind / 1e9)
        self._waits = bool(behind)
        return behind


def _move(data: MetricsData, by: int) -> None:
    """Let all points be so many nanoseconds later."""
    for every in data.resource_metrics:
        for scope in every.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    object.__setattr__(point, "time_unix_nano", point.time_unix_nano + by)


def _after_their_start(data: MetricsData) -> None:
    """Let a point be later than the start of its series, by Prometheus' milliseconds.

    What begins while a collection does has the time of that collection, and Prometheus then leaves out the zero at the
    start: the first event of such a counter, perhaps its only one, would be no increase and raise no alert. What is
    earlier by more is of a clock that was set back, and stays: moved, all its points would stand in one moment.
    """
    for every in data.resource_metrics:
        for scope in every.scope_metrics:
            for metric in scope.metrics:
                if isinstance(metric.data, Gauge):
                    continue
                for point in metric.data.data_points:
                    first = (point.start_time_unix_nano or 0) // _MILLISECOND_NS * _MILLISECOND_NS + _MILLISECOND_NS
                    if first - _SECOND_NS < point.time_unix_nano < first:
                        object.__setattr__(point, "time_unix_nano", first)
