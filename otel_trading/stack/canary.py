"""Sends the time, and how the machine is, through the whole path, so that a path that is broken shows.

Standard library only and one file, so that it runs natively and, mounted read-only, in a bare Python image::

    python canary.py --listen 127.0.0.1:5002 --send http://127.0.0.1:4318 --disk /var/lib/otel-trading --every 15

With `--home` it also looks after what only that machine can see of its stack: a queue that was set aside, and the gate.
It speaks OTLP/HTTP in JSON to the Collector. `GET /` answers 200 while the Collector takes what is sent, else 503.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import sys
import threading
import time
import urllib.request
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_TIMEOUT = 10.0
#: How long the gate may take: what waits for it is the time that proves the path.
_GATE_TIMEOUT = 3.0
#: After so many intervals without a success it says that it is ill.
_PATIENCE = 3
#: Columns of the first line of /proc/stat, by what OpenTelemetry calls them.
_CPU = {"user": (1, 2), "system": (3, 6, 7), "idle": (4,), "iowait": (5,), "steal": (8,)}
#: What `up` and the Collector itself append to the name of a queue's file that cannot be read.
_SET_ASIDE = ("*.spoilt-*", "*.backup")
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Machine:
    """Processors and memory of the machine, also seen from a container; nothing where there is no /proc.

    Names and states are those of OpenTelemetry's instrumentation of the system, which bots may have beside them.

    Args:
        proc: Where the kernel tells them.
    """

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._before: dict[str, int] = {}

    def metrics(self, now_ns: int) -> list[dict[str, Any]]:
        """Return the share of time since the last call that processors spent in each state, and that of memory used."""
        shares = {"system.cpu.utilization": self._cpu(), "system.memory.utilization": self._memory()}
        return [
            _gauge(name, "1", {"asDouble": share}, now_ns, state)
            for name, states in shares.items()
            for state, share in states.items()
        ]

    def _cpu(self) -> dict[str, float]:
        try:
            columns = (self._proc / "stat").read_text().splitlines()[0].split()
            ticks = {state: sum(int(columns[place]) for place in places) for state, places in _CPU.items()}
        except (OSError, ValueError, IndexError):
            return {}
        before, self._before = self._before, ticks
        spent = {state: max(ticks[state] - before[state], 0) for state in before}
        return {state: one / sum(spent.values()) for state, one in spent.items()} if any(spent.values()) else {}

    def _memory(self) -> dict[str, float]:
        try:
            lines = (self._proc / "meminfo").read_text().splitlines()
            held = {name: int(text.split()[0]) for name, _, text in (line.partition(":") for line in lines)}
            free = held["MemAvailable"] / held["MemTotal"]
        except (OSError, ValueError, KeyError, IndexError, ZeroDivisionError):
            return {}
        return {"used": 1 - free, "free": free}


class Home:
    """A native stack, as its own machine sees it; nothing where none is named.

    Args:
        folder: Its home, or None.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def metrics(self, now_ns: int) -> list[dict[str, Any]]:
        """Return how many files of the Collector's queue were set aside, and of an exposed stack how its gate is."""
        if self._folder is None:
            return []
        state = self._folder / "state.json"
        queue = self._folder / "data" / "collector" / "queue"
        spoilt = sum(1 for pattern in _SET_ASIDE for _ in queue.glob(pattern))
        return [_gauge("otel_trading.queue.spoilt", "{file}", {"asInt": str(spoilt)}, now_ns), *_gate(state, now_ns)]


def _gate(file: Path, now_ns: int) -> list[dict[str, Any]]:
    try:
        state = json.loads(file.read_text())
        gate = next((one for one in state["services"] if one["name"] == "gate"), None)
        if gate is None and not state.get("exposed"):
            return []
        end = None if gate is None else _end_of_certificate(gate["health"], gate["certificate"])
    except (OSError, ValueError, KeyError, TypeError):
        return []  # not written yet, or by another version
    up = _gauge("otel_trading.gate.up", "", {"asInt": str(int(end is not None))}, now_ns)
    return [up] if end is None else [up, _gauge("otel_trading.certificate.end", "s", {"asDouble": end}, now_ns)]


def _end_of_certificate(url: str, certificate: str) -> float | None:
    """Return until when (Unix time) the certificate of this file holds; None unless it is shown there, and holds."""
    parts = urlsplit(url)
    try:
        context = ssl.create_default_context(cafile=certificate)
        context.check_hostname = False  # this very certificate, whomever it is for
        context.verify_flags = ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        address = (parts.hostname or "", parts.port or 0)
        with socket.create_connection(address, _GATE_TIMEOUT) as plain, context.wrap_socket(plain) as spoken:
            shown = spoken.getpeercert() or {}
            return float(ssl.cert_time_to_seconds(str(shown["notAfter"])))
    except OSError:
        return None


