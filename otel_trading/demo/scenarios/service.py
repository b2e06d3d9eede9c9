"""Services that answer slowly or with errors, on machines that are full."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from opentelemetry import metrics
from opentelemetry.metrics import Observation

from otel_trading import meter
from otel_trading.demo.scenarios._model import Cause, scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.metrics import CallbackOptions


@scenario("LatencyHigh", thresholds={"venue_request_seconds": 0.05})
def latency(cause: Cause) -> None:
    """Calls to the venue take a tenth of a second each."""
    while cause.holds(every=0):
        with meter.venue_call(operation="fetch_ticker"):
            time.sleep(0.1)


@scenario("HttpErrorRateHigh")
def errors(cause: Cause) -> None:
    """The bot's own web server answers every third request with 503."""
    # As an instrumented web framework records it.
    requests = metrics.get_meter("scenario").create_histogram(
        "http.server.request.duration", unit="s", explicit_bucket_boundaries_advisory=(0.01, 0.1, 1, 10)
    )
    while cause.holds():
        for status in (200, 200, 503):
            requests.record(0.01, {"http.request.method": "GET", "http.response.status_code": status})


@scenario("MemoryHigh")
def memory(cause: Cause) -> None:
    """95 % of the machine's memory are in use."""
    _machine(cause, "system.memory.utilization", {"used": (0.95, 0.5)})


@scenario("CpuHigh")
def cpu(cause: Cause) -> None:
    """The machine's processors are idle for five percent of the time."""
    _machine(cause, "system.cpu.utilization", {"idle": (0.05, 0.9)})


def _machine(cause: Cause, name: str, states: dict[str, tuple[float, float]]) -> None:
    """State what a machine says of itself, while the cause holds and afterwards; the real one's figures are off."""

    def observe(_options: CallbackOptions) -> Iterator[Observation]:
        for state, (wrong, right) in states.items():
            yield Observation(wrong if cause.holds(every=0) else right, {"state": state})

    metrics.get_meter("scenario").create_observable_gauge(name, callbacks=[observe], unit="1")
    meter.strategy_state(state="running")
    cause.hold()
