"""Process and host: the real system-metrics package, found by the launcher, under its own standard names."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import sysconfig
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from otel_trading.semconv.prometheus import metric_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOT: Final = "import sys; print('trading', flush=True); sys.stdin.read()"
COMMAND: Final = Path(sysconfig.get_path("scripts")) / "otel-trading"
#: (name, kind, unit) by OpenTelemetry's conventions for systems and processes.
STANDARD: Final = (
    ("system.cpu.utilization", "gauge", "1"),
    ("system.memory.utilization", "gauge", "1"),
    ("system.memory.usage", "gauge", "By"),
    ("process.cpu.utilization", "gauge", "1"),
    ("process.cpu.time", "counter", "s"),
    ("process.memory.usage", "updowncounter", "By"),
    ("process.thread.count", "updowncounter", "{thread}"),
)


@contextmanager
def _bot() -> Iterator[str]:
    """Launch a bot that only waits; where it serves its metrics."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "PYTEST_"))}
    environment |= {
        "OTEL_METRICS_EXPORTER": "prometheus",
        "OTEL_EXPORTER_PROMETHEUS_PORT": str(port),
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }
    bot = subprocess.Popen(
        [COMMAND, "run", sys.executable, "-c", _BOT], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert bot.stdout is not None
        assert bot.stdout.readline().strip() == b"trading", "the bot did not start"
        yield f"http://localhost:{port}/metrics"
    finally:
        bot.communicate(timeout=30)


def _scraped(url: str) -> dict[str, list[float]]:
    """Return the values of every series by name."""
    found: dict[str, list[float]] = {}
    with urllib.request.urlopen(url, timeout=10) as answer:
        for name, value in re.findall(r"^(\w+)(?:\{.*\})? (\S+)$", answer.read().decode(), re.MULTILINE):
            found.setdefault(name, []).append(float(value))
    return found


@pytest.mark.seed("S0-07", "S0-08", "S1-07", "S3-11", "S3-12")
def test_a_launched_bot_reports_its_process_and_host_by_itself() -> None:
    with _bot() as url:
        found = _scraped(url)

    missing = {name for name, kind, unit in STANDARD if metric_name(name, kind, unit) not in found}
    assert missing == set()
    (memory,) = found["process_memory_usage_bytes"]
    assert memory > 1_000_000
    assert all(0 <= share <= 1 for share in found["system_memory_utilization_ratio"])
    assert all(0 <= share <= 1 for share in found["system_cpu_utilization_ratio"])
