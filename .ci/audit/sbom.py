"""Writes what the servers are made of: `python .ci/audit/sbom.py > otel_trading/stack/servers/sbom.cdx.json`.

CycloneDX JSON, one component for each Go module that a server's go.mod pins, with the hash by which go.sum knows it. On
one platform fewer of them are linked; none is linked that does not stand here. The wheel carries it (PEP 770).
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any, Final
from urllib.parse import quote

from otel_trading.stack.servers import ALL, GATE, Server

_PINNED: Final = re.compile(r"^(?:require |\t)(\S+) (v\S+)", re.MULTILINE)
_REPLACED: Final = re.compile(r"^replace (\S+)", re.MULTILINE)


def sbom() -> dict[str, Any]:
    """Return the whole document; the same sources give the same document."""
    servers = (*ALL, GATE)
    modules = {server.name: _modules(server) for server in servers}
    hashes = {key: value for server in servers for key, value in _hashes(server).items()}
    every = sorted({module for pinned in modules.values() for module in pinned})
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "servers of otel-trading", "bom-ref": "servers"}},
        "components": [*map(_server, servers), *(_module(path, version, hashes) for path, version in every)],
        "dependencies": [
            {"ref": "servers", "dependsOn": [server.name for server in servers]},
            *({"ref": name, "dependsOn": [_purl(*one) for one in pinned]} for name, pinned in modules.items()),
        ],
    }


def _modules(server: Server) -> list[tuple[str, str]]:
    text = (server.folder / "go.mod").read_text("utf-8")
    ours = set(_REPLACED.findall(text))
    return sorted({(path, version) for path, version in _PINNED.findall(text) if path not in ours})


def _hashes(server: Server) -> dict[tuple[str, str], str]:
    file = server.folder / "go.sum"
    lines = [line.split() for line in file.read_text("utf-8").splitlines()] if file.exists() else []
    return {(path, version): digest for path, version, digest in lines}


def _server(server: Server) -> dict[str, Any]:
    return {"type": "application", "bom-ref": server.name, "name": server.name, "version": server.version}


def _module(path: str, version: str, hashes: dict[tuple[str, str], str]) -> dict[str, Any]:
    purl = _purl(path, version)
    component = {"type": "library", "bom-ref": purl, "name": path, "version": version, "purl": purl}
    # Go's own hash over all files of a module: CycloneDX has no name for that algorithm.
    digest = hashes.get((path, version))
    return component | ({"properties": [{"name": "go:sum", "value": digest}]} if digest else {})


def _purl(path: str, version: str) -> str:
    return f"pkg:golang/{path}@{quote(version)}"


if __name__ == "__main__":
    json.dump(sbom(), sys.stdout, indent=1)
    sys.stdout.write("\n")
