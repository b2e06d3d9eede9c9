"""Composes Alertmanager's configuration: the shipped one, the channels that have a secret, the market hours chosen.

Secrets stand in files of their own, never in the configuration: those that Alertmanager reads are in
`<home>/secrets/alertmanager`, those that the user wrote in `<home>/secrets/alerts`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from otel_trading.stack import channel_files, channels, market_hours, secret_files
from otel_trading.stack._files import shipped
from otel_trading.stack.ports import HOST, Ports

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from otel_trading.stack.state import Kind

__all__ = ["Plan", "compose", "config_file", "current", "enabled", "hurried", "secrets_folder"]

_FOLDER: Final = "secrets/alertmanager"
_HEADER: Final = (
    "# Written by `otel-trading up`; the shipped file with its comments is alerts/alertmanager.yaml of the project.\n"
)
_HURRIED: Final = "5s"


def config_file(home: Path) -> Path:
    """Return the file that Alertmanager reads."""
    return home / "config" / "alerts" / "alertmanager.yaml"


def secrets_folder(home: Path) -> Path:
    """Return the folder with the secrets that Alertmanager reads; written by us."""
    return home / _FOLDER


def enabled(home: Path) -> list[str]:
    """Return the names of the channels that this home's Alertmanager was given, besides the file."""
    noted = secrets_folder(home) / "channels"
    return noted.read_text().split() if noted.is_file() else []


def hurried(text: str, interval: str) -> str:
    """Return Alertmanager's configuration with waits as short as `interval`, for demos and tests."""
    # The group's interval is also the time that a notification may take, so not as short as the others.
    for key, value in (("group_wait", interval), ("group_interval", _HURRIED)):
        text = re.sub(rf"(?m)^(\s*(?:- )?{key}:\s*)\S+", rf"\g<1>{value}", text)
    return text


@dataclass(frozen=True)
class Plan:
    """What Alertmanager shall run with: its configuration, and its secrets by path in their folder."""

    text: str
    secrets: Mapping[str, str]

    def is_in_force(self, home: Path) -> bool:
        """Say whether this home has it already."""
        return config_file(home).is_file() and current(home) == self

    def write(self, home: Path, kind: Kind) -> None:
        """Write all of it."""
        secret_files.write(secrets_folder(home), self.secrets, kind)
        channel_files.folder(home).mkdir(mode=0o700, exist_ok=True)
        config_file(home).parent.mkdir(parents=True, exist_ok=True)
        config_file(home).write_text(self.text)


def current(home: Path) -> Plan:
    """Return what this home's Alertmanager was given last."""
    return Plan(config_file(home).read_text(), secret_files.read(secrets_folder(home)))


def compose(
    home: Path, *, ports: Ports, kind: Kind, interval: str | None, environ: Mapping[str, str] | None = None
) -> Plan:
    """Work out Alertmanager's configuration for one stack.

    Args:
        home: The stack's home.
        ports: Where native servers listen.
        kind: Containers reach our receiver by its service name.
        interval: See `config.render`.
        environ: The environment; that of this process when not given.

    Raises:
        ConfigError: A channel was given something that cannot be used.
    """
    environ = os.environ if environ is None else environ
    channel_files.check_names(home, environ)
    address = f"{HOST}:{ports.webhook}" if kind == "native" else f"webhook:{Ports().webhook}"
    secrets = {"file_url": f"http://{address}/alerts"}
    text = shipped("alerts/alertmanager.yaml").read_text()
    document: dict[str, Any] = yaml.safe_load(text)
    before = yaml.safe_dump(document)
    used: list[str] = []
    for channel in (*channels.ALL, channels.WATCHDOG):
        for team in channels.TEAMS if channel.severities else ("all",):
            settings = channel_files.read(channel, home, environ, team)
            if settings is not None:
                _add(document, channel, settings, team)
                secrets |= {f"{team}/{name}": secret for name, secret in settings.secrets.items()}
                used.append(channel.name)
    secrets["channels"] = " ".join(dict.fromkeys(used))
    _keep_hours(document, home, environ)
    after = yaml.safe_dump(document)
    if after != before:
        text = _HEADER + yaml.safe_dump(document, sort_keys=False, width=120)
    return Plan(hurried(text, interval) if interval else text, secrets)


def _add(document: dict[str, Any], channel: channels.Channel, settings: channels.Settings, team: str) -> None:
    receivers = [f"{team}-{severity}" for severity in channel.severities] or [channel.name]
    (fragment,) = yaml.safe_load(shipped(f"alerts/channels/{channel.name}.yaml").read_text())["receivers"]
    ((key, (one,)),) = [(key, value) for key, value in fragment.items() if key != "name"]
    one |= settings.options
    one = {name: f"{_FOLDER}/{team}/{value}" if name.endswith("_file") else value for name, value in one.items()}
    for receiver in document["receivers"]:
        if receiver["name"] in receivers:
            # A list of its own: the shipped file lets several receivers share one.
            receiver[key] = [*receiver.get(key, []), one]


def _keep_hours(document: dict[str, Any], home: Path, environ: Mapping[str, str]) -> None:
    chosen = channel_files.read_hours(home, environ, [*market_hours.CALENDARS, market_hours.ALWAYS])
    if not chosen:
        return
    shipped_hours = yaml.safe_load(shipped("alerts/market_hours.yaml").read_text())["time_intervals"]
    document["time_intervals"] = [one for one in shipped_hours if one["name"] in chosen]
    for route in document["route"]["routes"]:
        if route.get("matchers") == ['severity = "warning"']:
            for one in (route, *route["routes"]):
                one["active_time_intervals"] = list(chosen)
