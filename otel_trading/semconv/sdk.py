"""The SDK's own health: whether it lives, what it folded, what it dropped, how long an export takes."""

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
HEARTBEAT_TIME: Final = _metric(
    "trading.sdk.heartbeat.time",
    Kind.OBSERVABLE_GAUGE,
    Unit("s"),
    "Unix time at which the process last read its own metrics.",
    note="Every configured process has it until it ends cleanly; compare with trading.sdk.running.",
)
RUNNING: Final = _metric(
    "trading.sdk.running",
    Kind.OBSERVABLE_UP_DOWN_COUNTER,
    Unit("1"),
    "Whether the process runs: 1, and 0 as the last word of a clean exit.",
    note="A death leaves 1 behind, which tells it from an end.",
)
START_TIME: Final = _metric(
    "trading.sdk.start.time",
    Kind.OBSERVABLE_GAUGE,
    Unit("s"),
    "Unix time at which the process began to send telemetry.",
    note="Tells two processes of one service.instance.id apart: what each counted is added up over restarts with it.",
)
