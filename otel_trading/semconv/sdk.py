"""The SDK's own health: what it folded, what it dropped, how long an export takes."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import _boundaries as bounds
from otel_trading.semconv import attributes as a
from otel_trading.semconv._model import Family, Kind, Unit

_metric = Family(("sdk",), (a.required(a.MODE),)).metric

ATTRIBUTE_OVERFLOWS: Final = _metric(
    "trading.sdk.attribute.overflows",
    Kind.COUNTER,
    Unit("{measurement}"),
    "Measurements whose attribute value was folded into _other_.",
    (a.required(a.SDK_ATTRIBUTE),),
)
DROPPED: Final = _metric(
    "trading.sdk.dropped",
    Kind.COUNTER,
    Unit("{measurement}"),
    "Measurements or attribute values that were refused or lost.",
    (a.required(a.SDK_REASON),),
)
EXPORT_DURATION: Final = _metric(
    "trading.sdk.export.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Time of one export.",
    (a.conditional(a.ERROR_TYPE),),
    bounds.LATENCY,
)
