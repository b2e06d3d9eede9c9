"""The stack: Collector, Prometheus, Alertmanager, Grafana and a receiver that keeps alerts in a file.

`up` starts it, in containers where Docker answers and natively elsewhere, `status` looks at it, `down` ends it.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import platformdirs

from otel_trading.errors import ConfigError, StackError
from otel_trading.stack import (
    build,
    config,
    dependencies,
    docker,
    expose_request,
    exposure,
    health,
    native,
    notifying,
    processes,
    renewal,
    versions,
)
from otel_trading.stack import settings as settings_of
from otel_trading.stack.expose_request import Expose
from otel_trading.stack.ports import HOST, Ports
from otel_trading.stack.progress import Progress
from otel_trading.stack.servers import GATE
from otel_trading.stack.state import Exposed, Kind, Service, State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "Expose",
    "Exposed",
    "Ports",
    "Progress",
    "ServiceStatus",
    "Stack",
    "default_home",
    "demo_home",
    "down",
    "find",
    "home_in_use",
    "status",
    "up",
]


def default_home() -> Path:
    """Return where the stack keeps configuration, data and logs unless told otherwise."""
    return platformdirs.user_data_path("otel-trading")


def demo_home() -> Path:
    """Return where the demo's stack lives: never in the home of a stack that watches real money."""
    return platformdirs.user_data_path("otel-trading-demo")


def home_in_use() -> Path:
    """Return the home of the stack that was started: the usual one, else the demo's, else the usual one."""
    started = (home for home in (default_home(), demo_home()) if State.load(home) is not None)
    return next(started, default_home())


@dataclass(frozen=True)
class Stack:
    """A stack that runs.

    Attributes:
        home: Its configuration (`config/`), data, logs.
        kind: Native processes or containers.
        ports: Where it listens on loopback.
        urls: Where a person or a program reaches each service.
        exposed: How other machines reach it, or None.
        started: True when this call started it, or a part of it.
    """

    home: Path
    kind: Kind
    ports: Ports
    urls: Mapping[str, str]
    exposed: Exposed | None = None
    started: bool = False

    @property
    def otlp_endpoint(self) -> str:
        """What belongs into OTEL_EXPORTER_OTLP_ENDPOINT (HTTP)."""
        return f"http://{HOST}:{self.ports.otlp_http}"

    @property
    def alerts_file(self) -> Path:
        """The file into which the default receiver writes alerts, one JSON object per line."""
        return config.alerts_file(self.home)

    @property
    def channels(self) -> list[str]:
        """Where alerts go besides the file, for instance `slack`."""
        return notifying.enabled(self.home)

    @property
    def dependencies(self) -> dict[str, str]:
        """What the Collector watches besides bots: name and address of a Redis or PostgreSQL."""
        return dependencies.watched(self.home)

    @property
    def bots(self) -> Path:
        """Folder for scrape targets, one YAML file per bot: `- targets: [127.0.0.1:9464]`."""
        return self.home / "config" / "bots"


@dataclass(frozen=True)
class ServiceStatus:
    """How one service is: `down` (no such process or no answer), `unhealthy` (runs, does not answer) or `healthy`.

    A note says what needs doing all the same. `settings` are those of `up`, as Prometheus itself says them; the others
    have none.
    """

    service: str
    state: Literal["healthy", "unhealthy", "down"]
    version: str
    url: str
    pid: int | None
    since: str
    note: str = ""
    settings: Mapping[str, str] = field(default_factory=dict[str, str])


def up(
    *,
    home: Path | None = None,
    kind: Literal["auto", "native", "docker"] = "auto",
    ports: Ports | None = None,
    evaluation_interval: str | None = None,
    speedup: float | None = None,
    expose: Expose | None = None,
    settings: Mapping[str, str | None] | None = None,
    progress: Progress | None = None,
) -> Stack:
    """Start the stack and wait until all of it is healthy; what runs already is left alone, unless it is older.

    An exposed stack stays so until `down`. Its certificate is renewed when it ends soon.

    Args:
        home: Folder for configuration, data and logs; `default_home()` when not given.
        kind: `auto` takes Docker where a daemon answers, else native servers.
        ports: Where to listen; those of the running stack, else the usual numbers.
        evaluation_interval: Prometheus duration, such as `1s`, in place of the shipped 15 s between scrape, rules and
            notification: for demos and tests.
        speedup: How many times faster durations in rules pass (`for: 1h` is a minute at 60), likewise; that of the
            running stack, else 1. Never where money is at stake: the rules are not the shipped ones then.
        expose: How to let other machines in, behind TLS and a secret; native servers only.
        settings: How long Prometheus keeps what, and how often it looks, by the names in `stack.settings`; what was
            said before still holds.
        progress: Who is told what happens; stderr when not given.

    Raises:
        ConfigError: Something that was given cannot be used.
        StackError: It cannot be started; says what to do. Nothing half is left.
    """
    home, progress = (home or default_home()).absolute(), progress or Progress()
    _refuse(State.load(home), kind, expose)
    _make(home)
    with build.locked(home / "up.lock", progress):
        before, held = State.load(home), settings_of.remembered(home)
        versions.check(home)
        chosen = settings_of.choose(home, settings or {})
        changed, outdated = chosen != held, before is not None and versions.is_outdated(before)
        _check_hurry(settings or {}, evaluation_interval or (before.interval if before else None))
        if before is not None:
            _check_same(before, kind, ports, speedup)
            kind, ports = before.kind, before.ports
        ports = ports or Ports()
        exposed = exposure.open_up(home, expose, before, ports, progress)
        if before is not None:
            if not changed and not outdated and _is_whole(before, exposed):
                renewal.renew(home, before, progress)
                return _stack(home, before)
            evaluation_interval, speedup = evaluation_interval or before.interval, before.speedup
        speedup = speedup or 1
        reload = renewal.later(home, before) if before else None
        with settings_of.remember(home, chosen):
            if kind == "docker" or (kind == "auto" and not exposed and docker.answers()):
                docker.up(home, ports, evaluation_interval, progress, speedup=speedup, anew=outdated)
            else:
                native.up(home, ports, evaluation_interval, progress, before, speedup=speedup, exposed=exposed)
            if reload is not None:
                reload()
        for line in settings_of.said(held, chosen):
            progress.say(line)
        return replace(find(home=home), started=True)


