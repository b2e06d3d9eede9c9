"""How soon a harm to the way of telemetry is told, as shipped: each on a stack of its own with one live bot.

    python benchmarks/harms.py [--only full-collector,429,...] [--minutes 8] [--json]

All of them at once, unless the machine is too busy for that: choose some then. Seconds are those from the harm to the
notification in the file of alerts; critical alerts first wait 10 s for others of their group, warnings 30 s.

The clock of the stack itself is set without touching that of the machine: `apt-get install qemu-user libfaketime`. The
servers are linked to no library and read the kernel's clock by themselves; run by qemu-user they ask its library.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kills import quiet, wait, whole_lines
from replay import killed, started

from otel_trading import stack
from otel_trading.stack import build, loopback
from otel_trading.stack.servers import ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Harm = Callable[["Stand"], contextlib.AbstractContextManager[None]]

SETTLE = 45.0
BOT = """
import sys, threading, time

right, right_ns, ahead = time.time, time.time_ns, 0.0
time.time = lambda: right() + ahead
time.time_ns = lambda: right_ns() + int(ahead * 10**9)

import otel_trading
from otel_trading import meter

otel_trading.configure()
over = threading.Event()

def trade():
    while not over.wait(0.5):
        with meter.iteration(period=1.0):
            meter.signal_emitted(type="buy", symbol="A")

threading.Thread(target=trade).start()
for line in sys.stdin:
    ahead = float(line)
over.set()
"""
#: Free ports stay free only until somebody takes them.
ONE_AT_A_TIME = threading.Lock()
HARMS: dict[str, tuple[str, Harm]] = {}
EMULATOR = shutil.which(f"qemu-{platform.machine()}")
FAKER = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


class Stand:
    """A stack as shipped and exposed, with one live bot, and what it told since."""

    def __init__(self, folder: Path, *, movable: bool = False) -> None:
        self.home = folder
        self.clock = folder / "clock"
        exposed, path = stack.Expose("127.0.0.2"), os.environ["PATH"]
        if movable:
            os.environ["PATH"] = f"{self._movable()}{os.pathsep}{path}"
        self.running = stack.up(home=folder, kind="native", ports=stack.Ports.free(), expose=exposed, progress=quiet())
        os.environ["PATH"] = path
        script = folder / "bot.py"
        script.write_text(BOT, encoding="utf-8")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTHONWARNINGS"))}
        mine = {"OTEL_SERVICE_NAME": "bot", "OTEL_TRADING_MODE": "live"}
        self.bot = subprocess.Popen(
            [sys.executable, script],
            env={**kept, **mine, "OTEL_EXPORTER_OTLP_ENDPOINT": self.running.otlp_endpoint},
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def _movable(self) -> Path:
        """Make programs that run the servers by the clock that a file states."""
        folder = self.home / "movable"
        folder.mkdir(parents=True)
        self.set_servers_clock(0)
        fake = f"LD_PRELOAD={FAKER} FAKETIME_TIMESTAMP_FILE={self.clock} FAKETIME_NO_CACHE=1 "
        fake += "FAKETIME_DONT_FAKE_MONOTONIC=1"
        for server in ALL:
            for name, real in build.binaries(server, quiet()).items():
                # Only the servers: their tools ask for no time.
                how = f"{fake} exec {EMULATOR} {real}" if name == server.binaries[0] else f"exec {real}"
                (folder / name).write_text(f'#!/bin/sh\n{how} "$@"\n', encoding="utf-8")
                (folder / name).chmod(0o755)
        return folder

    def set_servers_clock(self, ahead: float) -> None:
        new = self.clock.with_suffix(".new")
        new.write_text(f"{ahead:+f}\n", encoding="utf-8")
        new.replace(self.clock)

    def set_clock(self, ahead: float) -> None:
        assert self.bot.stdin is not None
        self.bot.stdin.write(f"{ahead}\n")
        self.bot.stdin.flush()

    def pid(self, name: str) -> int:
        (service,) = [one for one in stack.status(home=self.home) if one.service == name]
        assert service.pid is not None
        return service.pid

    def told(self, since: float) -> dict[str, tuple[float, str]]:
        """Return by alert after how many seconds it was told first, and its severity."""
        file, found = self.running.alerts_file, dict[str, tuple[float, str]]()
        for row in whole_lines(file):
            seconds = datetime.fromisoformat(row["received"]).timestamp() - since
            if row["status"] == "firing" and row["labels"]["alertname"] != "Watchdog":
                found.setdefault(row["labels"]["alertname"], (seconds, row["labels"]["severity"]))
        return found

    def end(self) -> None:
        self.bot.kill()
        self.bot.communicate()
        stack.down(home=self.home)


def harm(name: str, what: str) -> Callable[[Callable[[Stand], Iterator[None]]], None]:
    def register(play: Callable[[Stand], Iterator[None]]) -> None:
        HARMS[name] = what, contextlib.contextmanager(play)

    return register


@contextlib.contextmanager
def no_room(stand: Stand, pid: int, folder: str) -> Iterator[None]:
    """No file of a server may grow any more."""
    sizes = [one.stat().st_size for one in (stand.home / "data" / folder).rglob("*") if one.is_file()]
    _, most = before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (max(sizes), most))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@harm("full-collector", "no room on the Collector's disk")
def full_collector(stand: Stand) -> Iterator[None]:
    with no_room(stand, stand.pid("collector"), "collector/queue"):
        yield


@harm("full-prometheus", "no room on Prometheus' disk")
def full_prometheus(stand: Stand) -> Iterator[None]:
    with no_room(stand, stand.pid("prometheus"), "prometheus/wal"):
        yield


@contextlib.contextmanager
def between(stand: Stand, status: int | None) -> Iterator[int]:
    """Put something between Collector and Prometheus that refuses, or takes all and says nothing."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if status is None:
                over.wait(60)
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class calls it so
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        killed(stand.running, "collector")
        collector = started(stand.running, "collector", STACK_PROMETHEUS_URL=f"http://127.0.0.1:{server.server_port}")
        yield collector.pid
        over.set()
        collector.kill()
        collector.wait(10)
        server.shutdown()


