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
RESYNCS: Final = _metric(
    "trading.market_data.resyncs",
    Kind.COUNTER,
    Unit("{resync}"),
    "Books rebuilt from a snapshot.",
    (a.required(a.DATA_SOURCE),),
    note="The answer to a gap: gaps without resyncs mean that the strategy trades on a book with holes.",
)
FETCH_DURATION: Final = _metric(
    "trading.market_data.fetch.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Time of a fetch of market data, such as history over REST.",
    (a.required(a.DATA_SOURCE), a.conditional(a.ERROR_TYPE)),
    bounds.LATENCY,
    note="Its count is the number of fetches; failures carry error.type.",
)
QUALITY: Final = _metric(
    "trading.market_data.quality",
    Kind.OBSERVABLE_GAUGE,
    Unit("1"),
    "Quality score of a data source, from 0 to 1.",
    (a.required(a.DATA_SOURCE),),
    note="By your own measure, such as the share of bars that are complete; one is perfect.",
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
PING_DURATION: Final = _metric(
    "trading.connection.ping.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Round trip of a heartbeat over a connection.",
    (a.required(a.CONNECTION),),
    bounds.LATENCY,
    note="WebSocket ping to pong, or FIX TestRequest (35=1) to Heartbeat (35=0).",
)
