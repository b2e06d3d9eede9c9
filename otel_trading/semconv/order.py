"""Orders: what was sent, how soon the venue answered, what became of it."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import _boundaries as bounds
from otel_trading.semconv import attributes as a
from otel_trading.semconv._model import Family, Kind, Unit

_metric = Family(("order",), a.COMMON).metric

REQUESTS: Final = _metric(
    "trading.order.requests",
    Kind.COUNTER,
    Unit("{request}"),
    "Order messages sent to the venue.",
    (
        a.required(a.ORDER_OPERATION),
        a.conditional(a.ERROR_TYPE),
        a.ORDER_SIDE,
        a.ORDER_TYPE,
        a.TIME_IN_FORCE,
        a.INSTRUMENT_TYPE,
    ),
    note="One per message, resends included: the numerator of order-to-trade ratios (FIX 35=D, G, F).",
)
REQUEST_DURATION: Final = _metric(
    "trading.order.request.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Time from an order call to its synchronous reply.",
    (a.required(a.ORDER_OPERATION), a.conditional(a.ERROR_TYPE)),
    bounds.LATENCY,
)
ACKNOWLEDGEMENT_DURATION: Final = _metric(
    "trading.order.acknowledgement.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Time from sending an order to the first acknowledgement by the venue.",
    (a.ORDER_TYPE,),
    bounds.LATENCY,
)
FILL_DURATION: Final = _metric(
    "trading.order.fill.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Time from sending an order to its first and to its completing fill.",
    (a.required(a.ORDER_STAGE),),
    bounds.FILL,
)
TRANSITIONS: Final = _metric(
    "trading.order.transitions",
    Kind.COUNTER,
    Unit("{transition}"),
    "Order states entered.",
    (a.required(a.ORDER_STATUS), a.ORDER_SIDE, a.ORDER_TYPE),
    note="States of FIX 39, and the local initialized, denied and lost.",
)
RATE_MAX: Final = _metric(
    "trading.order.rate.max",
    Kind.OBSERVABLE_GAUGE,
    Unit("{order}/s"),
    "Most new orders sent within one second, over the last minute.",
    note="Not since the last export: a second reader or a lost export would swallow peaks.",
)
ACTIVE: Final = _metric(
    "trading.order.active",
    Kind.OBSERVABLE_UP_DOWN_COUNTER,
    Unit("{order}"),
    "Orders open now.",
    (a.required(a.ORDER_STATUS),),
)
UNACKNOWLEDGED_AGE: Final = _metric(
    "trading.order.unacknowledged.age",
    Kind.OBSERVABLE_GAUGE,
    Unit("s"),
    "Age of the oldest order that the venue has not acknowledged.",
    (a.ORDER_TYPE,),
    note="Zero while every order is acknowledged; computed at collection time, so it grows when nothing comes back.",
)
REJECTIONS: Final = _metric(
    "trading.order.rejections",
    Kind.COUNTER,
    Unit("{rejection}"),
    "Orders rejected by the venue or denied by our own checks.",
    (a.required(a.REJECT_SOURCE), a.required(a.REJECT_REASON)),
    note="source=risk is denied, source=venue is rejected (FIX 39=8, 103).",
)
INTENTS: Final = _metric(
    "trading.order.intents",
    Kind.COUNTER,
    Unit("{intent}"),
    "Order intents by what became of their creation.",
    (a.required(a.INTENT_OUTCOME),),
    note="duplicate is a submission that idempotency caught, error one that could not be created.",
)
INTENT_ACTIVE: Final = _metric(
    "trading.order.intent.active",
    Kind.OBSERVABLE_UP_DOWN_COUNTER,
    Unit("{intent}"),
    "Order intents that are not over, by state.",
    (a.required(a.INTENT_STATE),),
)
INTENT_LAG: Final = _metric(
    "trading.order.intent.lag",
    Kind.OBSERVABLE_GAUGE,
    Unit("s"),
    "Age of the oldest order intent that was not sent.",
    note="Zero while every intent is sent; computed at collection time, so it grows when the worker stands still.",
)
