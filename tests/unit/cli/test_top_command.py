from __future__ import annotations

import http.server
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def _top(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from otel_trading.cli import main; sys.argv[0] = 'otel-trading'; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "top", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def nobody() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}"


@pytest.fixture
def something_else() -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            del code, size

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


@pytest.mark.parametrize("how", ["--once", "--json"])
def test_prometheus_away_is_a_sentence_and_three(nobody: str, how: str) -> None:
    done = _top("--prometheus", nobody, how)

    assert done.returncode == 3
    assert done.stdout == ""
    assert f"Prometheus does not answer at {nobody}: " in done.stderr
    assert "Traceback" not in done.stderr


def test_something_else_on_that_port_is_a_sentence(something_else: str) -> None:
    done = _top("--prometheus", something_else)

    assert done.returncode == 3
    assert "what answers there is not Prometheus" in done.stderr


@pytest.mark.parametrize("url", ["localhost:9090", "ftp://localhost", "http://user:secret@localhost"])
def test_an_url_that_cannot_be_is_usage(url: str) -> None:
    done = _top("--prometheus", url, "--once")

    assert done.returncode == 2
    assert "--prometheus takes http://HOST:PORT" in done.stderr
    assert "secret" not in done.stderr


def test_without_a_stack_it_says_how_to_start_one(tmp_path: Path) -> None:
    done = _top("--home", str(tmp_path), "--once")

    assert done.returncode == 3
    assert "otel-trading up" in done.stderr


def test_a_mode_that_is_none_is_usage() -> None:
    assert _top("--mode", "demo").returncode == 2
