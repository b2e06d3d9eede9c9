"""What blocks that a user timed are compared with."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import attributes as a
from otel_trading.semconv import resilience
from otel_trading.thresholds._model import Threshold

OPERATION: Final = Threshold(
    name="operation_seconds",
    brief=(
        "Seconds that a block timed by `meter.timed` may take, 95 of 100 times over five minutes, by its name. No "
        "number suits every block: only those with one of yours are watched."
    ),
    default=None,
    allowed=(0.001, 86_400),
    of=(resilience.OPERATION_DURATION,),
    key=a.OPERATION,
)
