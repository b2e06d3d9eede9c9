"""What orders are compared with."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import order
from otel_trading.thresholds._model import Limit, Threshold

REJECTIONS: Final = Threshold(
    name="order_rejection_ratio",
    brief="Share of new orders that may be rejected over five minutes, 0 to 1.",
    default=0.1,
    allowed=(0, 1),
    of=(order.REQUESTS,),
    limit=Limit("order_rejection", "ratio"),
)
UNACKNOWLEDGED: Final = Threshold(
    name="order_unacknowledged_seconds",
    brief="Seconds that an order may wait for its acknowledgement by the venue.",
    default=10,
    allowed=(0.01, 86_400),
    of=(order.UNACKNOWLEDGED_AGE,),
    group="fast",
)
ACKNOWLEDGEMENT: Final = Threshold(
    name="order_acknowledgement_seconds",
    brief="Seconds within which a venue should have acknowledged 99 of 100 orders.",
    default=1,
    allowed=(0.001, 30),
    of=(order.ACKNOWLEDGEMENT_DURATION,),
)
REJECTIONS_OF_A_REASON: Final = Threshold(
    name="order_rejections",
    brief="Orders that may be rejected for one and the same reason within five minutes.",
    default=20,
    allowed=(0, 1e6),
    of=(order.REJECTIONS,),
)
