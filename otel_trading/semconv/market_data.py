"""Market data and connections: whether what the strategy sees is alive and current."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import _boundaries as bounds
from otel_trading.semconv import attributes as a
from otel_trading.semconv._model import Family, Kind, Unit

_metric = Family(("market_data", "connection"), a.COMMON).metric
_FEED: Final = (a.required(a.DATA_SOURCE), a.required(a.DATA_KIND), a.CONNECTION)

MESSAGES: Final = _metric(
    "trading.market_data.messages", Kind.COUNTER, Unit("{message}"), "Market data updates received.", _FEED
)
AGE: Final = _metric(
    "trading.market_data.age",
    Kind.OBSERVABLE_GAUGE,
    Unit("s"),
    "Time since the last message of a feed.",
    _FEED,
    note=(
        "From the subscription until the first message; computed at collection time, so it grows when a feed stops. "
        "Without symbol it is the maximum over the subscribed symbols."
    ),
)
DELAY: Final = _metric(
    "trading.market_data.delay",
    Kind.HISTOGRAM,
    Unit("s"),
    "Time from the venue's timestamp to receipt.",
    (a.required(a.DATA_SOURCE),),
    bounds.LATENCY,
    note="Includes the clocks' difference; a negative delay counts as zero (FIX 60 to receipt).",
)
GAPS: Final = _metric(
    "trading.market_data.gaps",
    Kind.COUNTER,
    Unit("{gap}"),
    "Breaks in a feed's sequence numbers.",
    (a.required(a.DATA_SOURCE),),
)
CONNECTION_STATUS: Final = _metric(
    "trading.connection.status",
    Kind.OBSERVABLE_UP_DOWN_COUNTER,
    Unit("1"),
    "State of a connection: 1 for the current state, 0 for the others.",
    (a.required(a.CONNECTION), a.required(a.CONNECTION_STATE), a.required(a.TRANSPORT)),
)
CONNECTION_RECONNECTS: Final = _metric(
    "trading.connection.reconnects",
    Kind.COUNTER,
    Unit("{reconnect}"),
    "Connections re-established.",
    (a.required(a.CONNECTION), a.conditional(a.ERROR_TYPE)),
)
CONNECTION_UPTIME: Final = _metric(
    "trading.connection.uptime",
    Kind.OBSERVABLE_GAUGE,
    Unit("s"),
    "Age of a connection.",
    (a.required(a.CONNECTION),),
)
