"""Takes Alertmanager's notifications and keeps them: one JSON line per alert, on disk before it is acknowledged.

Standard library only and one file, so that it runs natively and, mounted read-only, in a bare Python image::

    python webhook.py --listen 127.0.0.1:5001 --file alerts.jsonl

POST anywhere writes; `GET /-/healthy` answers 200. Bad JSON gets 400 (Alertmanager drops it), a disk that refuses 500
and too many at once 503 (Alertmanager tries again).
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import signal
import sys
import threading
from datetime import datetime, timezone
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from io import FileIO

_FIELDS = ("status", "labels", "annotations", "startsAt", "endsAt", "fingerprint", "generatorURL")


class RotatingLines:
    """Appends lines to a file and keeps a bounded number of older ones beside it.

    Args:
        path: The file; older ones get the suffixes `.1` (youngest) to `.N`.
        max_bytes: Size in bytes from which a new file is begun.
        keep: How many older files stay.
    """

    def __init__(self, path: Path, *, max_bytes: int, keep: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._lock = threading.Lock()

    def write(self, lines: list[str]) -> None:
        """Write all lines and wait until the disk has them."""
        data = "".join(f"{line}\n" for line in lines).encode()
        with self._lock:
            self._rotate_for(len(data))
            with self._path.open("ab", buffering=0) as file:
                before = file.tell()
                try:
                    _write_through(file, data)
                except OSError:
                    file.truncate(before)  # the sender tries again: no torn line before its second attempt
                    raise

    def _rotate_for(self, coming: int) -> None:
        size = self._path.stat().st_size if self._path.exists() else 0
        if size == 0 or size + coming <= self._max_bytes:
            return
        for number in range(self._keep, 0, -1):
            younger = self._older(number - 1)
            if younger.exists():
                younger.replace(self._older(number))
        if self._keep == 0:
            self._path.unlink()

    def _older(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path


def _write_through(file: FileIO, data: bytes) -> None:
    if file.write(data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(file.fileno())


def alert_lines(notification: Any, received: str) -> list[str]:
    """Turn one notification of Alertmanager into one JSON line per alert.

    Args:
        notification: The decoded body of the POST.
        received: When it came, RFC 3339.

    Raises:
        ValueError: It is not what Alertmanager sends.
    """
    try:
        alerts: list[dict[str, Any]] = notification["alerts"]
        common = {"received": received, "receiver": notification.get("receiver")}
        return [json.dumps({**common, **{name: alert.get(name) for name in _FIELDS}}) for alert in alerts]
    except (AttributeError, LookupError, TypeError) as error:
        message = "expected an object with a list 'alerts', as Alertmanager sends it"
        raise ValueError(message) from error


class _Server(ThreadingMixIn, HTTPServer):
    """One thread per request, and never more than `max_threads` of them."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], lines: RotatingLines, *, max_request: int, max_threads: int) -> None:
        self.lines = lines
        self.max_request = max_request
        self._slots = threading.BoundedSemaphore(max_threads)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._slots.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            request.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10.0  # seconds that a silent client may hold a thread

    @property
    def _ours(self) -> _Server:
        return cast("_Server", self.server)

    def do_GET(self) -> None:
        self._answer(HTTPStatus.OK if self.path == "/-/healthy" else HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        try:
            size = int(self.headers.get("Content-Length", ""))
        except ValueError:
            return self._answer(HTTPStatus.LENGTH_REQUIRED)
        if not 0 <= size <= self._ours.max_request:
            return self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {self._ours.max_request} bytes")
        received = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        try:
            lines = alert_lines(json.loads(self.rfile.read(size)), received)
        except (ValueError, RecursionError) as error:
            return self._answer(HTTPStatus.BAD_REQUEST, str(error))
        try:
            self._ours.lines.write(lines)
        except OSError as error:
            self.log_error("cannot write: %s", error)
            return self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        return self._answer(HTTPStatus.OK)

    def _answer(self, status: HTTPStatus, why: str = "") -> None:
        body = f"{why or status.phrase}\n".encode()
        # What was not read of the request would be taken for the next one.
        self.close_connection = self.close_connection or status is not HTTPStatus.OK
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing about what went well: the file is the log."""


def main(arguments: list[str] | None = None) -> None:
    """Serve until ended by a signal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--listen", default="127.0.0.1:5001", help="HOST:PORT")
    parser.add_argument("--file", type=Path, default=Path("alerts.jsonl"))
    parser.add_argument("--max-bytes", type=int, default=10_000_000, help="size at which the file is rotated")
    parser.add_argument("--keep", type=int, default=5, help="how many rotated files stay")
    parser.add_argument("--max-request", type=int, default=5_000_000, help="largest request, in bytes")
    parser.add_argument("--max-threads", type=int, default=16)
    options = parser.parse_args(arguments)
    host, _, port = options.listen.rpartition(":")
    lines = RotatingLines(options.file, max_bytes=options.max_bytes, keep=options.keep)
    limits = {"max_request": options.max_request, "max_threads": options.max_threads}
    with _Server((host, int(port)), lines, **limits) as server:
        print(f"listening on {host}:{server.server_port}, writing {options.file}", file=sys.stderr, flush=True)  # noqa: T201  this is its log
        server.serve_forever()


def _end(*_: object) -> None:
    """End at once, as without this; but as process 1 of a container it would ignore the signal."""
    os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    main()
