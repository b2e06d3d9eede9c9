"""What tests of the real servers need: ask Prometheus, speak OTLP, wait for a condition."""

from __future__ import annotations

import io
import json
import time
import urllib.parse
import urllib.request
from collections import deque
from typing import TYPE_CHECKING, Any

from rich.console import Console

from otel_trading.stack import Progress, loopback

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from otel_trading.stack import Stack

__all__ = ["json_lines", "logs", "metric", "post", "prometheus_query", "quiet", "spans", "wait_until"]

_POLL = 0.05
_moments = deque([0], maxlen=1)


def quiet() -> Progress:
    """Return a progress that nobody hears."""
    return Progress(Console(file=io.StringIO()))


def wait_until(predicate: Callable[[], Any], timeout: float, what: str) -> Any:
    """Return the first true answer of `predicate`; fails with `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (answer := predicate()):
        assert time.monotonic() < deadline, f"waited {timeout} s for {what}; last answer: {answer!r}"
        time.sleep(_POLL)
    return answer


def json_lines(file: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a file of JSON lines; its writer may be in the middle of one."""
    lines = file.read_text(encoding="utf-8").split("\n")[:-1] if file.exists() else []
    return [json.loads(line) for line in lines]


def prometheus_query(stack: Stack, promql: str) -> list[dict[str, Any]]:
    """Return the result of an instant query on the real Prometheus."""
    url = f"{stack.urls['prometheus']}/api/v1/query?{urllib.parse.urlencode({'query': promql})}"
    answer = json.loads(loopback.ask(url, timeout=10))
    assert answer["status"] == "success", answer
    result: list[dict[str, Any]] = answer["data"]["result"]
    return result


def post(url: str, body: Any, timeout: float = 10) -> int:
    """POST JSON and return the status; an HTTP error is raised."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as response:
        return int(response.status)


def _resource(service: str) -> dict[str, Any]:
    attributes = {"service.name": service, "service.instance.id": f"{service}-1"}
    return {"attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]}


def _moment() -> int:
    """Return the Unix nanoseconds, a millisecond more each time: two points in one millisecond are one sample."""
    _moments.append(max(time.time_ns(), _moments[-1] + 10**6))
    return _moments[-1]


def metric(service: str, name: str, value: float, start: int | None = None) -> dict[str, Any]:
    """Return an OTLP/JSON request with one point of a monotonic counter."""
    now = _moment()
    point = {"asDouble": value, "timeUnixNano": str(now), "startTimeUnixNano": str(start or now - 10**9)}
    counter = {"name": name, "sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [point]}}
    return {"resourceMetrics": [{"resource": _resource(service), "scopeMetrics": [{"metrics": [counter]}]}]}


def spans(service: str, name: str) -> dict[str, Any]:
    """Return an OTLP/JSON request with one span."""
    now = time.time_ns()
    span = {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "name": name,
        "kind": 1,
        "startTimeUnixNano": str(now),
        "endTimeUnixNano": str(now + 1000),
    }
    return {"resourceSpans": [{"resource": _resource(service), "scopeSpans": [{"spans": [span]}]}]}


def logs(service: str, text: str) -> dict[str, Any]:
    """Return an OTLP/JSON request with one log record."""
    record = {"timeUnixNano": str(time.time_ns()), "body": {"stringValue": text}}
    return {"resourceLogs": [{"resource": _resource(service), "scopeLogs": [{"logRecords": [record]}]}]}
