"""The pinned Go modules: what they build is what the configuration and compose.yaml name."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from otel_trading.stack import build, loopback
from otel_trading.stack._files import SERVERS, shipped
from otel_trading.stack.servers import ALERTMANAGER, ALL, COLLECTOR, PROMETHEUS, Server

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("server", ALL, ids=lambda server: server.name)
def test_every_binary_says_its_version(servers: dict[str, Path], server: Server) -> None:
    for name in server.binaries:
        run = subprocess.run([servers[name], "--version"], capture_output=True, text=True, timeout=20, check=True)
        assert server.version in run.stdout


def test_the_pins_are_the_versions_that_the_binaries_are_stamped_with() -> None:
    pins = {server.name: (server.folder / "go.mod").read_text() for server in ALL}
    assert f"{ALERTMANAGER.module} v{ALERTMANAGER.version} " in pins["alertmanager"]
    # Prometheus 3.15.0 is published as module version 0.315.0.
    major, minor, patch = PROMETHEUS.version.split(".")
    assert f"{PROMETHEUS.module} v0.{int(major) * 100 + int(minor)}.{patch} " in pins["prometheus"]
    # What is replaced is said, with its reason, in the Collector's manifest alone.
    assert [name for name, text in pins.items() if "replace" in text] == ["collector"]
    assert re.findall(r"(?m)^replace (\S+) => (\S+)$", pins["collector"]) == re.findall(
        r"- (\S+) => (\S+)", shipped("collector/manifest.yaml").read_text()
    )


def test_the_collector_holds_what_its_manifest_lists(servers: dict[str, Path]) -> None:
    wanted = set(re.findall(r"gomod: (\S+ v\S+)", shipped("collector/manifest.yaml").read_text()))
    run = subprocess.run([servers["otelcol"], "components"], capture_output=True, text=True, timeout=20, check=True)
    found = set(re.findall(r"module: (\S+ v\S+)", run.stdout))
    assert wanted <= found


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_generated_module_is_that_of_the_manifest(tmp_path: Path) -> None:
    script = SERVERS / "regenerate.sh"
    subprocess.run([script, tmp_path], capture_output=True, timeout=500, check=True)
    fresh = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert fresh == {file.name: file.read_text() for file in COLLECTOR.folder.iterdir() if file.is_file()}


def test_the_shipped_configuration_is_clean(stack: Stack, servers: dict[str, Path]) -> None:
    folder = stack.home / "config"
    checks: tuple[list[str | Path], ...] = (
        [
            servers["promtool"],
            "check",
            "config",
            "--lint=all",
            "--lint-fatal",
            folder / "collector" / "prometheus.yaml",
        ],
        [servers["amtool"], "check-config", folder / "alerts" / "alertmanager.yaml"],
    )
    for check in checks:
        run = subprocess.run(check, capture_output=True, text=True, timeout=30, check=False)
        assert run.returncode == 0, run.stdout + run.stderr


def test_alertmanager_shows_our_page_in_place_of_the_one_it_lacks(stack: Stack, servers: dict[str, Path]) -> None:
    if servers["alertmanager"].parent.parent == build.cache():
        assert b"built from its Go module" in loopback.ask(f"{stack.urls['alertmanager']}/")


def test_prometheus_shows_its_web_pages_where_node_built_them(stack: Stack) -> None:
    pages = list(build.cache().glob("web-ui-*/static/mantine-ui/index.html"))
    if pages:
        assert b"<title>" in loopback.ask(f"{stack.urls['prometheus']}/query")
