"""What is read of Prometheus' own answers, in its own words."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from otel_trading.errors import StackError
from otel_trading.stack import alerting

if TYPE_CHECKING:
    from collections.abc import Iterator


def _rule(name: str, state: str, query: str, **more: Any) -> dict[str, Any]:
    labels = {"severity": "critical"}
    return {"type": "alerting", "name": name, "query": query, "state": state, "labels": labels, "alerts": [], **more}


_SHARE = "strategy:trading_x:ratio_rate5m > on (job) trading:threshold_in_force:order_rejection_ratio"
_FIRING = {"state": "firing", "activeAt": "2026-11-21T14:44:04.2Z", "labels": {"alertname": "C", "job": "bot"}}
_RULES = [
    _rule("A", "inactive", "vector(1) > trading:threshold_in_force:drawdown_ratio"),
    _rule("B", "unknown", _SHARE),
    _rule("C", "firing", "up == 0", alerts=[_FIRING], lastError=""),
    _rule("D", "inactive", "sum(", lastError="found duplicate series"),
]
_NUMBER = {"metric": {"__name__": "trading:threshold_in_force:drawdown_ratio", "job": "bot"}, "value": [0, "0.2"]}


class _Prometheus(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        answer: Any = {"groups": [{"rules": _RULES}]}
        if "/query" in self.path:
            answer = {"result": [_NUMBER] if "in_force" in self.path else []}
        body = json.dumps({"status": "success", "data": answer}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture
def prometheus() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Prometheus) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_loudest_stands_first_and_what_was_never_evaluated_is_unknown(prometheus: str) -> None:
    alerts = alerting.read(prometheus)

    assert [(alert.name, alert.state) for alert in alerts] == [
        ("C", "firing"),
        ("B", "unknown"),
        ("A", "inactive"),
        ("D", "inactive"),
    ]
    firing, unknown, quiet, broken = alerts
    assert (firing.changed, firing.active) == ("2026-11-21T14:44:04Z", [_FIRING["labels"]])
    assert unknown.thresholds == ["order_rejection_ratio"]
    assert [(each.threshold, each.labels, each.number) for each in quiet.in_force] == [
        ("drawdown_ratio", {"job": "bot"}, 0.2)
    ]
    assert broken.health == "found duplicate series"


def test_a_prometheus_that_is_away_is_said_in_a_sentence() -> None:
    with pytest.raises(StackError, match=r"does not answer as it should .* otel-trading status"):
        alerting.read("http://127.0.0.1:1")
