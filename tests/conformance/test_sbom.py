"""What the servers are made of, as the wheel says it: valid CycloneDX, not outdated, and nothing is linked besides."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Final

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from otel_trading.stack.build import binaries
from otel_trading.stack.progress import Progress
from otel_trading.stack.servers import ALL, GATE, Server

ROOT: Final = Path(__file__).parents[2]
FILE: Final = ROOT / "otel_trading/stack/servers/sbom.cdx.json"


def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(FILE.read_text())
    return document


def test_it_is_what_the_sources_give() -> None:
    run = subprocess.run(
        [sys.executable, ROOT / ".ci/audit/sbom.py"], capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout == FILE.read_text(), "python .ci/audit/sbom.py > otel_trading/stack/servers/sbom.cdx.json"


def test_it_is_valid() -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(FILE.read_text()) is None


def test_every_module_has_the_hash_that_go_checks() -> None:
    libraries = [one for one in _document()["components"] if one["type"] == "library"]
    assert len(libraries) > 300
    assert [one["name"] for one in libraries if "properties" not in one] == []


@pytest.mark.stack
@pytest.mark.parametrize("server", [*ALL, GATE], ids=lambda server: server.name)
def test_nothing_is_linked_that_it_lacks(servers: dict[str, Path], server: Server) -> None:
    assert servers
    document = _document()
    told = next(one["dependsOn"] for one in document["dependencies"] if one["ref"] == server.name)
    of = {one["bom-ref"]: (one["name"], one["version"]) for one in document["components"]}
    for binary in binaries(server, Progress()).values():
        text = subprocess.run(
            ["go", "version", "-m", "-json", binary], capture_output=True, text=True, timeout=60, check=True
        ).stdout
        linked = {(one["Path"], one["Version"]) for one in json.loads(text).get("Deps", []) if not one.get("Replace")}
        assert linked - {of[ref] for ref in told} == set(), binary


def test_the_wheel_carries_it_where_scanners_look(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=110)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        inside = [name for name in wheel.namelist() if name.endswith(".dist-info/sboms/sbom.cdx.json")]
        assert [wheel.read(name).decode() for name in inside] == [FILE.read_text()]
