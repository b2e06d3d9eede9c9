"""What we ask of `docker`, and that a refusal leaves nothing; the containers themselves are proved in tests/stack."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from dependency_support import named
from otel_trading import __version__, stack
from otel_trading.errors import StackError
from otel_trading.stack import Ports, Progress, config, dependencies, docker, renewal
from otel_trading.stack.state import State

if TYPE_CHECKING:
    from pathlib import Path


class _Silent(Progress):
    def say(self, line: str) -> None:
        del line


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `docker` that answers, notes what it is asked and refuses to start anything."""
    tool = tmp_path / "bin" / "docker"
    tool.parent.mkdir()
    noted = tmp_path / "calls"
    tool.write_text(
        f'#!/bin/sh\necho "$STACK_PROMETHEUS_PORT $*" >> {noted}\n'
        'case "$*" in *" up "*) echo "pull access denied" >&2; exit 1;; esac\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    return noted


def test_a_refusal_is_told_and_cleaned_up(calls: Path, tmp_path: Path) -> None:
    home, ports = tmp_path / "home", Ports.free()
    with pytest.raises(StackError, match=r"(?s)`docker compose up` failed\. .*--native\npull access denied"):
        stack.up(home=home, kind="auto", ports=ports, progress=_Silent())
    up, down = calls.read_text().splitlines()[-2:]
    compose = f"{ports.prometheus} compose --project-name otel-trading-"
    assert up.startswith(compose)
    assert down.startswith(compose)
    assert f"--file {home / 'config' / 'compose.yaml'} up --detach --wait" in up
    assert down.endswith(" down")
    assert stack.status(home=home) == []


def test_grafana_is_told_the_mail_server(calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "bin" / "docker"
    tool.write_text(tool.read_text().replace("$STACK_PROMETHEUS_PORT", "$GF_SMTP_HOST $GF_SMTP_PASSWORD"))
    monkeypatch.setenv("STACK_GRAFANA_ALERTS", "email")
    secret = tmp_path / "home" / "secrets" / "alerts" / "email_url"
    secret.parent.mkdir(mode=0o700, parents=True)
    secret.write_text("smtp://me:pass@mail.example?to=a@x.example")
    secret.chmod(0o600)
    with pytest.raises(StackError):
        stack.up(home=tmp_path / "home", kind="docker", ports=Ports.free(), progress=_Silent())
    (up,) = [line for line in calls.read_text().splitlines() if " up " in line]
    assert up.startswith("mail.example:587 $__file{/etc/otel-trading/secrets/grafana/email_password} compose")


def test_containers_can_read_their_files_and_strangers_no_password(calls: Path, tmp_path: Path) -> None:
    assert not calls.exists()
    before = os.umask(0o077)
    try:
        with pytest.raises(StackError):
            stack.up(home=tmp_path / "home", kind="docker", ports=Ports.free(), progress=_Silent())
    finally:
        os.umask(before)
    secret = tmp_path / "home" / "secrets" / "grafana_admin_password"
    assert secret.stat().st_mode & 0o777 == 0o644
    assert secret.parent.stat().st_mode & 0o777 == 0o700
    copies = [
        path
        for name in ("alertmanager", "collector", "grafana")
        for path in (tmp_path / "home" / "secrets" / name).rglob("*")
    ]
    assert copies
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in copies)
    rendered = [path for path in (tmp_path / "home" / "config").rglob("*") if path.is_file()]
    assert rendered
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in rendered)


def test_a_running_collector_is_told_of_a_dependency(calls: Path, tmp_path: Path) -> None:
    home, ports = tmp_path / "home", Ports.free()
    config.render(home, ports=ports, kind="docker")
    named(home, "redis", "redis://cache.example:6379")
    # No Alertmanager answers here: its channels stay as they are, and nothing is asked of it.
    renewal.renew(home, State("docker", ports, None, 1, docker._services(ports)), _Silent())
    (call,) = calls.read_text().splitlines()
    assert call.endswith(" kill --signal SIGHUP collector")
    assert dependencies.watched(home) == {"redis": "cache.example:6379"}
    assert (dependencies.secrets_folder(home) / "redis").stat().st_mode & 0o444 == 0o444


@pytest.mark.parametrize(("version", "anew"), [("0.0.1", True), (__version__, False)])
def test_containers_of_an_older_version_are_replaced(calls: Path, tmp_path: Path, version: str, *, anew: bool) -> None:
    services = docker._services(ports := Ports.free())
    tmp_path.joinpath("home").mkdir()
    State("docker", ports, services=services, version=version).save(tmp_path / "home")
    with pytest.raises(StackError):
        stack.up(home=tmp_path / "home", progress=_Silent())
    (up,) = [line for line in calls.read_text().splitlines() if " up " in line]
    assert ("--force-recreate" in up) is anew


def test_no_docker_is_no_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not docker.answers()