def find(*, home: Path | None = None) -> Stack:
    """Return the stack that was started in this home.

    Raises:
        StackError: None was.
    """
    home = (home or home_in_use()).absolute()
    state = State.load(home)
    if state is None:
        message = f"No stack was started in {home}. Start one: otel-trading up"
        raise StackError(message)
    return _stack(home, state)


def down(*, home: Path | None = None, volumes: bool = False) -> list[str]:
    """End the stack and return the names of the services that it had; an empty list when none ran.

    Args:
        home: Where it was started.
        volumes: Also delete what it stored: metrics, alerts, queues, Grafana's database.
    """
    home = (home or home_in_use()).absolute()
    if not home.exists():
        return []
    with build.locked(home / "up.lock", Progress()):
        state = State.load(home)
        if state is not None:
            if state.kind == "docker":
                docker.down(home, state, volumes=volumes)
            else:
                native.down(state)
            state.remove(home)
        if volumes:
            shutil.rmtree(home / "data", ignore_errors=True)
        return [service.name for service in state.services] if state else []


def status(*, home: Path | None = None) -> list[ServiceStatus]:
    """Look at every service of the stack; an empty list when none was started in this home."""
    home = (home or home_in_use()).absolute()
    state = State.load(home)
    return [_with_settings(_look(service, state.exposed), home) for service in state.services] if state else []


def _look(service: Service, exposed: Exposed | None = None) -> ServiceStatus:
    alive = service.pid is None or processes.is_alive(service.pid, service.birth)
    healthy = alive and health.is_well(service)
    # A container has no pid for us: one that does not answer is down.
    state: Literal["healthy", "unhealthy", "down"] = (
        "healthy" if healthy else "unhealthy" if alive and service.pid else "down"
    )
    note = exposure.warning(exposed) if exposed and service.name == GATE.name else ""
    return ServiceStatus(service.name, state, service.version, service.url, service.pid, service.since, note)


def _is_whole(state: State, exposed: Exposed | None) -> bool:
    """Say whether nothing is left to start."""
    gate = exposed is None or any(service.name == GATE.name for service in state.services)
    return gate and exposed == state.exposed and all(_look(one).state == "healthy" for one in state.services)


def _with_settings(one: ServiceStatus, home: Path) -> ServiceStatus:
    asked = one.service == "prometheus" and one.state == "healthy"
    return replace(one, settings=settings_of.in_force(one.url, home)) if asked else one


def _stack(home: Path, state: State) -> Stack:
    urls = {service.name: service.url for service in state.services}
    return Stack(home=home, kind=state.kind, ports=state.ports, urls=urls, exposed=state.exposed)


def _refuse(before: State | None, kind: str, expose: Expose | None) -> None:
    """Refuse to expose what cannot be, before anything is made."""
    if expose is None:
        return
    if "docker" in (kind, before.kind if before else None):
        message = (
            "Containers are published on loopback only; what lets other machines in stands before native servers: "
            "otel-trading up --native --expose"
        )
        raise StackError(message)
    expose_request.decide(expose, before.exposed if before else None)


def _check_hurry(asked: Mapping[str, str | None], interval: str | None) -> None:
    hidden = [one.option for one in settings_of.ALL if one.name in settings_of.INTERVALS and asked.get(one.name)]
    if interval is not None and hidden:
        message = (
            f"{' and '.join(hidden)} would change nothing: this stack looks every {interval} (--interval). "
            "Leave one of the two out; a stack that runs is ended by: otel-trading down"
        )
        raise ConfigError(message)


def _check_same(before: State, kind: str, ports: Ports | None, speedup: float | None) -> None:
    if kind not in ("auto", before.kind):
        message = (
            f"A {before.kind} stack was started in this home, {kind} was asked for. End it first: otel-trading down"
        )
        raise StackError(message)
    if ports not in (None, before.ports):
        message = f"A stack was started in this home on other ports ({before.ports}). End it first: otel-trading down"
        raise StackError(message)
    if speedup not in (None, before.speedup):
        message = (
            f"A stack whose rules run {before.speedup:g} times as fast was started in this home, {speedup:g} times was "
            "asked for. End it first: otel-trading down"
        )
        raise StackError(message)


def _make(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"Cannot make the stack's home {home}: {error}. Choose another: --home PATH"
        raise StackError(message) from error
