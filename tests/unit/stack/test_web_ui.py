"""The web pages of Prometheus are welcome, never necessary."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from otel_trading.stack import Progress, build, web_ui
from otel_trading.stack.servers import PROMETHEUS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def prometheus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Prometheus of our own cache, with tools beside it that all fail."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    (tmp_path / "bin").mkdir()
    for name in ("node", "npx", "go"):
        tool = tmp_path / "bin" / name
        tool.write_text(f"#!/bin/sh\necho {name} is broken >&2; exit 1\n")
        tool.chmod(0o755)
    return build.cache() / PROMETHEUS.key / "prometheus"


def _heard() -> tuple[Progress, io.StringIO]:
    written = io.StringIO()
    return Progress(Console(file=written, width=400)), written


def test_a_failure_is_one_line_a_note_and_not_tried_again(prometheus: Path) -> None:
    progress, written = _heard()
    assert web_ui.pages(prometheus, progress) is None
    begun, told = written.getvalue().splitlines()
    assert begun.startswith("building the web pages")
    note = build.cache() / f"web-ui-{PROMETHEUS.version}.failed.txt"
    assert told == f"Prometheus runs without web pages: they could not be built. Remove {note} to try again."
    assert note.read_text() == "go is broken\n"
    assert web_ui.pages(prometheus, progress) is None
    assert len(written.getvalue().splitlines()) == 2
    assert not list(build.cache().glob(".building*"))


def test_without_node_nothing_is_said(prometheus: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    progress, written = _heard()
    assert web_ui.pages(prometheus, progress) is None
    assert written.getvalue() == ""


def test_a_prometheus_from_elsewhere_carries_its_pages_inside(tmp_path: Path) -> None:
    progress, written = _heard()
    assert web_ui.pages(tmp_path / "bin" / "prometheus", progress) is None
    assert written.getvalue() == ""


def test_pages_that_are_there_are_used(prometheus: Path) -> None:
    built = build.cache() / f"web-ui-{PROMETHEUS.version}"
    (built / "static").mkdir(parents=True)
    assert web_ui.pages(prometheus, _heard()[0]) == built
