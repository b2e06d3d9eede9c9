"""The canary as a real process, against a real HTTP server."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from otel_trading.stack import Ports, health
from otel_trading.stack._files import CANARY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TIMEOUT = 10.0


class _Collector(BaseHTTPRequestHandler):
    got: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.put((self.path, json.loads(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def address() -> str:
    return f"127.0.0.1:{Ports.free().canary}"


def canary(address: str, send: str, disk: Path, every: str = "0.1") -> subprocess.Popen[str]:
    options = ["--listen", address, "--send", send, "--disk", str(disk), "--every", every]
    return subprocess.Popen([sys.executable, str(CANARY), *options], stderr=subprocess.PIPE, text=True)


def test_time_and_room_on_the_disk_are_sent_again_and_again(collector: str, address: str, tmp_path: Path) -> None:
    with canary(address, collector, tmp_path) as process:
        (path, first), (_, second) = _Collector.got.get(timeout=_TIMEOUT), _Collector.got.get(timeout=_TIMEOUT)
        assert health.wait(f"http://{address}/", _TIMEOUT)
        process.terminate()

    assert path == "/v1/metrics"
    metrics = first["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
    values = {metric["name"]: metric["gauge"]["dataPoints"][0] for metric in metrics}
    assert list(values) == ["otel_trading.canary.time", "otel_trading.disk.free", "otel_trading.disk.size"]
    assert abs(values["otel_trading.canary.time"]["asDouble"] - time.time()) < _TIMEOUT
    assert 0 < int(values["otel_trading.disk.free"]["asInt"]) <= int(values["otel_trading.disk.size"]["asInt"])
    assert first != second


def test_it_says_that_nobody_takes_it_and_lives_on(address: str, tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{Ports.free().otlp_http}"
    with canary(address, nobody, tmp_path) as process:
        assert process.stderr is not None
        assert "does not take the canary" in process.stderr.readline()
        assert process.poll() is None
        process.terminate()
