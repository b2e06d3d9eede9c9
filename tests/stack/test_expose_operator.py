"""`top` and `doctor` on another machine: they look through the gate with the operators' password, shown to nobody."""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from bot_support import COMMAND, environment
from expose_support import ELSEWHERE, certificate
from otel_trading.stack import Expose, Ports, down, exposure, up
from stack_support import quiet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

_PASSWORD: Final = "OTEL_TRADING_PASSWORD_FILE"
_CA: Final = "OTEL_EXPORTER_OTLP_CERTIFICATE"


@pytest.fixture(scope="module")
def exposed(servers: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    assert servers
    home = tmp_path_factory.mktemp("operator") / "home"
    expose = Expose(ELSEWHERE, (ELSEWHERE,))
    yield up(home=home, kind="native", ports=Ports.free(), evaluation_interval="1s", expose=expose, progress=quiet())
    down(home=home)


@pytest.fixture
def elsewhere(exposed: Stack, tmp_path: Path) -> dict[str, str]:
    """The variables of a machine that has no stack but the three files of this one."""
    given = {}
    for name, file in (
        (_PASSWORD, exposure.operator_password(exposed.home)),
        (_CA, exposure.authority_file(exposed.home)),
        ("OTEL_TRADING_OTLP_TOKEN_FILE", exposure.bot_token(exposed.home)),
    ):
        copy = tmp_path / file.name
        copy.write_bytes(file.read_bytes())
        copy.chmod(0o600)
        given[name] = str(copy)
    given["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"https://{ELSEWHERE}:{exposed.ports.otlp_http}"
    given["XDG_DATA_HOME"] = str(tmp_path / "none")
    return given


def _run(variables: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """With a proxy in the environment, as on the machines of many companies: it leads nowhere, and nobody asks it."""
    return subprocess.run(
        [COMMAND, *arguments],
        env=environment(
            None, **{**variables, "HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
        ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _url(stack: Stack, port: str) -> str:
    return f"https://{ELSEWHERE}:{getattr(stack.ports, port)}"


def _top(stack: Stack, variables: dict[str, str], url: str = "") -> subprocess.CompletedProcess[str]:
    return _run(variables, "top", "--json", "--prometheus", url or _url(stack, "prometheus"))


@pytest.mark.seed("S1-53")
def test_top_shows_the_picture_of_another_machine(exposed: Stack, elsewhere: dict[str, str]) -> None:
    run = _top(exposed, elsewhere)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["prometheus"] == _url(exposed, "prometheus")


def test_doctor_follows_every_hop_to_another_machine(exposed: Stack, elsewhere: dict[str, str]) -> None:
    # What OTLP's exporter asks goes by requests, which takes the proxy of the environment.
    direct = {**elsewhere, "NO_PROXY": ELSEWHERE, "no_proxy": ELSEWHERE}
    where = ["--prometheus", _url(exposed, "prometheus"), "--alertmanager", _url(exposed, "alertmanager")]
    run = _run(direct, "doctor", "--json", "--home", f"{elsewhere['XDG_DATA_HOME']}/home", *where)
    hops = {hop["name"]: hop for hop in json.loads(run.stdout)}
    assert run.returncode == 0, run.stdout
    for name in ("OTLP reachable", "Collector accepted", "Prometheus has the series", "Alertmanager reachable"):
        assert hops[name]["state"] == "ok", hops
    password = Path(elsewhere[_PASSWORD]).read_text().strip()
    assert password not in run.stdout + run.stderr


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({_PASSWORD: ""}, f"it asks for a password: {_PASSWORD} names"),
        ({_PASSWORD: "wrong"}, f"it does not know the password in the file of {_PASSWORD}"),
        ({_PASSWORD: "empty"}, "is empty"),
        ({_PASSWORD: "missing"}, "cannot be read"),
        ({_PASSWORD: "open"}, "can be read by other users"),
        ({_CA: ""}, f"its certificate is not trusted (unable to get local issuer certificate); {_CA} names its CA"),
        ({_CA: "wrong"}, "cannot be read as certificates"),
    ],
    ids=str,
)
def test_what_is_missing_or_wrong_is_said(
    exposed: Stack, elsewhere: dict[str, str], tmp_path: Path, change: dict[str, str], says: str
) -> None:
    (name, kind), *_ = change.items()
    folder = tmp_path / "wrong"
    folder.mkdir()
    folder.chmod(0o755)
    for file, text, mode in (("wrong", "not it", 0o600), ("empty", "", 0o600), ("open", "not it", 0o644)):
        (folder / file).write_text(text)
        (folder / file).chmod(mode)
    run = _top(exposed, {**elsewhere, name: str(folder / kind) if kind else ""})
    assert run.returncode == (3 if says.startswith("it") else 2), run  # what answers, or what was set
    assert says in run.stderr


def test_the_password_travels_neither_in_clear_nor_to_where_an_answer_leads(
    exposed: Stack, elsewhere: dict[str, str], tmp_path: Path
) -> None:
    run = _top(exposed, elsewhere, f"http://{ELSEWHERE}:{exposed.ports.prometheus}")
    assert run.returncode == 2, run
    assert "would travel in clear" in run.stderr

    heard: list[tuple[str, str | None]] = []

    class Leading(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append((self.path, self.headers.get("Authorization")))
            if self.path.startswith("/api"):
                self.send_response(302)
                self.send_header("Location", f"https://127.0.0.1:{server.server_port}/other")
            else:
                self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815  http.server finds it by this name

        def log_message(self, *arguments: object) -> None:
            del arguments

    own = certificate(tmp_path / "leading", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Leading)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.file, own.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        run = _top(exposed, {**elsewhere, _CA: str(own.authority)}, f"https://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
    assert run.returncode == 3, run
    password = Path(elsewhere[_PASSWORD]).read_text().strip()
    assert (f"Bearer {password}") in {sent for path, sent in heard if path.startswith("/api")}
    assert {sent for path, sent in heard if path == "/other"} == {None}


def test_env_remote_says_it(exposed: Stack) -> None:
    run = _run({}, "env", "--remote", "/etc/bot", "--home", str(exposed.home))
    assert f"# export {_PASSWORD}=/etc/bot/operator_password" in run.stdout
    assert f"# otel-trading top --prometheus {_url(exposed, 'prometheus')}" in run.stdout
    assert exposure.operator_password(exposed.home).read_text().strip() not in run.stdout
