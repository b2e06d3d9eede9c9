"""Caches and event buses that do not keep up."""

from __future__ import annotations

import time

from otel_trading import meter
from otel_trading.demo.scenarios._model import Cause, from_then_on, scenario


@scenario("CacheHitRatioLow")
def cache(cause: Cause) -> None:
    """Every other look-up in the cache of instruments misses."""
    while cause.holds():
        meter.cache_hit(name="instruments")
        meter.cache_missed(name="instruments")
    for _ in from_then_on():
        meter.cache_hit(name="instruments")


@scenario("EventProcessingSlow", thresholds={"event_process_seconds": 0.02})
def bus(cause: Cause) -> None:
    """The handler of quotes takes fifty milliseconds for each."""
    while cause.holds():
        with meter.event_handler(type="quote"):
            time.sleep(0.05)
