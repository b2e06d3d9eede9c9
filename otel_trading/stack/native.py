"""The stack as native processes on loopback."""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Final

from otel_trading import __version__
from otel_trading.errors import StackError
from otel_trading.stack import build, config, health, processes, web_ui
from otel_trading.stack.ports import HOST
from otel_trading.stack.servers import ALERTMANAGER, COLLECTOR, PROMETHEUS
from otel_trading.stack.state import Service, State

if TYPE_CHECKING:
    from otel_trading.stack.ports import Ports
    from otel_trading.stack.progress import Progress

__all__ = ["collector_environment", "down", "up"]

_PATIENCE: Final = 60.0
_POLL: Final = 0.03
_LAST_LINES: Final = 5


@dataclass(frozen=True)
class _Launch:
    """How one server is started."""

    name: str
    version: str
    command: list[str]
    url: str
    health: str
    ports: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict[str, str])
    cwd: Path | None = None


def up(home: Path, ports: Ports, interval: str | None, progress: Progress, before: State | None) -> None:
    """Start what does not run yet and wait until all of it is healthy.

    Args:
        home: The stack's home.
        ports: Where the servers listen.
        interval: See `config.render`.
        progress: Who is told.
        before: What ran already.

    Raises:
        StackError: A server, a port or a file is not as it has to be; nothing that this call started is left behind.
    """
    tools = build.all_binaries(progress)
    folder = config.render(home, ports=ports, kind="native", interval=interval)
    collector = collector_environment(home, ports)
    config.validate(folder, tools, collector)
    pages = web_ui.pages(tools["prometheus"], progress)
    launches = [
        _webhook(home, ports),
        _alertmanager(home, ports, tools),
        _prometheus(home, ports, tools, interval, pages),
        _collector(home, ports, tools, collector),
    ]
    grafana = _grafana(home, ports)
    if grafana is None:
        progress.say(f"Grafana is left out: no `grafana` on PATH. Its boards are in {folder / 'dashboards' / 'json'}.")
    else:
        launches.append(grafana)
    _start(home, launches, ports, interval, before)


def down(state: State) -> None:
    """End all processes of this state, last started first."""
    processes.stop([(service.pid, service.birth) for service in reversed(state.services)])


def _start(home: Path, launches: list[_Launch], ports: Ports, interval: str | None, before: State | None) -> None:
    running = (
        [service for service in before.services if processes.is_alive(service.pid, service.birth)] if before else []
    )
    state = State("native", ports, interval, list(running))
    names = {service.name for service in running}
    missing = [launch for launch in launches if launch.name not in names]
    for launch in missing:
        ports.check(launch.ports)
    try:
        for launch in missing:
            with processes.uninterrupted():
                state.services.append(_launch(home, launch))
                state.save(home)
        _wait(home, state.services)
    except BaseException:
        with processes.uninterrupted():
            _undo(home, state, running)
        raise


def _undo(home: Path, state: State, running: list[Service]) -> None:
    """End what was started in vain; what ran before goes on."""
    started = [service for service in state.services if service not in running]
    processes.stop([(service.pid, service.birth) for service in started])
    state.services = running
    if running:
        state.save(home)
    else:
        state.remove(home)


def _launch(home: Path, launch: _Launch) -> Service:
    pid, born = processes.start(
        launch.command,
        log=_log(home, launch.name),
        cwd=launch.cwd or home,
        environment={**os.environ, **launch.environment},
    )
    since = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return Service(launch.name, launch.version, launch.url, launch.health, since, pid, born)


def _wait(home: Path, services: list[Service]) -> None:
    deadline = time.monotonic() + _PATIENCE
    waiting = services
    while waiting:
        for service in waiting:
            if not processes.is_alive(service.pid, service.birth):
                raise _failed(home, service, "ended right after its start")
        waiting = [service for service in waiting if not health.answers(service.health)]
        if waiting and time.monotonic() > deadline:
            raise _failed(home, waiting[0], f"is not healthy after {_PATIENCE:.0f} s")
        time.sleep(_POLL if waiting else 0)


def _log(home: Path, name: str) -> Path:
    return home / "logs" / f"{name}.log"


def _failed(home: Path, service: Service, what: str) -> StackError:
    log = _log(home, service.name)
    last = "\n".join(log.read_text(errors="replace").splitlines()[-_LAST_LINES:])
    return StackError(f"{service.name} {what}. Put right what the end of {log} says, then try again:\n{last}")


