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
from otel_trading.stack.canary import Home, Machine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
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
    own = [name for name in values if not name.startswith("system.")]
    assert own == ["otel_trading.canary.time", "otel_trading.disk.free", "otel_trading.disk.size"]
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


def _shares(metrics: list[dict[str, Any]]) -> dict[tuple[str, str], float]:
    return {
        (metric["name"], point["attributes"][0]["value"]["stringValue"]): point["asDouble"]
        for metric in metrics
        for point in metric["gauge"]["dataPoints"]
    }


def test_processors_are_told_since_the_last_time_and_memory_without_caches(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "stat").write_text("cpu  100 0 100 1000 0 0 0 0 0 0\ncpu0 1 2 3\n")
    (tmp_path / "meminfo").write_text("MemTotal: 8000 kB\nMemFree: 10 kB\nMemAvailable: 2000 kB\nHugePages_Total: 0\n")
    assert _shares(machine.metrics(1)) == {
        ("system.memory.utilization", "used"): 0.75,
        ("system.memory.utilization", "free"): 0.25,
    }
    (tmp_path / "stat").write_text("cpu  120 10 110 1050 5 2 3 0 0 0\n")
    cpu = {
        state: share for (name, state), share in _shares(machine.metrics(2)).items() if name.endswith("cpu.utilization")
    }
    assert cpu == {"user": 0.3, "system": 0.15, "idle": 0.5, "iowait": 0.05, "steal": 0}


@pytest.mark.parametrize("text", [None, "", "cpu", "cpu a b", "MemTotal: 0 kB\nMemAvailable: 0 kB", "\n"])
def test_where_the_kernel_tells_nothing_nothing_is_sent(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "stat").write_text(text)
        (tmp_path / "meminfo").write_text(text)
    machine = Machine(tmp_path)
    assert machine.metrics(1) == machine.metrics(2) == []


def _values(home: Home) -> dict[str, float]:
    points = {metric["name"]: metric["gauge"]["dataPoints"][0] for metric in home.metrics(1)}
    return {name: float(point.get("asInt", point.get("asDouble"))) for name, point in points.items()}


def test_files_of_the_queue_that_were_set_aside_are_counted(tmp_path: Path) -> None:
    assert Home(None).metrics(1) == []
    assert _values(Home(tmp_path)) == {"otel_trading.queue.spoilt": 0}
    queue = tmp_path / "data" / "collector" / "queue"
    queue.mkdir(parents=True)
    for name in ("metrics", "metrics.spoilt-1763769600", "traces.backup", "tempdb1"):
        (queue / name).touch()
    assert _values(Home(tmp_path)) == {"otel_trading.queue.spoilt": 2}


_GATE: Mapping[str, object] = {"name": "gate", "health": "https://127.0.0.1:1", "certificate": "none.pem"}


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"services": []}, {}),
        ({"services": [], "exposed": None}, {}),
        ({"services": [{"name": "gate"}], "exposed": {}}, {}),
        ([], {}),
        ({"services": [], "exposed": {"address": "127.0.0.1"}}, {"otel_trading.gate.up": 0}),
        ({"services": [_GATE], "exposed": {"address": "127.0.0.1"}}, {"otel_trading.gate.up": 0}),
    ],
    ids=["closed", "closed too", "of another version", "nonsense", "no gate", "nobody there"],
)
def test_of_a_gate_it_is_told_only_where_one_should_be(
    tmp_path: Path, state: object, told: Mapping[str, float]
) -> None:
    (tmp_path / "state.json").write_text(json.dumps(state))
    assert _values(Home(tmp_path)) == {"otel_trading.queue.spoilt": 0, **told}
