from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, InMemoryMetricReader

from otel_trading import _context, instruments, semconv, trackers
from otel_trading.sdk.heartbeat import Heartbeat
from otel_trading.sdk.reader import SurvivingReader
from otel_trading.sdk.views import views
from otel_trading.testing import CapturingMeter, day_of_trading

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


@contextmanager
def _exporting() -> Iterator[tuple[CapturingMeter, MeterProvider]]:
    """A provider that also exports, because one metric is about exports."""
    memory = InMemoryMetricReader()
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        exporting = SurvivingReader(ConsoleMetricExporter(out=nowhere), export_interval_millis=3_600_000)
        provider = MeterProvider([memory, exporting], views=views(), shutdown_on_exit=False)
        bound, state, defaults = instruments.bind(provider), trackers.set_default(None), _context.swap(None)
        try:
            yield CapturingMeter(memory), provider
        finally:
            _context.swap(defaults)
            trackers.set_default(state)
            instruments.restore(bound)
            provider.shutdown()


def test_a_day_of_trading_records_every_metric_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRADING_STRICT", "0")
    with _exporting() as (captured, provider):
        beating = Heartbeat()  # as a configured process has it
        day_of_trading(seed=1)
        provider.force_flush()
        recorded = {sample.name for sample in captured.samples()}

        assert recorded == {metric.name for metric in semconv.ALL}
        captured.assert_conforms()
        beating.stop()

        assert captured.value("trading.sdk.running") == 0


def test_equal_seeds_give_equal_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRADING_STRICT", "0")
    days = []
    for _ in range(2):
        with _exporting() as (captured, _):
            day_of_trading(seed=7)
            fills = captured.samples("trading.execution.notional")
            days.append(sorted((sorted(sample.attributes.items()), sample.value) for sample in fills))

    assert days[0] == days[1]
    assert days[0]
