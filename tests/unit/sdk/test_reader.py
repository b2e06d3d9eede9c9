"""The periodic reader lives on, whatever collecting and exporting do; losses are counted."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace
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
        self.newest = 0
        self._more = threading.Condition()

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        del timeout_millis, kwargs
        with self._more:
            self.values.append(_flat(metrics_data))
            self.newest = max(point.time_unix_nano for point in _points(metrics_data))
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


def _points(data: MetricsData) -> Iterator[Any]:
    for one in data.resource_metrics:
        for scope in one.scope_metrics:
            for metric in scope.metrics:
                yield from metric.data.data_points


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


@contextmanager
def _at(monkeypatch: pytest.MonkeyPatch, now: int) -> Iterator[tuple[SimpleNamespace, _Exporter, MeterProvider]]:
    """Read only when told to, with a clock that shows so many seconds."""
    clock = SimpleNamespace(now=now)
    shown = SimpleNamespace(time_ns=lambda: clock.now * 10**9, perf_counter=time.perf_counter)
    monkeypatch.setattr("otel_trading.sdk.reader.time", shown)
    exporter = _Exporter()
    provider = MeterProvider([SurvivingReader(exporter, export_interval_millis=3_600_000)], shutdown_on_exit=False)
    before = instruments.bind(provider)
    try:
        yield clock, exporter, provider
    finally:
        instruments.restore(before)
        provider.shutdown()


def test_no_point_goes_back_in_time_and_counters_lose_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with _at(monkeypatch, 1000) as (clock, exporter, provider):
        counter = provider.get_meter("mine").create_counter("always")
        counter.add(1)
        provider.force_flush()
        for clock.now in (910, 950, 999):
            counter.add(1)
            provider.force_flush()
        assert len(exporter.values) == 1
        assert caplog.messages == [
            "The clock was set back: exports wait 90.0 s until it is where it was; counters lose nothing."
        ]
        clock.now = 1001
        provider.force_flush()

    assert exporter.values[1]["always[]"] == 4


@pytest.mark.parametrize("ahead", [300, 7200])
def test_what_the_collector_never_took_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, ahead: int) -> None:
    with _at(monkeypatch, 10_000 + ahead) as (clock, exporter, provider):
        provider.get_meter("mine").create_counter("always").add(1)
        provider.force_flush()
        clock.now = 10_000
        provider.force_flush()

        assert len(exporter.values) == 2


def test_the_last_word_waits_for_no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    with _at(monkeypatch, 1000) as (clock, exporter, provider):
        provider.get_meter("mine").create_counter("always").add(1)
        provider.force_flush()
        clock.now = 900
        begun = time.time_ns()
        provider.shutdown()

        assert len(exporter.values) == 2
        assert exporter.newest > begun + 100 * 10**9, "and is the last one"
