"""The stack as containers: `docker compose` with the shipped compose.yaml, where a daemon answers."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
from datetime import datetime, timezone
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from otel_trading.errors import StackError
from otel_trading.stack import config, grafana_alerts, health, own_rules, versions
from otel_trading.stack.ports import HOST
from otel_trading.stack.servers import ALERTMANAGER, COLLECTOR, PROMETHEUS
from otel_trading.stack.speedup import lookback
from otel_trading.stack.state import Service, State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from otel_trading.stack.ports import Ports
    from otel_trading.stack.progress import Progress

__all__ = ["answers", "down", "health_urls", "logs", "tell", "up", "variables"]

_QUESTION_TIMEOUT: Final = 10.0
#: Pulling five images over a slow line takes its time.
_UP_TIMEOUT: Final = 900.0
_UP_ESTIMATE: Final = 20.0
_DOWN_TIMEOUT: Final = 120.0
#: Seconds per service, once compose says that its containers are up.
_PATIENCE: Final = 30.0


def answers() -> bool:
    """Say whether a Docker daemon and the compose plugin answer."""
    if shutil.which("docker") is None:
        return False
    try:
        for question in (["version", "--format", "{{.Server.Version}}"], ["compose", "version"]):
            subprocess.run(["docker", *question], capture_output=True, timeout=_QUESTION_TIMEOUT, check=True)  # noqa: S607  the user's docker
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def up(
    home: Path,
    ports: Ports,
    interval: str | None,
    progress: Progress,
    *,
    speedup: float = 1,
    anew: bool = False,
) -> None:
    """Start the containers and wait until all of them are healthy.

    Args:
        home: The stack's home, mounted into the containers.
        ports: Loopback ports that they are published on.
        interval: See `config.render`.
        progress: Who is told.
        speedup: See `config.render`.
        anew: Replace containers that run already: another version has started them.

    Raises:
        StackError: Docker does not answer or refuses; no container of ours is left behind.
    """
    if not answers():
        message = (
            "Docker does not answer (`docker version` and `docker compose version` have to succeed). "
            "Start it, or run the servers natively: otel-trading up --native"
        )
        raise StackError(message)
    folder = config.render(home, ports=ports, kind="docker", interval=interval, speedup=speedup)
    own_rules.look(folder, progress, accepted=False)
    _let_containers_read(folder, config.password_file(home))
    state = State("docker", ports, interval, speedup, _services(ports))
    state.save(home)
    versions.note(home)
    try:
        with progress.step("starting the containers (the first time, Docker also pulls their images)", _UP_ESTIMATE):
            recreate = ["--force-recreate"] if anew else []
            wanted = ("--detach", *recreate, "--wait", "--wait-timeout", "120")
            mail = grafana_alerts.compose(home, "docker").variables
            _compose(home, state, "up", *wanted, timeout=_UP_TIMEOUT, more=mail)
        # From outside too: the Collector's image has nothing to check its health with, and its port is what matters.
        for service in state.services:
            _wait(service)
    except BaseException:
        # What went wrong first is what has to be told, even if the daemon is gone by now.
        with contextlib.suppress(StackError):
            down(home, state, volumes=False)
        state.remove(home)
        raise


def _wait(service: Service) -> None:
    if not health.wait(service.health, _PATIENCE):
        why = f"does not answer on {service.health} after {_PATIENCE:.0f} s"
        message = (
            f"The container of {service.name} {why}. Look for what holds that port, then try again: otel-trading up"
        )
        raise StackError(message)


def _let_containers_read(folder: Path, password: Path) -> None:
    """Containers run as users of their own; the password's folder still keeps the other users of this machine out."""
    for path in (password, folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))


def down(home: Path, state: State, *, volumes: bool) -> None:
    """Remove the containers, and with `volumes` what they stored."""
    _compose(home, state, "down", *(["--volumes"] if volumes else []), timeout=_DOWN_TIMEOUT)


def tell(home: Path, state: State, service: str, name: str) -> None:
    """Send a signal to the container of one service.

    Args:
        home: The stack's home.
        state: What runs.
        service: Its name in compose.yaml.
        name: Such as `SIGHUP`.

    Raises:
        StackError: Docker refuses.
    """
    _compose(home, state, "kill", "--signal", name, service, timeout=_DOWN_TIMEOUT)


def logs(home: Path, state: State, service: str, lines: int) -> str:
    """Return the last lines that the container of one service wrote.

    Raises:
        StackError: Docker refuses.
    """
    wanted = ("logs", "--no-color", "--no-log-prefix", "--tail", str(lines), service)
    said = _compose(home, state, *wanted, timeout=_QUESTION_TIMEOUT)
    return f"{said.stdout}{said.stderr}"  # a container has two outputs as well


def _compose(
    home: Path, state: State, *arguments: str, timeout: float, more: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    file = home / "config" / "compose.yaml"
    # One project per home, so that two stacks on one machine do not take each other's containers.
    project = f"otel-trading-{hashlib.sha256(str(home).encode()).hexdigest()[:8]}"
    command = ["docker", "compose", "--project-name", project, "--file", str(file), *arguments]
    environment = {**os.environ, **config.backend_variables(), **variables(home, state), **more}
    try:
        run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        look = f"docker compose --project-name {project} ps"
        message = f"`docker compose {arguments[0]}` did not end within {timeout:.0f} s. Look at: {look}"
        raise StackError(message) from error
    if run.returncode != 0:
        message = (
            f"`docker compose {arguments[0]}` failed. Put right what it says, or run the servers natively: "
            f"otel-trading up --native\n{run.stderr.strip()}"
        )
        raise StackError(message)
    return run


def variables(home: Path, state: State) -> dict[str, str]:
    """Return what `compose.yaml` wants to know about this home."""
    numbers = {f"STACK_{name.upper()}_PORT": str(port) for name, port in vars(state.ports).items()}
    # What the containers write into mounted folders shall belong to the user.
    return {
        "STACK_HOME": str(home),
        "STACK_UID": str(os.getuid()),
        "STACK_GID": str(os.getgid()),
        "STACK_RESEND_DELAY": config.resend_delay(state.interval),
        "STACK_LOOKBACK_DELTA": lookback(state.speedup),
        **numbers,
    }


def health_urls(ports: Ports) -> dict[str, str]:
    """Return where each service of compose.yaml is asked whether it is well.

    Args:
        ports: That they are published on.
    """
    return {service.name: service.health for service in _services(ports)}


def _services(ports: Ports) -> list[Service]:
    since = datetime.now(timezone.utc).isoformat(timespec="seconds")
    base = f"http://{HOST}"
    rows = (
        ("webhook", "of its image", ports.webhook, f":{ports.webhook}/-/healthy"),
        ("alertmanager", ALERTMANAGER.version, ports.alertmanager, f":{ports.alertmanager}/-/ready"),
        ("prometheus", PROMETHEUS.version, ports.prometheus, f":{ports.prometheus}/-/ready"),
        ("collector", COLLECTOR.version, ports.otlp_http, f":{ports.collector_health}/"),
        ("canary", "of its image", ports.canary, f":{ports.canary}/"),
        ("grafana", "of its image", ports.grafana, f":{ports.grafana}/api/health"),
    )
    return [Service(name, version, f"{base}:{port}", f"{base}{path}", since) for name, version, port, path in rows]
