"""Composes the Collector's configuration: the shipped one, and each Redis or PostgreSQL that the user names.

One is watched when `<home>/secrets/dependencies/NAME` holds its URL, or when the variable `STACK_DEPENDENCY_NAME_FILE`
names such a file (the variable wins). Passwords stand in files of their own, which the Collector reads.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import yaml

from otel_trading.errors import ConfigError
from otel_trading.stack import secret_files
from otel_trading.stack._files import shipped
from otel_trading.stack.dependency_urls import ALL, PREFIX, Dependency, Login

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_trading.stack.state import Kind

__all__ = ["Plan", "compose", "config_file", "current", "folder", "secrets_folder", "watched"]

_HEADER: Final = (
    "# Written by `otel-trading up`; the shipped files with their comments are in collector/ of the project.\n"
)


def folder(home: Path) -> Path:
    """Return where the secret files of this home are; the user's, never written by us."""
    return home / "secrets" / "dependencies"


def config_file(home: Path) -> Path:
    """Return the file that the Collector reads."""
    return home / "config" / "collector" / "config.yaml"


def secrets_folder(home: Path) -> Path:
    """Return the folder with the passwords that the Collector reads; written by us."""
    return home / "secrets" / "collector"


def watched(home: Path) -> dict[str, str]:
    """Return name and address of what this home's Collector was told to watch."""
    if not config_file(home).is_file():
        return {}
    receivers = yaml.safe_load(config_file(home).read_text())["receivers"]
    return {one.name: receivers[one.name]["endpoint"] for one in ALL if one.name in receivers}


@dataclass(frozen=True)
class Plan:
    """What the Collector shall run with: its configuration, and the passwords by what they are for."""

    text: str
    passwords: Mapping[str, str]

    def write(self, home: Path, kind: Kind) -> None:
        """Write all of it."""
        secret_files.write(secrets_folder(home), self.passwords, kind)
        folder(home).mkdir(mode=0o700, exist_ok=True)
        config_file(home).write_text(self.text)


def current(home: Path) -> Plan | None:
    """Return what this home's Collector was given last, or None when that is gone."""
    if not config_file(home).is_file():
        return None
    return Plan(config_file(home).read_text(), secret_files.read(secrets_folder(home)))


def compose(home: Path, *, kind: Kind, interval: str | None, environ: Mapping[str, str] | None = None) -> Plan:
    """Work out the Collector's configuration for one stack.

    Args:
        home: The stack's home.
        kind: A container reaches the machine's own servers by another name.
        interval: How often to look, such as `1s`, in place of the shipped 15 s.
        environ: The environment; that of this process when not given.

    Raises:
        ConfigError: A dependency was given something that cannot be used.
    """
    environ = os.environ if environ is None else environ
    _check_names(home, environ)
    text = shipped("collector/config.yaml").read_text()
    document: dict[str, Any] = yaml.safe_load(text)
    passwords: dict[str, str] = {}
    for one in ALL:
        login = _login(one, home, environ, kind)
        if login is not None:
            _merge(document, _fragment(one, login, interval))
            passwords[one.name] = _literal(login.password)
    if passwords:
        text = _HEADER + yaml.safe_dump(document, sort_keys=False, width=120)
    return Plan(text, passwords)


def _check_names(home: Path, environ: Mapping[str, str]) -> None:
    files, variables = {one.name for one in ALL}, {one.variable for one in ALL}
    for name in environ:
        if name.startswith(PREFIX) and name not in variables:
            raise ConfigError(secret_files.unknown(f"The variable {name}", name, variables, "names no dependency"))
    for path in folder(home).iterdir() if folder(home).is_dir() else ():
        if not path.name.startswith(".") and path.name not in files:
            raise ConfigError(secret_files.unknown(f"The file {path}", path.name, files, "names no dependency"))


def _login(one: Dependency, home: Path, environ: Mapping[str, str], kind: Kind) -> Login | None:
    path = folder(home) / one.name
    source = f"The file {path}"
    if named := environ.get(one.variable):
        path, source = Path(named).expanduser(), f"{one.variable}={named}"
    elif not path.exists():
        return None
    try:
        return one.login(secret_files.given(path, source, one.allowed), kind)
    except ValueError as error:
        # The text itself holds a password: only what is wrong with it is said.
        message = f"{source} {error}. Allowed: {one.allowed}. Correct it, or remove it to leave {one.name} unwatched."
        raise ConfigError(message) from None


def _fragment(one: Dependency, login: Login, interval: str | None) -> dict[str, Any]:
    fragment: dict[str, Any] = yaml.safe_load(shipped(f"collector/{one.name}.yaml").read_text())
    receiver = fragment["receivers"][one.name]
    receiver |= {"endpoint": _literal(login.endpoint), "username": _literal(login.username), "tls": login.tls}
    receiver["collection_interval"] = interval or receiver["collection_interval"]
    for attribute in fragment["processors"][f"resource/{one.name}"]["attributes"]:
        if attribute["key"] == "service.instance.id":
            attribute["value"] = _literal(login.endpoint)
    return fragment


def _literal(text: str) -> str:
    """Return a text in which the Collector looks for no variable, which it does in files of secrets too."""
    return text.replace("$", "$$")


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and key in into:
            _merge(into[key], cast("dict[str, Any]", value))
        else:
            into[key] = value
