"""How a stack is exposed, stays so, gets another certificate, and what a refused start leaves behind: nothing."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import subprocess
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from bot_support import COMMAND, environment
from expose_support import ELSEWHERE, ask, bearer, certificate, trusting
from otel_trading.cli import cli
from otel_trading.errors import ConfigError, OtelTradingError, StackError
from otel_trading.stack import Expose, Ports, authority, down, exposure, status, up
from otel_trading.stack.state import State
from stack_support import quiet, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack


def _up(home: Path, expose: Expose | None = None, **more: Any) -> Stack:
    return up(home=home, kind="native", expose=expose, progress=quiet(), **more)


def _pids(home: Path) -> dict[str, int | None]:
    return {one.service: one.pid for one in status(home=home)}


def _processes_of(home: Path) -> list[str]:
    found = subprocess.run(["ps", "-e", "-o", "stat=,args="], capture_output=True, text=True, timeout=10, check=True)
    return [line for line in found.stdout.splitlines() if f"{home}/" in line and not line.startswith("Z")]


def test_a_stack_that_runs_is_opened_and_stays_open_until_it_ends(stack_home: Path) -> None:
    closed = _up(stack_home, ports=Ports.free())
    before = _pids(stack_home)
    opened = _up(stack_home, Expose(ELSEWHERE))
    assert (closed.exposed, opened.exposed is not None) == (None, True)
    assert _pids(stack_home).items() > before.items()  # the servers went on, behind a gate
    token = bearer(exposure.bot_token(stack_home))
    assert ask(opened, "otlp_http", "/v1/metrics", token)[0] == 405

    gate = _pids(stack_home)["gate"]
    assert gate is not None
    os.kill(gate, signal.SIGKILL)
    wait_until(lambda: {one.service: one.state for one in status(home=stack_home)}["gate"] == "down", 5, "its end")
    assert _up(stack_home).exposed == opened.exposed
    again = _pids(stack_home)
    assert (again["gate"] == gate, {**again, "gate": 0}) == (False, {**before, "gate": 0})
    assert ask(opened, "otlp_http", "/v1/metrics", token)[0] == 405

    assert "gate" in down(home=stack_home)
    with pytest.raises(ConnectionRefusedError):
        ask(opened, "otlp_http", "/v1/metrics", token)
    assert _up(stack_home, ports=closed.ports).exposed is None  # to be said again
    with pytest.raises(ConnectionRefusedError):
        ask(opened, "otlp_http", "/v1/metrics", token)


def test_a_certificate_that_ends_soon_is_named_and_the_next_up_makes_another(
    stack_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(authority, "_SERVER_LIVES", timedelta(days=10))
        opened = _up(stack_home, Expose(ELSEWHERE), ports=Ports.free())
    before, ca = _pids(stack_home), trusting(exposure.authority_file(stack_home))
    words = r"the certificate for other machines ends in 9 days .*; otel-trading up"
    (note,) = [one.note for one in status(home=stack_home) if one.note]
    assert words.partition(" .*")[0] in note
    shown = CliRunner().invoke(cli, ["status", "--home", str(stack_home)])
    assert (shown.exit_code, f"gate: {note}" in shown.output) == (0, True)
    doctor = [str(COMMAND), "doctor", "--home", str(stack_home)]
    run = subprocess.run(doctor, capture_output=True, text=True, timeout=60, env=environment(None), check=False)
    assert (run.returncode, "ends in 9 days" in run.stdout) == (0, True), run.stdout

    renewed = _up(stack_home)
    assert renewed.exposed is not None
    assert datetime.fromisoformat(renewed.exposed.until) - datetime.now(timezone.utc) > timedelta(days=360)
    after = _pids(stack_home)
    assert {name for name in after if after[name] != before[name]} == {"gate"}
    assert [one.note for one in status(home=stack_home) if one.note] == []
    # Bots go on with the CA and the token that they have.
    assert ask(opened, "otlp_http", "/v1/metrics", bearer(exposure.bot_token(stack_home)), context=ca)[0] == 405
    assert _pids(_up(stack_home).home) == after


@pytest.mark.slow
def test_an_ended_certificate_is_broken_and_up_heals_it(stack_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(authority, "_SERVER_LIVES", timedelta(seconds=12))
        _up(stack_home, Expose(ELSEWHERE), ports=Ports.free())
    state = {one.service: one.state for one in status(home=stack_home)}
    wait_until(lambda: _gate(stack_home).state == "unhealthy", 20, f"the end of the certificate; first {state}")
    assert "has ended" in _gate(stack_home).note
    _up(stack_home)
    assert (_gate(stack_home).state, _gate(stack_home).note) == ("healthy", "")


def _gate(home: Path) -> Any:
    return next(one for one in status(home=home) if one.service == "gate")


def test_another_token_is_in_force_after_up_and_the_old_one_opens_nothing(stack_home: Path) -> None:
    opened = _up(stack_home, Expose(ELSEWHERE), ports=Ports.free())
    file = exposure.bot_token(stack_home)
    old = bearer(file)
    file.write_text(f"{file.read_text()}{'n' * 40}\n")  # both, while bots change over
    _up(stack_home)
    assert [ask(opened, "otlp_http", "/v1/metrics", one)[0] for one in (old, f"Bearer {'n' * 40}")] == [405, 405]
    file.unlink()
    _up(stack_home)
    new = bearer(file)
    assert [ask(opened, "otlp_http", "/v1/metrics", one)[0] for one in (old, new)] == [401, 405]


@pytest.mark.slow
def test_a_certificate_of_ones_own_is_shown_and_renewed_in_its_place(stack_home: Path, tmp_path: Path) -> None:
    own = certificate(tmp_path / "own", ELSEWHERE, ends_in_days=3)
    opened = _up(stack_home, Expose(ELSEWHERE, (), own.file, own.key), ports=Ports.free())
    token = bearer(exposure.bot_token(stack_home))
    assert ask(opened, "otlp_http", "/v1/metrics", token, context=trusting(own.authority))[0] == 405
    assert not exposure.authority_file(stack_home).exists()
    assert f"put a new one into {own.file}, then: otel-trading up" in _gate(stack_home).note
    said = CliRunner().invoke(cli, ["env", "--remote", "--home", str(stack_home)])
    assert "export OTEL_EXPORTER_OTLP_CERTIFICATE" not in said.output

    new = certificate(tmp_path / "own", ELSEWHERE)  # another CA, the same files
    _up(stack_home)
    assert ask(opened, "otlp_http", "/v1/metrics", token, context=trusting(new.authority))[0] == 405
    assert _gate(stack_home).note == ""


def test_a_refused_change_leaves_what_was(stack_home: Path, tmp_path: Path) -> None:
    opened = _up(stack_home, Expose(ELSEWHERE), ports=Ports.free())
    before, state = _pids(stack_home), State.load(stack_home)
    own = certificate(tmp_path / "own", ELSEWHERE, ends_in_days=-2)
    with pytest.raises(ConfigError, match="Name one that holds"):
        _up(stack_home, Expose(ELSEWHERE, (), own.file, own.key))
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.3", opened.ports.prometheus))
        occupant.listen()
        with pytest.raises(
            StackError, match=rf"Port {opened.ports.prometheus} \(prometheus\) on 127\.0\.0\.3 is taken"
        ):
            _up(stack_home, Expose("127.0.0.3"))
    rules = stack_home / "config" / "my-rules" / "mine.yaml"
    rules.write_text("groups: [")
    with pytest.raises(StackError, match="is refused by promtool"):
        _up(stack_home, Expose("127.0.0.3"))
    assert (_pids(stack_home), State.load(stack_home)) == (before, state)
    assert ask(opened, "otlp_http", "/v1/metrics", bearer(exposure.bot_token(stack_home)))[0] == 405


_FREE = [word for name, number in dataclasses.asdict(Ports.free()).items() for word in ("--port", f"{name}={number}")]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--expose", "198.51.100.7"], 3, "This machine has no address 198.51.100.7"),
        (["--expose", "bots.example"], 2, "Allowed: an IP address of this machine"),
        (["--expose", "::"], 2, "Allowed: one address by which other machines reach this one"),
        (["--expose", ELSEWHERE, "--expose-as", "no name"], 2, "--expose-as is 'no name'"),
        (["--expose", ELSEWHERE, "--expose-key", "x"], 2, "go together"),
        (["--expose", ELSEWHERE, "--docker"], 3, "otel-trading up --native --expose"),
        (["--expose", ELSEWHERE, "--expose-certificate", "no.pem", "--expose-key", "no.key"], 2, "cannot be read"),
        (["--expose-as", "bots.example"], 2, "add --expose"),
    ],
)
def test_a_refused_start_leaves_nothing(
    servers: dict[str, Path], tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    assert servers
    home = tmp_path / "home"
    run = subprocess.run(
        [COMMAND, "up", "--home", home, *_FREE, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(None),
        check=False,
    )
    assert (run.returncode, run.stdout) == (code, "")
    assert words in run.stderr
    assert "Traceback" not in run.stderr
    assert list(tmp_path.iterdir()) == []
    assert _processes_of(tmp_path) == []


def test_a_taken_port_elsewhere_stops_everything_before_it_starts(stack_home: Path) -> None:
    ports = Ports.free()
    with socket.socket() as occupant:
        occupant.bind((ELSEWHERE, ports.alertmanager))
        occupant.listen()
        with pytest.raises(StackError, match=rf"\(alertmanager\) on {ELSEWHERE} is taken by .*--port alertmanager"):
            _up(stack_home, Expose(ELSEWHERE), ports=ports)
    assert not (stack_home / "secrets").exists()
    assert (status(home=stack_home), _processes_of(stack_home)) == ([], [])


@pytest.mark.parametrize("spoilt", ["ca.pem", "ca.key", "bot_token", "operator_password"])
def test_what_was_spoilt_is_named_and_nothing_starts(stack_home: Path, spoilt: str) -> None:
    folder = exposure.bot_token(stack_home).parent
    ports = Ports.free()
    exposure.open_up(_made(stack_home), Expose(ELSEWHERE), None, ports, quiet())
    (folder / spoilt).write_text("short")
    with pytest.raises(OtelTradingError, match=str(folder / spoilt)):
        _up(stack_home, Expose(ELSEWHERE), ports=ports)
    assert (status(home=stack_home), _processes_of(stack_home)) == ([], [])


def _made(home: Path) -> Path:
    home.mkdir()
    return home
