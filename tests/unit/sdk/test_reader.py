"""The periodic reader lives on, whatever collecting and exporting do; losses are counted."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData

from otel_trading import instruments
from otel_trading.sdk.reader import SurvivingReader
from otel_trading.sdk.views import views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_FAILURES = [
    RuntimeError,
    ValueError,
    MemoryError,
    GeneratorExit,
    KeyboardInterrupt,
    SystemExit,
    asyncio.CancelledError,
]


class _Exporter(MetricExporter):
    """Keeps what it is given, or does what the test says instead."""

    def __init__(self) -> None:
        super().__init__()
        self.instead: Callable[[], MetricExportResult] | None = None
        self.values: list[dict[str, float]] = []
        self._more = threading.Condition()

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        del timeout_millis, kwargs
        with self._more:
            self.values.append(_flat(metrics_data))
            self._more.notify_all()
        return self.instead() if self.instead else MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        del timeout_millis
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        del timeout_millis, kwargs

    def await_exports(self, number: int) -> dict[str, float]:
        """Wait for so many exports more and return the last one."""
        with self._more:
            wanted = len(self.values) + number
            assert self._more.wait_for(lambda: len(self.values) >= wanted, timeout=10), "the reader's thread has ended"
            return self.values[-1]


def _flat(data: MetricsData) -> dict[str, float]:
    return {
        f"{metric.name}{sorted(str(v) for v in (point.attributes or {}).values())}": float(getattr(point, "value", 0.0))
        for one in data.resource_metrics
        for scope in one.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    }


@contextmanager
def _reading() -> Iterator[tuple[_Exporter, MeterProvider]]:
    exporter = _Exporter()
    provider = MeterProvider(
        [SurvivingReader(exporter, export_interval_millis=20)], views=views(), shutdown_on_exit=False
    )
    before = instruments.bind(provider)
    try:
        yield exporter, provider
    finally:
        instruments.restore(before)
        provider.shutdown()


@pytest.mark.parametrize("failure", _FAILURES)
def test_whatever_a_callback_raises_the_reader_goes_on(
    failure: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    broken = threading.Event()

    def observe(options: CallbackOptions) -> Iterable[Observation]:
        del options
        if broken.is_set():
            raise failure
        return [Observation(1)]

    with caplog.at_level(logging.CRITICAL), _reading() as (exporter, provider):
        meter = provider.get_meter("mine")
        meter.create_counter("always").add(1)
        meter.create_observable_gauge("fragile", [observe])
        exporter.await_exports(1)
        broken.set()
        threading.Event().wait(0.1)  # several intervals fail; nothing outside can tell when
        broken.clear()
        last = exporter.await_exports(2)

    assert last["fragile[]"] == 1
    assert last["always[]"] == 1


@pytest.mark.parametrize("failure", _FAILURES)
def test_whatever_the_exporter_raises_the_reader_goes_on_and_counts(
    failure: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> MetricExportResult:
        raise failure

    with caplog.at_level(logging.CRITICAL), _reading() as (exporter, provider):
        provider.get_meter("mine").create_counter("always").add(1)
        exporter.instead = fail
        exporter.await_exports(3)
        exporter.instead = None
        last = exporter.await_exports(2)

    assert last["trading.sdk.dropped['export_failed', 'live']"] >= 2


def test_a_failed_export_is_counted_and_timed_with_its_error() -> None:
    with _reading() as (exporter, provider):
        provider.get_meter("mine").create_counter("always").add(1)
        exporter.instead = lambda: MetricExportResult.FAILURE
        exporter.await_exports(2)
        exporter.instead = None
        last = exporter.await_exports(3)

    assert last["trading.sdk.dropped['export_failed', 'live']"] >= 1
    assert {"trading.sdk.export.duration['export_failed', 'live']", "trading.sdk.export.duration['live']"} <= set(last)


def test_the_last_interval_leaves_at_shutdown_even_after_a_failure() -> None:
    exporter = _Exporter()
    reader = SurvivingReader(exporter, export_interval_millis=3_600_000)
    provider = MeterProvider([reader], shutdown_on_exit=False)
    provider.get_meter("mine").create_counter("late").add(5)
    provider.shutdown()

    assert exporter.values == [{"late[]": 5.0}]
