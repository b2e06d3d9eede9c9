"""An exposed stack: who brings the secret is served at every port, and nobody else; the rest stays where it was."""

from __future__ import annotations

import dataclasses
import http.client
import json
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot_support import COMMAND, environment
from expose_support import ELSEWHERE, ask, basic, bearer, certificate, trusting
from otel_trading.stack import Expose, Ports, down, exposure, status, up
from stack_support import metric, prometheus_query, quiet, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

#: Port, a path that answers 200 to who may ask, and whose secret that takes.
_EXPOSED = (
    ("otlp_grpc", "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "bots"),
    ("otlp_http", "/v1/metrics", "bots"),
    ("prometheus", "/api/v1/query?query=1", "operators"),
    ("alertmanager", "/api/v2/status", "operators"),
)
_NAME = "bots.example"


@pytest.fixture(scope="module")
def exposed(servers: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    assert servers
    home = tmp_path_factory.mktemp("exposed") / "home"
    # What env tells bots is the first name, and no name of a test leads anywhere.
    expose = Expose(ELSEWHERE, (ELSEWHERE, _NAME))
    yield up(home=home, kind="native", ports=Ports.free(), evaluation_interval="1s", expose=expose, progress=quiet())
    down(home=home)


def _secret(stack: Stack, whose: str) -> Path:
    return {"bots": exposure.bot_token, "operators": exposure.operator_password}[whose](stack.home)


def _others(stack: Stack, whose: str) -> Path:
    return _secret(stack, "operators" if whose == "bots" else "bots")


@pytest.mark.seed("S1-53")
@pytest.mark.parametrize(("port", "path", "whose"), _EXPOSED)
def test_who_brings_no_valid_secret_is_refused(exposed: Stack, port: str, path: str, whose: str) -> None:
    right = bearer(_secret(exposed, whose))
    wrong = (
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        right[:-1],
        f"{right}x",
        right.removeprefix("Bearer "),
        right.replace("Bearer", "Digest"),
        bearer(_others(exposed, whose)),
        basic(_others(exposed, whose)),
        "Basic !!!",
    )
    for method in ("GET", "POST", "OPTIONS"):
        answers = {one: ask(exposed, port, path, one, method=method)[0] for one in wrong}
        assert set(answers.values()) == {401}, (method, answers)
    assert ask(exposed, port, path, right)[0] != 401
    assert ask(exposed, port, path, basic(_secret(exposed, whose)))[0] != 401


@pytest.mark.seed("S1-53")
@pytest.mark.parametrize(("port", "path", "whose"), _EXPOSED)
def test_nothing_but_tls_of_today_is_spoken(exposed: Stack, port: str, path: str, whose: str) -> None:
    right, number = bearer(_secret(exposed, whose)), getattr(exposed.ports, port)
    plain = http.client.HTTPConnection(ELSEWHERE, number, timeout=10)
    plain.request("GET", path, headers={"Authorization": right})
    answer = plain.getresponse()
    assert (answer.status, b"HTTPS" in answer.read()) == (400, True)
    plain.close()

    old = trusting(exposure.authority_file(exposed.home))
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError, match="protocol version"):
        ask(exposed, port, path, right, context=old)
    # A machine that does not know our CA sends nothing.
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(exposed, port, path, right, context=ssl.create_default_context())


def test_the_certificate_is_for_the_address_and_the_name_that_were_stated(exposed: Stack) -> None:
    context = trusting(exposure.authority_file(exposed.home))
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT  # what Python 3.13 does by itself
    for name, good in ((ELSEWHERE, True), (_NAME, True), ("other.example", False), ("127.0.0.1", False)):
        with socket.create_connection((ELSEWHERE, exposed.ports.otlp_http), timeout=5) as wire:
            if good:
                with context.wrap_socket(wire, server_hostname=name) as tls:
                    assert tls.version() == "TLSv1.3"
            else:
                with pytest.raises(ssl.SSLCertVerificationError):
                    context.wrap_socket(wire, server_hostname=name)


_BOT = """
import os, sys
from opentelemetry import metrics
metrics.get_meter("mine").create_counter("mine.seen").add(1)
seen = open("/proc/self/environ").read() + open("/proc/self/cmdline").read() + str(dict(os.environ))
print(seen.replace(chr(0), " "), flush=True)
"""


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_bot_that_sets_what_env_says_is_heard_and_shows_no_token(
    exposed: Stack, tmp_path: Path, protocol: str
) -> None:
    service = f"remote-{protocol.partition('/')[0]}"
    script = tmp_path / "bot.py"
    script.write_text(_BOT)
    # As on the machines of many companies: requests would trust nobody but whom this names.
    company = str(certificate(tmp_path, "company.example").authority)
    variables = environment(
        None, OTEL_SERVICE_NAME=service, OTEL_EXPORTER_OTLP_PROTOCOL=protocol, REQUESTS_CA_BUNDLE=company
    )
    said = f'eval "$({COMMAND} env --remote --home {exposed.home})"'
    if protocol == "grpc":
        said += f" && export OTEL_EXPORTER_OTLP_ENDPOINT=https://{ELSEWHERE}:{exposed.ports.otlp_grpc}"
    run = subprocess.run(
        ["sh", "-c", f"{said} && exec {COMMAND} run {sys.executable} {script}"],
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert f"OTEL_EXPORTER_OTLP_ENDPOINT=https://{ELSEWHERE}" in run.stdout
    assert str(exposure.bot_token(exposed.home)) in run.stdout
    assert _secret(exposed, "bots").read_text().strip() not in run.stdout + run.stderr
    wait_until(lambda: prometheus_query(exposed, f'mine_seen_total{{service_name="{service}"}} == 1'), 15, "its count")


_CALL = """
import sys, grpc
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
where, authority, *headers = sys.argv[1:]
channel = grpc.secure_channel(where, grpc.ssl_channel_credentials(open(authority, "rb").read()))
for header in headers:
    try:
        MetricsServiceStub(channel).Export(
            ExportMetricsServiceRequest(), timeout=10, metadata=[("authorization", header)] if header else []
        )
        print("OK")
    except grpc.RpcError as error:
        print(error.code().name)
"""


def test_grpc_says_who_is_not_authenticated(exposed: Stack) -> None:
    where, authority = f"{ELSEWHERE}:{exposed.ports.otlp_grpc}", str(exposure.authority_file(exposed.home))
    right, others = bearer(_secret(exposed, "bots")), bearer(_secret(exposed, "operators"))
    command = [sys.executable, "-c", _CALL, where, authority, "", "Bearer wrong", others, right]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.split() == ["UNAUTHENTICATED", "UNAUTHENTICATED", "UNAUTHENTICATED", "OK"]


def test_an_operator_looks_and_silences_but_ends_and_feeds_no_server(exposed: Stack) -> None:
    right = basic(exposure.operator_password(exposed.home))
    code, body = ask(exposed, "prometheus", "/api/v1/query?query=vector(7)", right)
    assert (code, json.loads(body)["data"]["result"][0]["value"][1]) == (200, "7")
    silence = {
        "matchers": [{"name": "venue", "value": "kraken", "isRegex": False}],
        "startsAt": "2020-01-01T00:00:00Z",
        "endsAt": "2099-01-01T00:00:00Z",
        "createdBy": "operator",
        "comment": "maintenance",
    }
    sent = json.dumps(silence).encode()
    assert ask(exposed, "alertmanager", "/api/v2/silences", right, method="POST", body=sent)[0] == 200

    closed = ("/-/quit", "/-/reload", "//-/quit", "/x/../-/quit", "/%2d/quit", "/-%2Fquit", "/-/", "/-")
    for port in ("prometheus", "alertmanager"):
        for path in (*closed, "/debug/pprof/heap"):
            assert ask(exposed, port, path, right, method="POST")[0] == 403, (port, path)
    points = json.dumps(metric("intruder", "planted", 1)).encode()
    for path in ("/api/v1/otlp/v1/metrics", "/api/v1/write"):
        assert ask(exposed, "prometheus", path, right, method="POST", body=points)[0] == 403
    assert {one.state for one in status(home=exposed.home)} == {"healthy"}


@pytest.mark.seed("S1-53")
def test_everything_else_stays_on_loopback(exposed: Stack) -> None:
    open_there = {port for port, _, _ in _EXPOSED}
    for name, number in dataclasses.asdict(exposed.ports).items():
        # The gate stands at one address, and at no other.
        for address in ("127.0.0.3", *(() if name in open_there else (ELSEWHERE,))):
            with pytest.raises(ConnectionRefusedError), socket.create_connection((address, number), timeout=5):
                pytest.fail(f"{name} answers on {address}:{number}")


@pytest.mark.seed("S1-53")
def test_secrets_stand_in_their_files_and_nowhere_else(exposed: Stack) -> None:
    folder = exposure.bot_token(exposed.home).parent
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (folder, folder.parent)} == {0o700}
    keys = [line for name in ("ca.key", "server.key") for line in (folder / name).read_text().splitlines()[1:-1]]
    planted = [_secret(exposed, whose).read_text().strip() for whose in ("bots", "operators")] + keys
    places = {str(path): path for path in exposed.home.rglob("*") if path.is_file() and folder not in path.parents}
    for one in status(home=exposed.home):
        places |= {f"{one.service} {name}": Path(f"/proc/{one.pid}/{name}") for name in ("cmdline", "environ")}
    assert any(name.startswith("gate ") for name in places)
    for name, place in places.items():
        held = place.read_bytes()
        assert [secret for secret in planted if secret.encode() in held] == [], name


def test_commands_name_files_never_what_is_in_them(exposed: Stack) -> None:
    hidden = [_secret(exposed, whose).read_text().strip() for whose in ("bots", "operators")]
    for arguments in (
        ["up", "--json"],
        ["up"],
        ["status", "--json"],
        ["env", "--remote"],
        ["env", "--remote", "/etc/bot"],
    ):
        command = [str(COMMAND), arguments[0], "--home", str(exposed.home), *arguments[1:]]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=environment(None))
        assert [secret for secret in hidden if secret in run.stdout + run.stderr] == []
        if arguments == ["up", "--json"]:
            shown = json.loads(run.stdout)["exposed"]
            assert shown["urls"]["otlp"] == f"https://{ELSEWHERE}:{exposed.ports.otlp_http}"
            assert Path(shown["token_file"]).is_file()
        if arguments[-1] == "/etc/bot":
            assert "export OTEL_EXPORTER_OTLP_CERTIFICATE=/etc/bot/ca.pem\n" in run.stdout
            assert "export OTEL_TRADING_OTLP_TOKEN_FILE=/etc/bot/bot_token\n" in run.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["doctor", "--json"],
        ["top", "--once", "--json"],
        ["alerts", "--json"],
        ["silence", "--list", "--json"],
        ["status", "--json"],
        ["backup", "{file}"],
    ],
    ids=lambda words: words[0],
)
def test_every_command_on_this_machine_works_as_before(exposed: Stack, tmp_path: Path, arguments: list[str]) -> None:
    words = [word.format(file=tmp_path / "kept.tar.gz") for word in arguments]
    command = [str(COMMAND), *words, "--home", str(exposed.home)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, env=environment(None))
    assert run.returncode == 0, run.stdout + run.stderr