@harm("silent", "Prometheus takes connections and never answers the Collector")
def silent(stand: Stand) -> Iterator[None]:
    with between(stand, None):
        yield


@harm("429", "Prometheus answers 429 to everything")
def too_many(stand: Stand) -> Iterator[None]:
    with between(stand, 429):
        yield


@harm("503", "Prometheus answers 503 to everything")
def unavailable(stand: Stand) -> Iterator[None]:
    with between(stand, 503):
        yield


@harm("full-collector-503", "no room on the Collector's disk, and Prometheus answers 503 to everything")
def full_collector_503(stand: Stand) -> Iterator[None]:
    with between(stand, 503) as pid, no_room(stand, pid, "collector/queue"):
        yield


@harm("spoilt-queue", "the Collector's queue is spoilt, and it is started again")
def spoilt(stand: Stand) -> Iterator[None]:
    killed(stand.running, "collector")
    for file in (stand.home / "data" / "collector" / "queue").iterdir():
        file.write_bytes(b"\xff" * file.stat().st_size)
    stack.up(home=stand.home, progress=quiet())
    yield


@harm("no-gate", "the gate of an exposed stack is killed")
def no_gate(stand: Stand) -> Iterator[None]:
    os.kill(stand.pid("gate"), signal.SIGKILL)
    yield


@harm("clock-ahead", "a bot's clock is set two hours ahead")
def ahead(stand: Stand) -> Iterator[None]:
    stand.set_clock(7200)
    yield


@harm("clock-behind", "a bot's clock is set ten minutes back")
def behind(stand: Stand) -> Iterator[None]:
    stand.set_clock(-600)
    yield


if EMULATOR and FAKER:

    @harm("stack-ahead", "the clock of the stack itself is set an hour ahead")
    def stack_ahead(stand: Stand) -> Iterator[None]:
        stand.set_servers_clock(3600)
        yield

    @harm("stack-behind", "the clock of the stack itself is set an hour back")
    def stack_behind(stand: Stand) -> Iterator[None]:
        stand.set_servers_clock(-3600)
        yield


def measure(name: str, seconds: float) -> dict[str, tuple[float, str]]:
    folder = Path(tempfile.mkdtemp(prefix=f"otel-trading-harm-{name}-"))
    with ONE_AT_A_TIME:
        stand = Stand(folder, movable=name.startswith("stack-"))
    try:
        query = f"{stand.running.urls['prometheus']}/api/v1/query?query=trading_sdk_heartbeat_time_seconds"
        wait(lambda: json.loads(loopback.ask(query, 10))["data"]["result"], "the bot to be seen")
        time.sleep(SETTLE)
        assert not stand.told(0), f"{name}: told before the harm: {stand.told(0)}"
        begun = time.time()
        with HARMS[name][1](stand):
            time.sleep(seconds)
            return stand.told(begun)
    finally:
        stand.end()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(HARMS), help=f"of {', '.join(HARMS)}")
    parser.add_argument("--minutes", type=float, default=8, help="for which each harm lasts")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    names = arguments.only.split(",")
    with ThreadPoolExecutor(len(names)) as pool:
        found = dict(zip(names, pool.map(lambda name: measure(name, arguments.minutes * 60), names), strict=True))
    if arguments.json:
        print(json.dumps(found))
        return
    print("| harm | told, and after how many seconds |\n|---|---|")
    for name, told in found.items():
        alerts = [f"{alert} {seconds:.0f} ({severity})" for alert, (seconds, severity) in told.items()]
        print(f"| {HARMS[name][0]} | {', '.join(alerts) or 'nothing'} |")


if __name__ == "__main__":
    main()
