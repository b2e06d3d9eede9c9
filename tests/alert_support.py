"""A real Alertmanager with the configuration that `up` writes, and real servers where Slack and its like would be."""

from __future__ import annotations

import json
import queue
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from otel_trading.stack import loopback, notifying
from otel_trading.stack._files import shipped
from otel_trading.stack.ports import Ports

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["Alertmanager", "Endpoints", "Received", "endpoints", "secret", "wait_for"]

_POLL = 0.02
_TIMEOUT = 10.0


def wait_for(predicate: Any, what: str, timeout: float = _TIMEOUT) -> Any:
    """Return the first true answer of `predicate`; fails with `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (answer := predicate()):
        assert time.monotonic() < deadline, f"waited {timeout} s for {what}; last answer: {answer!r}"
        time.sleep(_POLL)
    return answer


@dataclass(frozen=True)
class Received:
    """One request that came in."""

    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Endpoints:
    """A server on loopback that takes what a service takes; each test has paths of its own."""

    url: str
    _queues: dict[str, queue.Queue[Received]] = field(default_factory=lambda: defaultdict(queue.Queue))
    _answers: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _attempts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def answer(self, path: str, *statuses: int) -> None:
        """Answer the next requests for this path with these statuses, later ones as the service does."""
        self._answers[path] = list(statuses)

    def refused(self, path: str) -> bool:
        """Say whether all of these statuses have been given."""
        return not self._answers[path]

    def take(self, path: str, timeout: float = _TIMEOUT) -> Received:
        """Return the next request for this path that was accepted."""
        try:
            return self._queues[path].get(timeout=timeout)
        except queue.Empty:
            message = f"nothing came to {path} within {timeout} s"
            raise AssertionError(message) from None

    def take_none(self, paths: list[str], seconds: float) -> None:
        """Fail when a request for one of these paths is accepted within this time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            came = {path: self._queues[path].queue[0].body for path in paths if self.waiting(path)}
            assert came == {}
            time.sleep(_POLL)

    def attempts(self, path: str) -> int:
        """Return how many requests for this path came, accepted or not."""
        return self._attempts[path]

    def waiting(self, path: str) -> int:
        """Return how many accepted requests for this path nobody has taken."""
        return self._queues[path].qsize()

    def handle(self, received: Received) -> tuple[int, str, bytes]:
        """Keep a request and answer it as its service does."""
        self._attempts[received.path] += 1
        if answers := self._answers[received.path]:
            return answers.pop(0), "text/plain", b"slow down"
        self._queues[received.path].put(received)
        if received.path.endswith("/sendMessage"):
            message = {"message_id": 1, "date": 1, "chat": {"id": int(received.body["chat_id"]), "type": "group"}}
            return 200, "application/json", json.dumps({"ok": True, "result": message}).encode()
        if received.path.endswith("/enqueue"):
            return 202, "application/json", b'{"status": "success", "message": "Event processed", "dedup_key": "x"}'
        if "/discord/" in received.path:
            return 204, "application/json", b""
        return 200, "text/plain", b"ok"


@contextmanager
def endpoints(port: int = 0) -> Iterator[Endpoints]:
    """Serve until the end of the block, on a port that is free or on this one."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, kind, body = served.handle(Received(self.path, headers, json.loads(text)))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test's output to the test."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        served = Endpoints(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield served
        finally:  # a thread that polls a closed socket keeps a processor busy, and later tests' sockets open
            server.shutdown()


def secret(home: Path, name: str, text: str) -> Path:
    """Write a secret file as a user does."""
    file = home / "secrets" / "alerts" / name
    for folder in (file.parent.parent, file.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(f"{text}\n")
    file.chmod(0o600)
    return file


@dataclass
class Alertmanager:
    """One home's Alertmanager; `start` again after `stop` continues with what it knew."""

    binary: Path
    home: Path
    file_url: str
    ports: Ports = field(default_factory=Ports.free)
    interval: str = "0s"
    _process: subprocess.Popen[bytes] | None = None
    _since: dict[str, datetime] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports.alertmanager}"

    def render(self, environ: Mapping[str, str] | None = None, edit: tuple[tuple[str, str], ...] = ()) -> str:
        """Write the configuration as `up` does; the file's receiver is a server of the test."""
        room = self.home / "config" / "alerts"
        shutil.copytree(shipped("alerts"), room, dirs_exist_ok=True)
        plan = notifying.compose(
            self.home, ports=self.ports, kind="native", interval=self.interval, environ=environ or {}
        )
        text = plan.text
        for old, new in edit:
            assert old in text, text
            text = text.replace(old, new)
        replace(plan, text=text, secrets={**plan.secrets, "file_url": self.file_url}).write(self.home, "native")
        return text

    def start(self) -> None:
        command = [
            str(self.binary),
            f"--config.file={notifying.config_file(self.home)}",
            f"--storage.path={self.home / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.ports.alertmanager}",
            f"--web.external-url={self.url}",
            "--cluster.listen-address=",
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self.home, stdout=log, stderr=log)
        process = self._process
        wait_for(lambda: self._ready() or process.poll() is not None, "Alertmanager", 20)
        assert process.poll() is None, self.log.read_text()

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(sign)
            self._process.wait(timeout=_TIMEOUT)
            self._process = None

    @property
    def log(self) -> Path:
        return self.home / "log"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError):
            return False

    def sent(self, integration: str) -> int:
        """Return how many notifications it has sent by one integration and had answered."""
        return self._count(rf'notification_latency_seconds_count{{integration="{integration}".*}}')

    def suppressed(self, reason: str) -> int:
        """Return how many notifications it has held back for one reason."""
        return self._count(rf'notifications_suppressed_total{{reason="{reason}".*}}')

    def _count(self, series: str) -> int:
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        return sum(map(int, re.findall(rf"(?m)^alertmanager_{series} (\d+)$", text)))

    def reload(self) -> None:
        """Have it read its configuration again."""
        loopback.reload(self.url, "Alertmanager")

    def fire(self, *alerts: dict[str, str], annotations: dict[str, str] | None = None, ended: bool = False) -> None:
        """Send alerts as Prometheus does, or say that they have ended."""
        now = datetime.now(timezone.utc)
        until = now if ended else now + timedelta(hours=1)
        entries = [
            {
                "labels": one,
                "annotations": annotations or {},
                # As it was said first: what is older than the group's wait would leave at once, and alone.
                "startsAt": self._since.setdefault(json.dumps(one), now).isoformat(),
                "endsAt": until.isoformat(),
            }
            for one in alerts
        ]
        body = json.dumps(entries).encode()
        request = urllib.request.Request(f"{self.url}/api/v2/alerts", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert answer.status == 200

    def alerts(self, job: str) -> list[dict[str, Any]]:
        """Return a job's alerts with their state."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=5) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return [alert for alert in found if alert["labels"].get("job", "") == job]

    def muted(self, job: str, count: int) -> set[str]:
        """Return the names of a job's alerts that inhibition holds back, once all of them have been thought about."""
        # Inhibition learns of alerts in their order, a moment later: what is muted last shows that it knows all.
        last = {"job": f"after {job}", "trading_venue_name": "last"}
        source = {**last, "alertname": "VenueConnectionLost", "severity": "critical"}
        self.fire({**last, "alertname": "Last", "severity": "info"}, source)
        wait_for(lambda: any(one["status"]["inhibitedBy"] for one in self.alerts(last["job"])), "the last one")
        mine = self.alerts(job)
        assert len(mine) == count, mine
        return {alert["labels"]["alertname"] for alert in mine if alert["status"]["inhibitedBy"]}
