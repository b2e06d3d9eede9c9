"""Venues: how they answer, whether they trade now, how much of their budget is used."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import _boundaries as bounds
from otel_trading.semconv import attributes as a
from otel_trading.semconv._model import Family, Kind, Unit

_metric = Family(("venue", "rate_limit"), a.COMMON).metric
_REQUEST: Final = Unit("{request}")

REQUEST_DURATION: Final = _metric(
    "trading.venue.request.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Time of a call to the venue.",
    (a.required(a.VENUE_OPERATION), a.conditional(a.ERROR_TYPE)),
    bounds.LATENCY,
    note="Its count is the number of calls; failures carry error.type.",
)
CLOCK_OFFSET: Final = _metric(
    "trading.venue.clock.offset",
    Kind.OBSERVABLE_GAUGE,
    Unit("s"),
    "Local clock minus the venue's, signed.",
)
CREDENTIAL_EXPIRY_TIME: Final = _metric(
    "trading.venue.credential.expiry.time",
    Kind.OBSERVABLE_GAUGE,
    Unit("s"),
    "Unix time at which a key or a certificate ends.",
    note="Where a venue needs several, the one that ends first. Compare with time().",
)
SESSION_STATUS: Final = _metric(
    "trading.venue.session.status",
    Kind.OBSERVABLE_UP_DOWN_COUNTER,
    Unit("1"),
    "Whether a venue trades: 1 for the current status, 0 for the others.",
    (a.required(a.VENUE), a.required(a.TRADING_STATUS)),
    note=(
        "Market hours and halts of the whole venue (FIX 340), computed at collection time; while it is closed, silence "
        "of its feeds is no alarm. A lunch break is closed too."
    ),
)
RATE_LIMIT_USAGE: Final = _metric(
    "trading.rate_limit.usage",
    Kind.OBSERVABLE_GAUGE,
    _REQUEST,
    "Used part of a request budget.",
    (a.required(a.RATE_LIMIT),),
)
RATE_LIMIT_LIMIT: Final = _metric(
    "trading.rate_limit.limit",
    Kind.OBSERVABLE_GAUGE,
    _REQUEST,
    "Size of a request budget.",
    (a.required(a.RATE_LIMIT),),
)
RATE_LIMIT_UTILIZATION: Final = _metric(
    "trading.rate_limit.utilization",
    Kind.OBSERVABLE_GAUGE,
    Unit("1"),
    "Share of a request budget that is used.",
    (a.required(a.RATE_LIMIT),),
)
RATE_LIMIT_REJECTIONS: Final = _metric(
    "trading.rate_limit.rejections",
    Kind.COUNTER,
    Unit("{rejection}"),
    "Requests refused because a budget was used up.",
    (a.required(a.RATE_LIMIT), a.conditional(a.ERROR_TYPE)),
    note="HTTP 429 and 418 of a venue, and inbound denials of our own service.",
)
RATE_LIMIT_WAIT_DURATION: Final = _metric(
    "trading.rate_limit.wait.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Time that we held a request back to stay within a budget.",
    (a.required(a.RATE_LIMIT), a.conditional(a.ERROR_TYPE)),
    bounds.LATENCY,
)
