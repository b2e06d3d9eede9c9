"""What venues are compared with: how they answer, and what is left of budgets and keys."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import venue
from otel_trading.thresholds._model import Threshold

ERRORS: Final = Threshold(
    name="venue_error_ratio",
    brief="Share of the calls to a venue that may fail over five minutes, 0 to 1.",
    default=0.1,
    allowed=(0, 1),
    of=(venue.REQUEST_DURATION,),
)
REQUEST: Final = Threshold(
    name="venue_request_seconds",
    brief="Seconds that a call to a venue may take, 95 of 100 times over five minutes.",
    default=1,
    allowed=(0.001, 30),
    of=(venue.REQUEST_DURATION,),
)
BUDGET: Final = Threshold(
    name="rate_budget_ratio",
    brief="Share of a venue's request budget that may be used, 0 to 1.",
    default=0.8,
    allowed=(0, 1),
    of=(venue.RATE_LIMIT_UTILIZATION,),
)
REFUSALS: Final = Threshold(
    name="rate_limit_rejections",
    brief="Requests that a venue may refuse in five minutes because we send too many; a ban (418) pages at once.",
    default=20,
    allowed=(0, 1e6),
    of=(venue.RATE_LIMIT_REJECTIONS,),
    group="fast",
)
CLOCK: Final = Threshold(
    name="clock_offset_seconds",
    brief="Seconds by which the local clock may differ from the venue's.",
    default=0.5,
    allowed=(0.001, 3_600),
    of=(venue.CLOCK_OFFSET,),
)
CREDENTIAL: Final = Threshold(
    name="credential_warning_seconds",
    brief="Seconds before a key or certificate ends at which to warn; 14 days.",
    default=1_209_600,
    allowed=(0, 31_536_000),
    of=(venue.CREDENTIAL_EXPIRY_TIME,),
    higher_is_stricter=True,
    group="slow",
)
CREDENTIAL_PAGE: Final = Threshold(
    name="credential_critical_seconds",
    brief="Seconds before a key or certificate ends at which to page; 2 days.",
    default=172_800,
    allowed=(0, 31_536_000),
    of=(venue.CREDENTIAL_EXPIRY_TIME,),
    higher_is_stricter=True,
    group="slow",
)
