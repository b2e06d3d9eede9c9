"""A real Redis and a real PostgreSQL of one's own, on loopback, for tests that CI runs (`.ci/run` installs them)."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["PostgreSQL", "Redis", "named", "postgresql", "redis", "standby"]

_HOST: Final = "127.0.0.1"
_TIMEOUT: Final = 20.0
_POLL: Final = 0.05
_ADMIN: Final = "otel"
_PASSWORD: Final = "never-told"


@dataclass
class Redis:
    """A server that keeps nothing."""

    process: subprocess.Popen[bytes]
    port: int

    def say(self, *lines: str) -> str:
        """Send commands over one connection and return the last answer."""
        with (
            socket.create_connection((_HOST, self.port), timeout=_TIMEOUT) as connection,
            connection.makefile() as answers,
        ):
            answer = ""
            for line in lines:
                connection.sendall(f"{line}\r\n".encode())
                answer = answers.readline().strip()
            return answer

    def freeze(self) -> None:
        """Let it hang: it keeps its port and its connections, and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)


@dataclass
class PostgreSQL:
    """A server with one administrator, `otel`, whose password is of the test."""

    process: subprocess.Popen[bytes]
    port: int
    password: str
    data: Path

    def client(self, database: str = "postgres") -> list[str]:
        """Return the command line of a client."""
        return [
            _tool("psql"),
            f"postgresql://{_ADMIN}@{_HOST}:{self.port}/{database}",
            "-qtAX",
            "-v",
            "ON_ERROR_STOP=1",
        ]

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs."""
        return {**os.environ, "PGPASSWORD": self.password}

    def say(self, *statements: str, database: str = "postgres") -> str:
        """Run statements, each by itself, and return what they print."""
        commands = [word for one in statements for word in ("-c", one)]
        done = subprocess.run(
            [*self.client(database), *commands],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def encrypt(self, key: bytes, certificate: bytes) -> None:
        """From now on let nobody in without TLS."""
        for name, content in (("server.key", key), ("server.crt", certificate)):
            (self.data / name).write_bytes(content)
            (self.data / name).chmod(0o600)
            shutil.chown(self.data / name, self.data.stat().st_uid, self.data.stat().st_gid)
        (self.data / "pg_hba.conf").write_text("hostssl all all all scram-sha-256\n")
        self.say("alter system set ssl = on", "select pg_reload_conf()")

    @contextmanager
    def connections(self, number: int) -> Iterator[None]:
        """Hold so many connections open."""
        held = [
            subprocess.Popen(self.client(), env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(number)
        ]
        try:
            for one in held:
                assert one.stdin is not None
                assert one.stdout is not None
                one.stdin.write(b"select 'here';\n")
                one.stdin.flush()
                assert one.stdout.readline() == b"here\n"
            yield
        finally:
            for one in held:
                one.communicate(timeout=_TIMEOUT)


def named(home: Path, dependency: str, url: str) -> Path:
    """Write the secret file that has `otel-trading up` watch a server."""
    file = home / "secrets" / "dependencies" / dependency
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(url)
    file.chmod(0o600)
    return file


@contextmanager
def redis(*options: str) -> Iterator[Redis]:
    """Run a Redis; options as on its command line, such as `--requirepass`."""
    port = _free_port()
    command = [_tool("redis-server"), "--port", str(port), "--bind", _HOST, "--save", "", *options]
    with tempfile.TemporaryDirectory() as folder, _running(command, folder) as process:
        server = Redis(process, port)
        _wait(process, lambda: bool(server.say("PING")))
        yield server


@contextmanager
def postgresql(*options: str, password: str = _PASSWORD) -> Iterator[PostgreSQL]:
    """Run a PostgreSQL; options as on its command line, such as `-c max_connections=10`."""
    port = _free_port()
    # It refuses to run as root, and whoever runs it has to reach its folder.
    user = _owner()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        data, secret = Path(folder, "data"), Path(folder, "password")
        data.mkdir()
        secret.write_text(password)
        if user is not None:
            for path in (data, secret):
                shutil.chown(path, user, user)
        make = [
            _tool("initdb"),
            "-D",
            str(data),
            "-U",
            _ADMIN,
            f"--pwfile={secret}",
            "-A",
            "scram-sha-256",
            "--no-sync",
        ]
        subprocess.run(make, user=user, cwd="/", capture_output=True, timeout=60, check=True)
        command = [_tool("postgres"), "-D", str(data), "-p", str(port), "-c", f"listen_addresses={_HOST}"]
        command += ["-c", "unix_socket_directories=", "-c", "fsync=off", *options]
        with _running(command, "/", user) as process:
            server = PostgreSQL(process, port, password, data)
            _wait(process, lambda: _listens(port))
            _wait(process, lambda: server.say("select 1") == "1")
            yield server


@contextmanager
def standby(server: PostgreSQL) -> Iterator[None]:
    """Run a copy that follows a server."""
    port, user = _free_port(), _owner()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        data = Path(folder, "data")
        data.mkdir(mode=0o700)
        if user is not None:
            shutil.chown(data, user, user)
        source = f"postgresql://{_ADMIN}@{_HOST}:{server.port}/postgres"
        copy = [_tool("pg_basebackup"), "-D", str(data), "-d", source, "-R", "--no-sync", "--checkpoint=fast"]
        subprocess.run(copy, user=user, cwd="/", env=server.environment, capture_output=True, timeout=60, check=True)
        command = [_tool("postgres"), "-D", str(data), "-p", str(port), "-c", f"listen_addresses={_HOST}"]
        with _running([*command, "-c", "unix_socket_directories="], "/", user) as process:
            _wait(
                process, lambda: server.say("select count(*) from pg_stat_replication where state='streaming'") == "1"
            )
            yield


@contextmanager
def _running(command: list[str], folder: str, user: str | None = None) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        command, cwd=folder, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            # SIGINT is the fast end of PostgreSQL: it does not wait for its clients.
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=_TIMEOUT)
            finally:
                process.kill()


def _wait(process: subprocess.Popen[bytes], answers: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _TIMEOUT
    while True:
        try:
            if answers():
                return
        except (OSError, AssertionError):
            assert process.poll() is None, f"{process.args!r} ended right after its start"
            assert time.monotonic() < deadline, f"{process.args!r} does not answer"
        time.sleep(_POLL)


def _listens(port: int) -> bool:
    with socket.create_connection((_HOST, port), timeout=1):
        return True


def _owner() -> str | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _tool(name: str) -> str:
    # Debian keeps the server's own tools off PATH.
    places = [str(folder) for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(places) or None)
    if found is None:
        pytest.fail(f"{name} is needed: apt-get install redis-server postgresql", pytrace=False)
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])
