"""What pods mount, from what compose.yaml mounts: a ConfigMap or Secret per folder, a claim where data is written.

A ConfigMap holds files and no folders, so that a folder below another becomes a ConfigMap, mounted there, of its own.
"""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from otel_trading.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Volumes", "claim"]

_KEY: Final = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_LONGEST_NAME: Final = 63
_LARGEST: Final = 1 << 20
_OWNER_AND_GROUP_READ: Final = 0o440
#: For people, who read it elsewhere.
_PAPER: Final = ".md"
#: This machine, as containers on it call it.
_HERE: Final = "host.docker.internal"


def claim(source: str) -> str:
    """Return the name of the claim in place of a named volume of compose.yaml."""
    return f"data-{source}"


class Volumes:
    """Volumes of the services of one home, and the objects that are behind them.

    Args:
        home: Rendered for containers.
        secrets: The section of that name in compose.yaml, read with `..` for the home.

    Attributes:
        objects: ConfigMaps and Secrets that were asked for, by name.
        claims: Names of the claims that were asked for.
    """

    def __init__(self, home: Path, secrets: Mapping[str, Any]) -> None:
        self._home = home
        self._secrets = secrets
        self._paths: dict[str, Path] = {}
        self.objects: dict[str, dict[str, Any]] = {}
        self.claims: dict[str, None] = {}

    def of(self, service: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Yield what stands in `volumes` of a pod and in `volumeMounts` of a container for one service.

        Raises:
            ConfigError: A file cannot be in a ConfigMap.
        """
        for text in service.get("volumes", ()):
            source, target, *mode = text.split(":")
            path = self._path(source)
            if path is None or path.is_relative_to(self._home / "data"):
                name = claim(source) if path is None else self._name(path)
                yield self._claim(name, target, read_only=mode == ["ro"])
            else:
                yield from self._files(path, PurePosixPath(target))
        for name in service.get("secrets", ()):
            file = self._path(self._secrets[name]["file"])
            yield from self._files(file or Path(), PurePosixPath("/run/secrets", name))
        for target in service.get("tmpfs", ()):
            name = target.strip("/").replace("/", "-")
            yield {"name": name, "emptyDir": {"medium": "Memory"}}, {"name": name, "mountPath": target}

    def _path(self, source: str) -> Path | None:
        return Path(os.path.normpath(self._home / "config" / source)) if source.startswith(".") else None

    def _name(self, path: Path) -> str:
        name = re.sub(r"[^a-z0-9]+", "-", str(path.relative_to(self._home)).lower()).strip("-")
        if self._paths.setdefault(name, path) != path or len(name) > _LONGEST_NAME:
            why = "too long for Kubernetes" if len(name) > _LONGEST_NAME else f"that of {self._paths[name]} as well"
            message = f"{path} would be the object {name}, a name that is {why}. Rename it."
            raise ConfigError(message)
        return name

    def _claim(self, name: str, target: str, *, read_only: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        self.claims[name] = None
        mount = {"name": name, "mountPath": target, **({"readOnly": True} if read_only else {})}
        return {"name": name, "persistentVolumeClaim": {"claimName": name}}, mount

    def _files(self, path: Path, target: PurePosixPath) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Yield the volumes of a file, alone in its folder, or of a folder and those below it, the upper ones first."""
        if path.is_file():
            yield self._volume(path, [path]), {"name": self._name(path), "mountPath": str(target.parent)}
            return
        for root, folders, names in os.walk(path):
            folders.sort()
            files = [Path(root, name) for name in sorted(names) if not name.endswith(_PAPER)]
            if files or not folders:
                place = target / Path(root).relative_to(path)
                yield self._volume(Path(root), files), {"name": self._name(Path(root)), "mountPath": str(place)}

    def _volume(self, path: Path, files: list[Path]) -> dict[str, Any]:
        name = self._name(path)
        kind = "Secret" if path.is_relative_to(self._home / "secrets") else "ConfigMap"
        if name not in self.objects:
            texts = {file.name: _text(file) for file in files}
            if sum(map(len, texts.values())) >= _LARGEST:
                message = f"{path} holds more than 1 MiB, the most that a {kind} takes. Divide it into folders."
                raise ConfigError(message)
            data = texts if kind == "ConfigMap" else {key: _encoded(text) for key, text in texts.items()}
            self.objects[name] = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "data": data}
        if kind == "ConfigMap":
            return {"name": name, "configMap": {"name": name}}
        return {"name": name, "secret": {"secretName": name, "defaultMode": _OWNER_AND_GROUP_READ}}


def _text(file: Path) -> str:
    if not _KEY.fullmatch(file.name):
        message = f"{file} has a name that no ConfigMap takes. Allowed: letters, digits and -._ . Rename or remove it."
        raise ConfigError(message)
    try:
        text = file.read_bytes().decode()
    except UnicodeDecodeError as error:
        message = f"{file} is not text, which everything here has to be. Write it anew as UTF-8, or remove it."
        raise ConfigError(message) from error
    if _HERE in text:
        message = (
            f"{file} names {_HERE}, this machine, to which no cluster has a way. Write the address under which the "
            "cluster reaches it (what the Collector watches: in secrets/dependencies)."
        )
        raise ConfigError(message)
    return text


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
