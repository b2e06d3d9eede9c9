"""The receiver as a real process, over real HTTP."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from otel_trading.stack import health
from otel_trading.stack._files import WEBHOOK

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

_TIMEOUT = 10


@pytest.fixture
def start(tmp_path: Path) -> Generator[Callable[..., str]]:
    """Start a receiver that writes into tmp_path/alerts.jsonl; returns its URL."""
    begun: list[subprocess.Popen[str]] = []

    def _start(*options: str) -> str:
        command = [sys.executable, str(WEBHOOK), "--listen", "127.0.0.1:0", "--file", str(tmp_path / "alerts.jsonl")]
        process = subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True)
        begun.append(process)
        assert process.stderr is not None
        address = process.stderr.readline().split()[2].rstrip(",")
        return f"http://{address}"

    yield _start
    for process in begun:
        process.terminate()
        process.communicate(timeout=_TIMEOUT)


def _notification(*names: str, pad: str = "") -> dict[str, Any]:
    alerts = [
        {
            "status": "firing",
            "labels": {"alertname": name},
            "annotations": {"summary": f"{name}{pad}"},
            "startsAt": "2026-01-02T03:04:05Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": "abc",
        }
        for name in names
    ]
    return {"version": "4", "receiver": "file", "status": "firing", "alerts": alerts}


def _post(url: str, body: Any) -> int:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=_TIMEOUT) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.mark.seed("S2-29")
def test_writes_one_line_per_alert(start: Callable[..., str], tmp_path: Path) -> None:
    url = start()
    assert health.answers(f"{url}/-/healthy")
    assert _post(f"{url}/alerts", _notification("A", "B")) == 200
    first, second = _lines(tmp_path / "alerts.jsonl")
    assert (first["labels"], second["labels"]) == ({"alertname": "A"}, {"alertname": "B"})
    assert first["received"].endswith("+00:00")
    kept = {name: first[name] for name in ("receiver", "status", "startsAt", "endsAt", "fingerprint")}
    assert kept == {
        "receiver": "file",
        "status": "firing",
        "startsAt": "2026-01-02T03:04:05Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "abc",
    }


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"[]", b"3", b"{}", b'{"alerts": 3}', b'{"alerts": [3]}', b"[" * 100_000]
)
def test_bad_bodies_are_refused_and_leave_nothing(start: Callable[..., str], tmp_path: Path, body: bytes) -> None:
    url = start()
    assert _post(f"{url}/alerts", body) == 400
    assert not (tmp_path / "alerts.jsonl").exists()
    assert _post(f"{url}/alerts", _notification("A")) == 200


def test_too_large_a_request_is_refused_unread(start: Callable[..., str], tmp_path: Path) -> None:
    url = start("--max-request", "1000")
    assert _post(f"{url}/alerts", _notification("A", pad="x" * 2000)) == 413
    assert not (tmp_path / "alerts.jsonl").exists()


def test_a_request_without_length_is_refused(start: Callable[..., str]) -> None:
    host, _, port = start().removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=_TIMEOUT) as client:
        client.sendall(b"POST /alerts HTTP/1.1\r\nHost: here\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 411 ")


def test_rotates_by_size_and_keeps_a_bounded_number(start: Callable[..., str], tmp_path: Path) -> None:
    url = start("--max-bytes", "1000", "--keep", "2")
    for number in range(12):
        assert _post(f"{url}/alerts", _notification(f"N{number}", pad="x" * 400)) == 200
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["alerts.jsonl", "alerts.jsonl.1", "alerts.jsonl.2"]
    assert all(file.stat().st_size <= 1000 for file in files)
    newest_first = [line["labels"]["alertname"] for file in files for line in reversed(_lines(file))]
    assert newest_first == [f"N{number}" for number in range(11, 11 - len(newest_first), -1)]


def test_answers_500_when_the_disk_refuses_so_that_alertmanager_retries(
    start: Callable[..., str], tmp_path: Path
) -> None:
    url = start()
    obstacle = tmp_path / "alerts.jsonl"
    obstacle.mkdir()
    assert _post(f"{url}/alerts", _notification("A")) == 500
    obstacle.rmdir()
    assert _post(f"{url}/alerts", _notification("A")) == 200
    assert len(_lines(obstacle)) == 1


def test_a_full_disk_leaves_no_torn_line(tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    program = (
        "import resource, signal, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import webhook\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (150, 150))\n"
        "lines = webhook.RotatingLines(Path(sys.argv[2]), max_bytes=10**6, keep=1)\n"
        "lines.write(['a' * 99])\n"
        "try:\n    lines.write(['b' * 99])\n"
        "except OSError: print('refused')\n"
    )
    command = [sys.executable, "-c", program, str(WEBHOOK.parent), str(file)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=True)
    assert run.stdout == "refused\n"
    assert file.read_text() == "a" * 99 + "\n"


def _refused(url: str) -> bool:
    """Say whether a request was turned away: with 503, or cut off while it was still sending."""
    try:
        return _post(url, _notification("A")) == 503
    except (ConnectionError, urllib.error.URLError):
        return True


def test_takes_no_more_requests_at_once_than_allowed(start: Callable[..., str]) -> None:
    url = start("--max-threads", "1")
    host, _, port = url.removeprefix("http://").partition(":")
    deadline = time.monotonic() + _TIMEOUT
    with socket.create_connection((host, int(port)), timeout=_TIMEOUT) as slow:
        slow.sendall(b"POST /alerts HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n")
        # The connection is accepted a moment after it is made, and given up a moment after it is closed.
        while not _refused(f"{url}/alerts"):
            assert time.monotonic() < deadline
    while _refused(f"{url}/alerts"):
        assert time.monotonic() < deadline
