"""What caches and event buses are compared with."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import plumbing
from otel_trading.thresholds._model import Threshold

CACHE_HITS: Final = Threshold(
    name="cache_hit_ratio",
    brief="Smallest share of look-ups that a cache answers over five minutes, 0 to 1.",
    default=0.8,
    allowed=(0, 1),
    of=(plumbing.CACHE_REQUESTS,),
    higher_is_stricter=True,
)
EVENT: Final = Threshold(
    name="event_process_seconds",
    brief="Seconds that a handler may take for an event of the bus, 99 of 100 times over five minutes.",
    default=1,
    allowed=(0.001, 60),
    of=(plumbing.PROCESS_DURATION,),
)