def collector_environment(home: Path, ports: Ports) -> dict[str, str]:
    """Return the variables that `collector/config.yaml` reads, on top of this process's own."""
    variables = {
        "STACK_LISTEN_HOST": HOST,
        "STACK_DATA": str(home / "data" / "collector"),
        "STACK_OTLP_GRPC_PORT": str(ports.otlp_grpc),
        "STACK_OTLP_HTTP_PORT": str(ports.otlp_http),
        "STACK_COLLECTOR_HEALTH_PORT": str(ports.collector_health),
        "STACK_COLLECTOR_METRICS_PORT": str(ports.collector_metrics),
        "STACK_PROMETHEUS_URL": f"http://{HOST}:{ports.prometheus}",
    }
    return {**os.environ, **config.backend_variables(), **variables}


def _webhook(home: Path, ports: Ports) -> _Launch:
    url = f"http://{HOST}:{ports.webhook}"
    script, file = home / "config" / "webhook.py", config.alerts_file(home)
    command = [sys.executable, str(script), "--listen", f"{HOST}:{ports.webhook}", "--file", str(file)]
    return _Launch("webhook", __version__, command, url, f"{url}/-/healthy", ("webhook",))


def _alertmanager(home: Path, ports: Ports, tools: dict[str, Path]) -> _Launch:
    url = f"http://{HOST}:{ports.alertmanager}"
    command = [
        str(tools["alertmanager"]),
        f"--config.file={home / 'config' / 'alerts' / 'alertmanager.yaml'}",
        f"--storage.path={home / 'data' / 'alertmanager'}",
        f"--web.listen-address={HOST}:{ports.alertmanager}",
        f"--web.external-url={url}",
        "--cluster.listen-address=",
    ]
    # It takes `url_file` from where it runs, not from where its file is.
    cwd = home / "config" / "alerts"
    return _Launch("alertmanager", ALERTMANAGER.version, command, url, f"{url}/-/ready", ("alertmanager",), cwd=cwd)


def _prometheus(home: Path, ports: Ports, tools: dict[str, Path], interval: str | None, pages: Path | None) -> _Launch:
    url = f"http://{HOST}:{ports.prometheus}"
    command = [
        str(tools["prometheus"]),
        f"--config.file={home / 'config' / 'collector' / 'prometheus.yaml'}",
        f"--storage.tsdb.path={home / 'data' / 'prometheus'}",
        f"--web.listen-address={HOST}:{ports.prometheus}",
        f"--web.external-url={url}",
        f"--rules.alert.resend-delay={config.resend_delay(interval)}",
        "--web.enable-otlp-receiver",
        "--web.enable-lifecycle",
        "--enable-feature=exemplar-storage,created-timestamp-zero-ingestion",
    ]
    return _Launch("prometheus", PROMETHEUS.version, command, url, f"{url}/-/ready", ("prometheus",), cwd=pages)


def _collector(home: Path, ports: Ports, tools: dict[str, Path], environment: dict[str, str]) -> _Launch:
    return _Launch(
        name="collector",
        version=COLLECTOR.version,
        command=[str(tools["otelcol"]), "--config", str(home / "config" / "collector" / "config.yaml")],
        url=f"http://{HOST}:{ports.otlp_http}",
        health=f"http://{HOST}:{ports.collector_health}/",
        ports=("otlp_grpc", "otlp_http", "collector_metrics", "collector_health"),
        environment=environment,
    )


def _grafana(home: Path, ports: Ports) -> _Launch | None:
    binary = shutil.which("grafana")
    if binary is None:
        return None
    # A tarball has its pages beside the binary, a system package under /usr/share.
    places = (Path(binary).resolve().parents[1], Path("/usr/share/grafana"))
    homepath = next((place for place in places if (place / "conf" / "defaults.ini").exists()), None)
    if homepath is None:
        return None
    url = f"http://{HOST}:{ports.grafana}"
    dashboards = home / "config" / "dashboards"
    command = [
        binary,
        "server",
        "--homepath",
        str(homepath),
        "--config",
        str(dashboards / "provisioning" / "grafana.ini"),
    ]
    environment = {
        "GF_PATHS_DATA": str(home / "data" / "grafana"),
        "GF_PATHS_LOGS": str(home / "logs"),
        "GF_PATHS_PROVISIONING": str(dashboards / "provisioning"),
        "GF_SERVER_HTTP_ADDR": HOST,
        "GF_SERVER_HTTP_PORT": str(ports.grafana),
        "GF_SECURITY_ADMIN_PASSWORD": f"$__file{{{config.password_file(home)}}}",
        "STACK_PROMETHEUS_URL": f"http://{HOST}:{ports.prometheus}",
        "STACK_DASHBOARDS": str(dashboards / "json"),
    }
    return _Launch("grafana", "of PATH", command, url, f"{url}/api/health", ("grafana",), environment)
