"""Renders the shipped rooms into `<home>/config`, laid out as in the repository, and has the tools check them.

Native servers and containers read these same files. Only addresses differ between the two: targets and one URL.
Three folders belong to the user and are never touched: `bots/` (targets to scrape), `my-boards/` and `my-rules/`.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from otel_trading.errors import StackError
from otel_trading.stack import dependencies, grafana_alerts, notifying, settings
from otel_trading.stack._files import CANARY, WEBHOOK, shipped
from otel_trading.stack.ports import HOST
from otel_trading.stack.speedup import speed_up_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otel_trading.stack.ports import Ports
    from otel_trading.stack.state import Kind

__all__ = [
    "alerts_file",
    "backend_variables",
    "make_password",
    "password_file",
    "render",
    "resend_delay",
    "unwritable",
    "validate",
]

_ROOMS: Final = ("collector", "alerts", "dashboards/json", "dashboards/provisioning")
_FOR_THE_USER: Final = ("bots", "my-boards", "my-rules")
_CHECK_TIMEOUT: Final = 30.0
_HURRIED: Final = "5s"


def alerts_file(home: Path) -> Path:
    """Return the file into which the default receiver writes alerts, one JSON object per line."""
    return home / "data" / "alerts" / "alerts.jsonl"


def password_file(home: Path) -> Path:
    """Return the file with Grafana's admin password, made by the first `up`."""
    return home / "secrets" / "grafana_admin_password"


def resend_delay(interval: str | None) -> str:
    """Return how long Prometheus waits before it sends an alert again.

    What fires in its first seconds, before it has discovered Alertmanager, is delivered only then: a demo cannot wait
    for Prometheus' own minute, and production keeps it, because alerts count as resolved after four times this delay.
    """
    return "1m" if interval is None else _HURRIED


def backend_variables() -> dict[str, str]:
    """Return what sends traces and logs to the backend of `STACK_BACKEND_ENDPOINT`; empty when it names none."""
    if not os.environ.get("STACK_BACKEND_ENDPOINT"):
        return {}
    return {
        name: os.environ.get(name) or "otlp_http/backend" for name in ("STACK_TRACES_EXPORTER", "STACK_LOGS_EXPORTER")
    }


def render(home: Path, *, ports: Ports, kind: Kind, interval: str | None = None, speedup: float = 1) -> Path:
    """Write the configuration of one stack and return its folder.

    Args:
        home: The stack's home.
        ports: Where native servers listen.
        kind: Native servers get loopback addresses, containers their service names.
        interval: Prometheus duration, such as `1s`, in place of the shipped ones from scrape to notification.
        speedup: How many times faster durations in rules pass; for demos and tests, which cannot wait an hour.

    Raises:
        ConfigError: A channel for alerts or a dependency was given something that cannot be used.
        StackError: The home cannot be written.
    """
    folder = home / "config"
    routing = notifying.compose(home, ports=ports, kind=kind, interval=interval)
    watching = dependencies.compose(home, kind=kind, interval=interval)
    grafana = grafana_alerts.compose(home, kind)
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home) as new:
            _write_rooms(Path(new), ports, kind)
            settings.write(home, Path(new))
            if interval is not None:
                _hurry(Path(new), interval)
            if speedup != 1:
                speed_up_files(Path(new) / "alerts", speedup)
            (Path(new) / "alerts" / "alertmanager.yaml").write_text(routing.text)
            (Path(new) / "collector" / "config.yaml").write_text(watching.text)
            grafana.write(home, kind, Path(new) / "dashboards" / "provisioning")
            for room in _ROOMS:
                _put(Path(new) / room, folder / room)
        for name in _FOR_THE_USER:
            (folder / name).mkdir(exist_ok=True)
        for name in ("alerts", "prometheus", "alertmanager", "collector", "grafana"):
            (home / "data" / name).mkdir(parents=True, exist_ok=True)
        (home / "logs").mkdir(exist_ok=True)
        shutil.copyfile(shipped("compose.yaml"), folder / "compose.yaml")
        for script in (WEBHOOK, CANARY):
            shutil.copyfile(script, folder / script.name)
        _write_password(password_file(home))
        routing.write(home, kind)
        watching.write(home, kind)
    except OSError as error:
        raise unwritable(home, error) from error
    return folder