def request(disk: Path, machine: Machine, home: Home, now_ns: int) -> dict[str, Any]:
    """Return what is sent: an OTLP request with gauges.

    Args:
        disk: A folder on the disk where the stack keeps its data.
        machine: Which one.
        home: Of the stack.
        now_ns: Unix time in nanoseconds.
    """
    usage = shutil.disk_usage(disk)
    metrics = [
        _gauge("otel_trading.canary.time", "s", {"asDouble": now_ns / 1e9}, now_ns),
        _gauge("otel_trading.disk.free", "By", {"asInt": str(usage.free)}, now_ns),
        _gauge("otel_trading.disk.size", "By", {"asInt": str(usage.total)}, now_ns),
        *machine.metrics(now_ns),
        *home.metrics(now_ns),
    ]
    name = {"key": "service.name", "value": {"stringValue": "otel-trading-canary"}}
    scope = {"scope": {"name": "otel_trading.canary"}, "metrics": metrics}
    return {"resourceMetrics": [{"resource": {"attributes": [name]}, "scopeMetrics": [scope]}]}


def _gauge(name: str, unit: str, value: dict[str, Any], now_ns: int, state: str | None = None) -> dict[str, Any]:
    attributes = [] if state is None else [{"key": "state", "value": {"stringValue": state}}]
    point = {**value, "timeUnixNano": str(now_ns), "attributes": attributes}
    return {"name": name, "unit": unit, "gauge": {"dataPoints": [point]}}


class Canary:
    """Sends, and remembers when it last could.

    Args:
        endpoint: Base URL of an OTLP/HTTP receiver.
        disk: See `request`.
        home: See `request`.
        every: Seconds between two.
    """

    def __init__(self, endpoint: str, disk: Path, home: Home, every: float) -> None:
        self._url = f"{endpoint.rstrip('/')}/v1/metrics"
        self._disk = disk
        self._machine = Machine()
        self._home = home
        self._every = every
        self._last = time.monotonic()
        self._failing = False

    @property
    def is_well(self) -> bool:
        """Whether one of the last sends was taken."""
        return time.monotonic() - self._last < _PATIENCE * self._every + _TIMEOUT

    def run(self) -> None:
        """Send for ever."""
        while True:
            self._send()
            time.sleep(self._every)

    def _send(self) -> None:
        body = json.dumps(request(self._disk, self._machine, self._home, time.time_ns())).encode()
        headers = {"Content-Type": "application/json"}
        try:
            with _OPENER.open(urllib.request.Request(self._url, body, headers), timeout=_TIMEOUT):  # noqa: S310  the stack's own URL
                self._last = time.monotonic()
        except (OSError, http.client.HTTPException) as error:
            self._say(failing=True, text=f"{self._url} does not take the canary: {error}")
        else:
            self._say(failing=False, text=f"{self._url} takes the canary")

    def _say(self, *, failing: bool, text: str) -> None:
        if failing is not self._failing:
            self._failing = failing
            print(text, file=sys.stderr, flush=True)  # noqa: T201  this is its log


class _Handler(BaseHTTPRequestHandler):
    timeout = 10.0

    def __init__(self, canary: Canary, *arguments: Any) -> None:
        self._canary = canary
        super().__init__(*arguments)

    def do_GET(self) -> None:
        self.send_response(HTTPStatus.OK if self._canary.is_well else HTTPStatus.SERVICE_UNAVAILABLE)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing about those who look."""


def main(arguments: list[str] | None = None) -> None:
    """Send until ended by a signal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--listen", default="127.0.0.1:5002", help="HOST:PORT")
    parser.add_argument("--send", default="http://127.0.0.1:4318", help="base URL of an OTLP/HTTP receiver")
    parser.add_argument("--disk", type=Path, default=Path(), help="a folder on the stack's disk")
    parser.add_argument("--home", type=Path, help="the home of a native stack")
    parser.add_argument("--every", type=float, default=15.0, help="seconds between two")
    options = parser.parse_args(arguments)
    host, _, port = options.listen.rpartition(":")
    canary = Canary(options.send, options.disk, Home(options.home), options.every)
    with HTTPServer((host, int(port)), partial(_Handler, canary)) as server:
        threading.Thread(target=canary.run, daemon=True).start()
        server.serve_forever()


def _end(*_: object) -> None:
    """End at once, as without this; but as process 1 of a container it would ignore the signal."""
    os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    main()
