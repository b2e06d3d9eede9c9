"""How the real Collector, by itself, gets into a real Redis and a real PostgreSQL: passwords of any kind, and TLS."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pytest
import trustme

from dependency_support import Redis, named, postgresql, redis
from otel_trading.stack import Ports, dependencies, health, loopback
from otel_trading.stack._files import shipped
from stack_support import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(120)]

#: What some parser on the way could take for something else; URLs carry it as %XX.
PASSWORDS: Final = ("12345", "null", "a$b$$c${env:HOME}d", '"quoted"', "#no:comment", "{a:b", "ünïcødé", "%25")


@pytest.fixture(scope="module")
def cache() -> Iterator[Redis]:
    with redis() as server:
        yield server


@contextmanager
def _collector(servers: dict[str, Path], home: Path, **variables: str) -> Iterator[Callable[[str], int | None]]:
    """Run a Collector that watches what is named in a home; gives a function that says what it got of a dependency."""
    (home / "config" / "collector").mkdir(parents=True)
    dependencies.compose(home, kind="native", interval="1s").write(home, "native")
    ports = Ports.free()
    environment = {
        **os.environ,
        "STACK_DATA": str(home / "data"),
        "STACK_SECRETS": str(dependencies.secrets_folder(home)),
        "STACK_OTLP_GRPC_PORT": str(ports.otlp_grpc),
        "STACK_OTLP_HTTP_PORT": str(ports.otlp_http),
        "STACK_COLLECTOR_METRICS_PORT": str(ports.collector_metrics),
        "STACK_COLLECTOR_HEALTH_PORT": str(ports.collector_health),
        **variables,
    }
    command = [str(servers["otelcol"]), "--config", str(dependencies.config_file(home))]
    url = f"http://127.0.0.1:{ports.collector_metrics}/metrics"

    def scraped(name: str) -> int | None:
        pattern = rf'otelcol_scraper_scraped_metric_points_total{{[^}}]*"{name}"[^}}]*}} (\d+)'
        found = re.search(pattern, loopback.ask(url).decode()) if health.answers(url) else None
        return int(found[1]) if found else None

    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield scraped
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)


@pytest.mark.parametrize("password", PASSWORDS)
def test_any_password_reaches_the_server_as_it_is(
    servers: dict[str, Path], cache: Redis, tmp_path: Path, password: str
) -> None:
    """The Collector takes what it reads from a file apart, and looks for variables in it."""
    escaped = password.replace("\\", "\\\\").replace('"', '\\"')
    assert cache.say(f'ACL SETUSER tester reset on +info +ping ">{escaped}"') == "+OK"
    named(tmp_path, "redis", f"redis://tester:{quote(password, safe='')}@127.0.0.1:{cache.port}")
    with _collector(servers, tmp_path) as scraped:
        wait_until(lambda: scraped("redis"), 20, "an answer of Redis")


@pytest.mark.parametrize("trusted", [True, False])
def test_redis_by_tls_has_to_prove_who_it_is(servers: dict[str, Path], tmp_path: Path, *, trusted: bool) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    (authority if trusted else trustme.CA()).cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ["--tls-cert-file", str(tmp_path / "cert.pem"), "--tls-key-file", str(tmp_path / "key.pem")]
    tls += ["--tls-ca-cert-file", str(tmp_path / "ca.pem"), "--tls-auth-clients", "no"]
    port = Ports.free().canary
    with redis("--tls-port", str(port), *tls):
        named(tmp_path, "redis", f"rediss://localhost:{port}")
        with _collector(servers, tmp_path, SSL_CERT_FILE=str(tmp_path / "ca.pem")) as scraped:
            wait_until(lambda: scraped("redis") is not None, 20, "a first try")
            if trusted:
                wait_until(lambda: scraped("redis"), 20, "an answer of Redis")
            assert bool(scraped("redis")) is trusted


@pytest.mark.parametrize(("mode", "enters"), [("require", True), ("verify-full", False), ("disable", False)])
def test_postgresql_by_tls_is_as_strict_as_asked_for(
    servers: dict[str, Path], tmp_path: Path, mode: str, *, enters: bool
) -> None:
    """The server takes nobody without TLS, and its certificate is signed by nobody known."""
    certificate = trustme.CA().issue_cert("localhost")
    with postgresql() as database:
        database.encrypt(certificate.private_key_pem.bytes(), certificate.cert_chain_pems[0].bytes())
        url = f"postgresql://otel:{database.password}@localhost:{database.port}?sslmode={mode}"
        named(tmp_path, "postgresql", url)
        with _collector(servers, tmp_path) as scraped:
            wait_until(lambda: scraped("postgresql") is not None, 20, "a first try")
            if enters:
                wait_until(lambda: scraped("postgresql"), 20, "an answer of PostgreSQL")
            assert bool(scraped("postgresql")) is enters


def test_by_hand_the_files_stand_side_by_side(servers: dict[str, Path], tmp_path: Path) -> None:
    """As their first lines say."""
    for name in ("redis", "postgresql"):
        (tmp_path / name).write_text("secret")
    files = [f"--config={shipped(f'collector/{name}.yaml')}" for name in ("config", "redis", "postgresql")]
    environment = {**os.environ, "STACK_DATA": str(tmp_path), "STACK_SECRETS": str(tmp_path)}
    done = subprocess.run(
        [servers["otelcol"], "validate", *files],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
