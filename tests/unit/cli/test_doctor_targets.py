"""Whom `otel-trading doctor` asks when no stack was started here; the hops themselves are tested on real servers."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from otel_trading.cli import cli

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def closed() -> str:
    """A URL at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def _broken(*arguments: str) -> dict[str, str]:
    done = CliRunner().invoke(cli, ["doctor", "--json", *arguments])
    assert done.exit_code == 1, done.output
    (broken,) = [hop for hop in json.loads(done.stdout) if hop["state"] == "broken"]
    assert isinstance(broken, dict)
    return broken


def test_the_option_wins_over_the_environment(tmp_path: Path, closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")

    assert closed in _broken("--home", str(tmp_path), "--otlp", closed)["evidence"]


def test_the_environment_says_where_the_bot_sends(tmp_path: Path, closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", closed)

    assert closed in _broken("--home", str(tmp_path))["evidence"]


def test_a_malformed_endpoint_is_the_environments_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318")
    broken = _broken("--home", str(tmp_path))

    assert broken["name"] == "environment"
    assert "Allowed: a URL such as http://localhost:4318" in broken["evidence"]
    assert broken["fix"] == "otel-trading env shows every setting."