def _write_rooms(folder: Path, ports: Ports, kind: Kind) -> None:
    for room in _ROOMS:
        shutil.copytree(shipped(room), folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    _write_addresses(folder, ports, kind)


def _put(new: Path, old: Path) -> None:
    """Make a room like the new one, file by file; what is no longer shipped goes.

    A running Prometheus watches its folder of targets: if that vanished for a moment, it would forget Alertmanager,
    and no alert would arrive for five minutes.
    """
    old.mkdir(parents=True, exist_ok=True)
    for path in old.iterdir():
        if not (new / path.name).exists():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in new.iterdir():
        target = old / path.name
        if path.is_dir():
            _put(path, target)
        elif not target.is_file() or target.read_bytes() != path.read_bytes():
            path.replace(target)


def _write_addresses(folder: Path, ports: Ports, kind: Kind) -> None:
    if kind == "native":
        addresses = {
            "prometheus": ports.prometheus,
            "alertmanager": ports.alertmanager,
            "otel-collector": ports.collector_metrics,
        }
        for name, port in addresses.items():
            (folder / "collector" / "targets" / f"{name}.yaml").write_text(f"- targets: [{HOST}:{port}]\n")


def make_password(home: Path) -> None:
    """Make Grafana's admin password, once; never a default.

    Raises:
        StackError: The home cannot be written.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        _write_password(password_file(home))
    except OSError as error:
        raise unwritable(home, error) from error


def unwritable(home: Path, error: OSError) -> StackError:
    """Return what to raise when a home cannot be written.

    Args:
        home: The stack's home.
        error: Why.
    """
    message = (
        f"Cannot write the stack's home {home}: {error}. "
        "Make room or give it to this user, or choose another: --home PATH"
    )
    return StackError(message)


def _write_password(file: Path) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as new:
            new.write(secrets.token_urlsafe(18))


def _hurry(folder: Path, interval: str) -> None:
    """Replace every interval that stands between an event and the firing of its alert."""
    prometheus, alerts = folder / "collector" / "prometheus.yaml", folder / "alerts"
    for file in (prometheus, alerts / "thresholds.yaml", *(alerts / "rules").glob("*.yaml")):
        _replace_values(file, "(?:scrape_|evaluation_)?interval", interval)


def _replace_values(file: Path, key: str, value: str) -> None:
    file.write_text(re.sub(rf"(?m)^(\s*(?:- )?{key}:\s*)\S+", rf"\g<1>{value}", file.read_text()))


def validate(folder: Path, tools: Mapping[str, Path], environment: Mapping[str, str]) -> None:
    """Have the servers' own tools read the configuration before anything is started.

    Args:
        folder: What `render` returned.
        tools: Binaries by name.
        environment: What the Collector will see.

    Raises:
        StackError: One of them refuses; in its own words.
    """
    checks: Iterable[tuple[str, list[str]]] = (
        ("promtool", ["check", "config", str(folder / "collector" / "prometheus.yaml")]),
        ("amtool", ["check-config", str(folder / "alerts" / "alertmanager.yaml")]),
        ("otelcol", ["validate", "--config", str(folder / "collector" / "config.yaml")]),
    )
    for tool, arguments in checks:
        run = subprocess.run(
            [tools[tool], *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_CHECK_TIMEOUT,
            check=False,
        )
        if run.returncode != 0:
            words = (run.stderr.strip() or run.stdout.strip()).replace(f"{folder}/", "")
            message = f"The configuration in {folder} is refused by {tool}; nothing was started. It says:\n{words}"
            if "my-rules/" in words:
                message += (
                    f"\nThese rules are yours. Correct them and look again: otel-trading check {folder / 'my-rules'}"
                )
            raise StackError(message)
