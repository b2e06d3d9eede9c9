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
