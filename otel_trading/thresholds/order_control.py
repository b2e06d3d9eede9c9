"""What the pace of orders is compared with."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import attributes as a
from otel_trading.semconv import order
from otel_trading.thresholds._model import Limit, Threshold

BURST: Final = Threshold(
    name="order_burst_per_second",
    brief="New orders that a bot may send within one second.",
    default=50,
    allowed=(1, 10_000),
    of=(order.RATE_MAX,),
    limit=Limit("order_rate", "order"),
    group="fast",
)
RATE: Final = Threshold(
    name="order_rate_per_second",
    brief="New orders per second that a bot may send over a whole minute.",
    default=5,
    allowed=(0.001, 10_000),
    of=(order.REQUESTS,),
    group="fast",
)
#: Each venue has its own, most have none: no default is right.
ORDER_TO_TRADE: Final = Threshold(
    name="order_to_trade_ratio",
    brief="Order messages per fill that a venue allows over a day.",
    default=None,
    allowed=(1, 1e6),
    of=(order.REQUESTS,),
    key=a.VENUE,
    limit=Limit("order_to_trade", "ratio"),
    per="job",
    group="slow",
)
