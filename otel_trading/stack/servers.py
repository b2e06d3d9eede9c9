"""The servers we run natively: which versions, which binaries, how they are built. Compose pins the same versions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from otel_trading.stack._files import SERVERS

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ALERTMANAGER", "ALL", "COLLECTOR", "GATE", "PROMETHEUS", "Server"]


@dataclass(frozen=True)
class Server:
    """One server that is built from a pinned Go module.

    Attributes:
        name: Folder below `servers/`.
        version: What `--version` has to say.
        binaries: The server itself first, then its tool.
        target: What `go build` builds: the module's `tool` directives or its own main package.
        tags: Build tags.
        seconds: Cold build on two cores, for the estimate.
        disk_mib: Free space that a cold build needs, module and build caches included.
        stamp: The version is not in the module and has to be linked in.
        overlay: Files that the module's zip lacks (path in the module) -> ours (path in the folder).
    """

    name: str
    version: str
    binaries: tuple[str, ...]
    target: str
    tags: str
    seconds: int
    disk_mib: int
    stamp: bool = False
    module: str = ""
    overlay: tuple[tuple[str, str], ...] = ()

    @property
    def folder(self) -> Path:
        """Where the Go module is."""
        return SERVERS / self.name

    @property
    def key(self) -> str:
        """Name of the build in the cache: changes with any pinned version, and with this recipe."""
        recipe = (self.binaries, self.target, self.tags, self.ldflags, self.overlay)
        digest = hashlib.sha256(repr(recipe).encode())
        for file in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            digest.update(file.read_bytes())
        return f"{self.name}-{self.version}-{digest.hexdigest()[:12]}"

    @property
    def ldflags(self) -> str:
        """Linker flags: stripped, and stamped with the version where the module does not know it."""
        flags = "-s -w"
        if self.stamp:
            variables = {
                "Version": self.version,
                "Revision": f"v{self.version}",
                "BuildUser": "otel-trading",
                "BuildDate": "reproducible",
            }
            flags += "".join(
                f" -X github.com/prometheus/common/version.{name}={value}" for name, value in variables.items()
            )
        return flags


PROMETHEUS: Final = Server(
    name="prometheus",
    version="3.15.0",
    binaries=("prometheus", "promtool"),
    target="tool",
    tags="netgo,remove_all_sd",
    seconds=150,
    disk_mib=2600,
    stamp=True,
    module="github.com/prometheus/prometheus",
)

ALERTMANAGER: Final = Server(
    name="alertmanager",
    version="0.34.2",
    binaries=("alertmanager", "amtool"),
    target="tool",
    tags="netgo",
    seconds=60,
    disk_mib=1200,
    stamp=True,
    module="github.com/prometheus/alertmanager",
    # Its zip carries no web pages, but embeds them.
    overlay=(
        ("ui/app/dist/index.html.gz", "stub/index.html.gz"),
        ("ui/app/dist/index.html.br", "stub/index.html.br"),
    ),
)

COLLECTOR: Final = Server(
    name="collector",
    version="0.161.0",
    binaries=("otelcol",),
    target=".",
    tags="netgo,remove_all_sd",
    seconds=125,
    disk_mib=2500,
)

#: What stands before the others where `otel-trading up --expose` lets other machines in; a few lines of our own.
GATE: Final = Server(
    name="gate",
    version="1.0.0",
    binaries=("otel-trading-gate",),
    target=".",
    tags="netgo",
    seconds=20,
    disk_mib=200,
)

#: Those of every stack.
ALL: Final = (PROMETHEUS, ALERTMANAGER, COLLECTOR)
