"""The gate by itself, before a server that notes what reaches it."""

from __future__ import annotations

import http.client
import socket
import subprocess
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from expose_support import ELSEWHERE, Certificate, certificate, trusting
from otel_trading.stack import build
from otel_trading.stack.servers import GATE
from stack_support import quiet, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.stack

_SECRET = "s" * 40


@dataclass
class _Gate:
    address: tuple[str, int]
    own: Certificate
    log: Path
    reached: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def ask(self, path: str = "/", body: bytes | None = None, **headers: str) -> int:
        with closing(self.connection()) as wire:
            wire.request("POST" if body else "GET", path, body, headers)
            return wire.getresponse().status

    def connection(self, timeout: float = 10) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(*self.address, timeout=timeout, context=trusting(self.own.authority))


@pytest.fixture
def binary(servers: dict[str, Path]) -> Path:
    assert servers  # the gate is built with them
    return build.binaries(GATE, quiet())[GATE.binaries[0]]


def _free(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@contextmanager
def _serving(reached: list[Any]) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def _note(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reached.append((self.path, dict(self.headers), body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = _note  # noqa: N815  the names that the library looks for

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@contextmanager
def _gate(binary: Path, folder: Path, host: str = ELSEWHERE) -> Iterator[_Gate]:
    made = _Gate((host, _free(host)), certificate(folder / "own", host), folder / "gate.log")
    (folder / "secret").write_text(f"{_SECRET}\nanother-{_SECRET}\n")
    listen = f"[{host}]:{made.address[1]}" if ":" in host else f"{host}:{made.address[1]}"
    with _serving(made.reached) as port, made.log.open("w") as log:
        target, secret = f"http://127.0.0.1:{port}", str(folder / "secret")
        process = subprocess.Popen([binary, made.own.file, made.own.key, listen, target, secret], stderr=log)
        try:
            wait_until(lambda: _listens(made.address), 10, "the gate")
            yield made
        finally:
            process.kill()
            process.wait(10)


def _listens(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=5).close()
    except OSError:
        return False
    return True


def test_what_it_hands_on_holds_no_secret_and_nothing_else_is_changed(binary: Path, tmp_path: Path) -> None:
    with _gate(binary, tmp_path) as gate:
        body = bytes(range(256)) * 4096
        assert gate.ask("/v1/metrics?a=%2F&b", body, Authorization=f"Bearer {_SECRET}", Tenant="desk") == 200
        assert gate.ask(Authorization=f"bearer another-{_SECRET}") == 200
        assert gate.ask(Authorization=f"Bearer another-{_SECRET[1:]}") == 401
    (path, headers, received), (_, second, _) = gate.reached
    assert (path, headers["Tenant"], received) == ("/v1/metrics?a=%2F&b", "desk", body)
    assert _SECRET not in str(headers) + str(second)


def test_it_tells_of_who_is_refused_once_and_without_what_was_tried(binary: Path, tmp_path: Path) -> None:
    with _gate(binary, tmp_path) as gate:
        assert [gate.ask(Authorization=f"Bearer tried-{number}") for number in range(20)] == [401] * 20
        assert gate.reached == []
        said = wait_until(gate.log.read_text, 5, "a line")
    assert said.count("refused 127.") == said.count("\n") == 1
    assert "tried" not in said


def test_who_only_connects_keeps_nobody_out(binary: Path, tmp_path: Path) -> None:
    with _gate(binary, tmp_path) as gate:
        idle = [socket.create_connection(gate.address, timeout=10) for _ in range(200)]
        try:
            assert gate.ask(Authorization=f"Bearer {_SECRET}") == 200
        finally:
            for one in idle:
                one.close()


@pytest.mark.slow
def test_who_says_nothing_is_shown_out(binary: Path, tmp_path: Path) -> None:
    with _gate(binary, tmp_path) as gate:
        with socket.create_connection(gate.address, timeout=30) as silent:
            assert silent.recv(1) == b""
        with closing(gate.connection(30)) as wire:
            wire.connect()
            wire.sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")  # and never the end
            assert b"200" not in wire.sock.recv(1000)


def test_a_server_that_is_away_is_told_so_that_bots_try_again(binary: Path, tmp_path: Path) -> None:
    own = certificate(tmp_path / "own", ELSEWHERE)
    (tmp_path / "secret").write_text(_SECRET)
    port, nobody = _free(ELSEWHERE), _free("127.0.0.1")
    command = [binary, own.file, own.key, f"{ELSEWHERE}:{port}", f"http://127.0.0.1:{nobody}", tmp_path / "secret"]
    process = subprocess.Popen([str(word) for word in command], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _listens((ELSEWHERE, port)), 10, "the gate")
        gate = _Gate((ELSEWHERE, port), own, tmp_path)
        assert gate.ask(Authorization=f"Bearer {_SECRET}") == 502
        assert gate.ask() == 401
    finally:
        process.kill()
        process.wait(10)


def _addresses() -> list[str]:
    """Return one of each kind that this machine has."""
    try:
        _free("::1")
    except OSError:
        return [ELSEWHERE]
    return [ELSEWHERE, "::1"]


@pytest.mark.parametrize("host", _addresses())
def test_it_stands_at_one_address_of_either_kind(binary: Path, tmp_path: Path, host: str) -> None:
    with _gate(binary, tmp_path, host) as gate:
        assert not _listens(("127.0.0.1", gate.address[1]))
        assert [gate.ask(), gate.ask(Authorization=f"Bearer {_SECRET}")] == [401, 200]


@pytest.mark.parametrize("spoilt", ["certificate", "key", "secret", "empty", "taken", "usage"])
def test_what_it_cannot_use_ends_it_at_once_with_a_line(binary: Path, tmp_path: Path, spoilt: str) -> None:
    own = certificate(tmp_path / "own", ELSEWHERE)
    secret = tmp_path / "secret"
    secret.write_text({"empty": "\n"}.get(spoilt, _SECRET))
    (own.file if spoilt == "certificate" else own.key if spoilt == "key" else tmp_path / "x").write_text("x")
    if spoilt == "secret":
        secret.unlink()
    with socket.socket() as occupant:
        occupant.bind((ELSEWHERE, 0))
        occupant.listen()
        taken, port = occupant.getsockname()[1], _free(ELSEWHERE)
        routes = [f"{ELSEWHERE}:{port}", "http://127.0.0.1:1", str(secret)]
        routes += [f"{ELSEWHERE}:{taken}", "http://127.0.0.1:1", str(secret)] if spoilt == "taken" else []
        command = [str(binary), str(own.file), str(own.key), *routes[: 2 if spoilt == "usage" else None]]
        run = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
        assert _SECRET not in run.stderr
        assert not _listens((ELSEWHERE, port))
