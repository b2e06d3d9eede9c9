"""What order intents are compared with."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import order
from otel_trading.thresholds._model import Threshold

DUPLICATES: Final = Threshold(
    name="order_intent_duplicates",
    brief="Duplicate order intents that idempotency may catch within a minute.",
    default=10,
    allowed=(0, 1e6),
    of=(order.INTENTS,),
    group="fast",
)
ERRORS: Final = Threshold(
    name="order_intent_error_ratio",
    brief="Share of order intents that may fail to be created over a quarter of an hour, 0 to 1.",
    default=0.05,
    allowed=(0, 1),
    of=(order.INTENTS,),
)
PENDING: Final = Threshold(
    name="order_intent_pending",
    brief="Order intents that may be pending at once.",
    default=50,
    allowed=(0, 1e6),
    of=(order.INTENT_ACTIVE,),
)
LAG: Final = Threshold(
    name="order_intent_lag_seconds",
    brief="Seconds that an order intent may wait until it is sent.",
    default=60,
    allowed=(0.01, 604_800),
    of=(order.INTENT_LAG,),
)
