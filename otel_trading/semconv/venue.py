"""Venues: how they answer, how much of their budget is used."""

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
