"""What HTTP servers are compared with, by OpenTelemetry's own convention."""

from __future__ import annotations

from typing import Final

from otel_trading.thresholds._model import Threshold

_REQUESTS: Final = "http_server_request_duration_seconds_count"

REQUEST: Final = Threshold(
    name="http_request_seconds",
    brief="Seconds that an HTTP server of yours may take for a request, 95 of 100 times over five minutes.",
    default=2,
    allowed=(0.001, 30),
    of=(_REQUESTS,),
    per="job",
)
ERRORS: Final = Threshold(
    name="http_error_ratio",
    brief="Share of the requests that an HTTP server of yours may answer with 5xx over five minutes, 0 to 1.",
    default=0.1,
    allowed=(0, 1),
    of=(_REQUESTS,),
    per="job",
)
