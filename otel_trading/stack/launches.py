"""How each server of the native stack is started: command, folder, variables, and where it answers."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from otel_trading import __version__
from otel_trading._secrets import is_named
from otel_trading.stack import config, dependencies, grafana_alerts
from otel_trading.stack.ports import HOST
from otel_trading.stack.servers import ALERTMANAGER, COLLECTOR, PROMETHEUS
from otel_trading.stack.speedup import lookback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_trading.stack.ports import Ports

__all__ = ["SECONDS_UNTIL_KEPT", "Launch", "collector_environment", "inherited", "plan"]

_MEANT: Final = ("GF_", "STACK_")

#: How often Alertmanager writes silences and what it told to its disk: by default 15 minutes, which a kill would cost.
SECONDS_UNTIL_KEPT: Final = 5


@dataclass(frozen=True)
class Launch:
    """How one server is started."""

    name: str
    version: str
    command: list[str]
    url: str
    health: str
    ports: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict[str, str])
    cwd: Path | None = None
    host: str = HOST
    certificate: str = ""

    @property
    def digest(self) -> str:
        """What tells another way of starting it, of another version for instance, from this one."""
        return hashlib.sha256(repr((self.version, self.command)).encode()).hexdigest()[:12]


def plan(
    home: Path,
    ports: Ports,
    tools: Mapping[str, Path],
    interval: str | None,
    pages: Path | None,
    *,
    speedup: float = 1,
) -> list[Launch]:
    """Return what has to be started, in this order; Grafana only where there is one.

    Args:
        home: The stack's home, with its configuration rendered.
        ports: Where the servers listen.
        tools: Binaries by name.
        interval: See `config.render`.
        pages: Folder with the web pages of Prometheus, or None.
        speedup: See `config.render`.
    """
    grafana = _grafana(home, ports)
    return [
        _webhook(home, ports),
        _alertmanager(home, ports, tools),
        _prometheus(home, ports, tools, (config.resend_delay(interval), lookback(speedup)), pages),
        _collector(home, ports, tools),
        _canary(home, ports, interval),
        *([grafana] if grafana else []),
    ]


def collector_environment(home: Path, ports: Ports) -> dict[str, str]:
    """Return the variables that `collector/config.yaml` reads, on top of this process's own."""
    variables = {
        "STACK_LISTEN_HOST": HOST,
        "STACK_DATA": str(home / "data" / "collector"),
        "STACK_SECRETS": str(dependencies.secrets_folder(home)),
        "STACK_OTLP_GRPC_PORT": str(ports.otlp_grpc),
        "STACK_OTLP_HTTP_PORT": str(ports.otlp_http),
        "STACK_COLLECTOR_HEALTH_PORT": str(ports.collector_health),
        "STACK_COLLECTOR_METRICS_PORT": str(ports.collector_metrics),
        "STACK_PROMETHEUS_URL": f"http://{HOST}:{ports.prometheus}",
    }
    return {**inherited(), **config.backend_variables(), **variables}


def inherited() -> dict[str, str]:
    """Return what a server takes from the shell: no secret of a bot, since others may list a process's environment.

    What is meant for Grafana or the stack says so by its name.
    """
    return {name: value for name, value in os.environ.items() if name.startswith(_MEANT) or not is_named(name)}


def _webhook(home: Path, ports: Ports) -> Launch:
    url = f"http://{HOST}:{ports.webhook}"
    script, file = home / "config" / "webhook.py", config.alerts_file(home)
    command = [sys.executable, str(script), "--listen", f"{HOST}:{ports.webhook}", "--file", str(file)]
    return Launch("webhook", __version__, command, url, f"{url}/-/healthy", ("webhook",))


def _alertmanager(home: Path, ports: Ports, tools: Mapping[str, Path]) -> Launch:
    url = f"http://{HOST}:{ports.alertmanager}"
    command = [
        str(tools["alertmanager"]),
        f"--config.file={home / 'config' / 'alerts' / 'alertmanager.yaml'}",
        f"--storage.path={home / 'data' / 'alertmanager'}",
        f"--web.listen-address={HOST}:{ports.alertmanager}",
        f"--web.external-url={url}",
        "--cluster.listen-address=",
        f"--data.maintenance-interval={SECONDS_UNTIL_KEPT}s",
    ]
    # It takes secrets from where it runs, not from where its file is.
    return Launch("alertmanager", ALERTMANAGER.version, command, url, f"{url}/-/ready", ("alertmanager",), cwd=home)


def _prometheus(
    home: Path, ports: Ports, tools: Mapping[str, Path], delays: tuple[str, str], pages: Path | None
) -> Launch:
    url = f"http://{HOST}:{ports.prometheus}"
    command = [
        str(tools["prometheus"]),
        f"--config.file={home / 'config' / 'collector' / 'prometheus.yaml'}",
        f"--storage.tsdb.path={home / 'data' / 'prometheus'}",
        f"--web.listen-address={HOST}:{ports.prometheus}",
        f"--web.external-url={url}",
        f"--rules.alert.resend-delay={delays[0]}",
        f"--query.lookback-delta={delays[1]}",
        "--web.enable-otlp-receiver",
        "--web.enable-lifecycle",
        "--enable-feature=exemplar-storage,created-timestamp-zero-ingestion",
    ]
    return Launch("prometheus", PROMETHEUS.version, command, url, f"{url}/-/ready", ("prometheus",), cwd=pages)


def _collector(home: Path, ports: Ports, tools: Mapping[str, Path]) -> Launch:
    return Launch(
        name="collector",
        version=COLLECTOR.version,
        command=[str(tools["otelcol"]), "--config", str(home / "config" / "collector" / "config.yaml")],
        url=f"http://{HOST}:{ports.otlp_http}",
        health=f"http://{HOST}:{ports.collector_health}/",
        ports=("otlp_grpc", "otlp_http", "collector_metrics", "collector_health"),
        environment=collector_environment(home, ports),
    )


def _canary(home: Path, ports: Ports, interval: str | None) -> Launch:
    url, address = f"http://{HOST}:{ports.canary}", f"{HOST}:{ports.canary}"
    collector = f"http://{HOST}:{ports.otlp_http}"
    command = [sys.executable, str(home / "config" / "canary.py"), "--listen", address, "--send", collector]
    command += ["--disk", str(home / "data"), "--home", str(home), "--every", "15" if interval is None else "1"]
    return Launch("canary", __version__, command, url, f"{url}/", ("canary",))


def _grafana(home: Path, ports: Ports) -> Launch | None:
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
        "STACK_MY_BOARDS": str(home / "config" / "my-boards"),
        **grafana_alerts.compose(home, "native").variables,
    }
    return Launch("grafana", "of PATH", command, url, f"{url}/api/health", ("grafana",), environment)
