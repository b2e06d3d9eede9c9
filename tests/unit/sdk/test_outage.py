"""While the Collector is away nothing piles up: cumulative values need no queue, and state is only its last value."""

from __future__ import annotations

import gc
import logging
import tracemalloc
from typing import TYPE_CHECKING

from opentelemetry.sdk.metrics import MeterProvider

from otel_trading import instruments, meter, trackers
from otel_trading.sdk.exporter import EndingExporter
from otel_trading.sdk.reader import SurvivingReader
from otel_trading.sdk.views import views

if TYPE_CHECKING:
    import pytest

_SYMBOLS = 30


def _fail_exports(provider: MeterProvider, number: int) -> None:
    for turn in range(number):
        for symbol in range(_SYMBOLS):
            meter.position(symbol=f"S{symbol}", quantity=float(symbol != turn % _SYMBOLS), venue="v")  # one ends
            meter.cache_hit(name=f"S{symbol}")
        provider.force_flush()


def _held() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def test_memory_is_flat_over_exports_that_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRADING_STRICT", "0")
    reader = SurvivingReader(EndingExporter(endpoint="http://127.0.0.1:9/v1/metrics", timeout=0.01), 3_600_000)
    provider = MeterProvider([reader], views=views(), shutdown_on_exit=False)
    bound, state = instruments.bind(provider), trackers.set_default(None)
    logging.disable()  # pytest keeps each line that is logged
    tracemalloc.start()
    try:
        _fail_exports(provider, 15)
        before = _held()
        _fail_exports(provider, 45)
        grown = _held() - before
    finally:
        tracemalloc.stop()
        logging.disable(logging.NOTSET)
        trackers.set_default(state)
        instruments.restore(bound)
        provider.shutdown()

    assert grown < 60_000, "one batch kept per export would be fifty times that"
