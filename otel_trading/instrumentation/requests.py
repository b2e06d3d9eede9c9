"""requests: what a venue's replies tell of its budgets and its clock. OpenTelemetry's own package traces and times.

| Read from a reply of a venue                                            | Emitted                                  |
| ----------------------------------------------------------------------- | ---------------------------------------- |
| X-MBX-USED-WEIGHT-1M, X-MBX-ORDER-COUNT-10S and the like                | `trading.rate_limit.usage` by budget     |
| X-RateLimit-*, RateLimit-*, RateLimit with RateLimit-Policy             | `.usage`, `.limit`, `.utilization`       |
| status 418 or 429, or 403 or 503 with Retry-After                       | `trading.rate_limit.rejections`          |
| Date                                                                    | `trading.venue.clock.offset`             |

The venue follows from the host; name hosts of your own in OTEL_TRADING_VENUE_HOSTS. No URL and no header is recorded.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from otel_trading.instrumentation import _replies
from otel_trading.instrumentation._hooks import LazyInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.semconv import Metric

__all__ = ["RequestsVenueInstrumentor"]


def _send(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    sent = time.time()
    response = wrapped(*args, **kwargs)
    _replies.read(response, sent)
    return response


class RequestsVenueInstrumentor(LazyInstrumentor):
    """Reads every reply at the adapter, below sessions, redirects and OpenTelemetry's own hook."""

    versions = "requests >= 2.28, < 3"
    tested = ("2.28.0", "2.34.2")
    emits: ClassVar[tuple[Metric, ...]] = _replies.EMITS
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {"requests.adapters": {"HTTPAdapter.send": _send}}
