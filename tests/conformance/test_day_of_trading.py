from __future__ import annotations

import os
from typing import TYPE_CHECKING

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, InMemoryMetricReader
from otel_trading import instruments, semconv, trackers
from otel_trading.sdk.reader import SurvivingReader
from otel_trading.sdk.views import views
from otel_trading.testing import CapturingMeter, day_of_trading

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


def _play(monkeypatch: pytest.MonkeyPatch) -> Iterator[CapturingMeter]:
    monkeypatch.setenv("OTEL_TRADING_STRICT", "0")
    memory = InMemoryMetricReader()
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        exporting = SurvivingReader(ConsoleMetricExporter(out=nowhere), export_interval_millis=3_600_000)
        provider = MeterProvider([memory, exporting], views=views(), shutdown_on_exit=False)
        before, state = instruments.bind(provider), trackers.set_default(None)
        try:
            day_of_trading(seed=1)
            provider.force_flush()
            yield CapturingMeter(memory)
        finally:
            trackers.set_default(state)
            instruments.restore(before)
            provider.shutdown()


def test_a_day_of_trading_records_every_metric_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    for captured in _play(monkeypatch):
        recorded = {sample.name for sample in captured.samples()}

        assert recorded == {metric.name for metric in semconv.ALL}
        captured.assert_conforms()
