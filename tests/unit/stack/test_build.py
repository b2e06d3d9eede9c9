"""Finding and building servers, with a `go` of our own where the real one would have to fail."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from otel_trading.errors import StackError
from otel_trading.stack import build
from otel_trading.stack.progress import Progress
from otel_trading.stack.servers import ALL, COLLECTOR

_BUILDS = """\
case "$1" in
build) while [ "$1" != -o ]; do shift; done; mkdir -p "$2"
  printf '#!/bin/sh\\necho otelcol version 0.161.0\\n' > "$2/otelcol"; chmod +x "$2/otelcol"
  echo built >> "$BUILDS" ;;
esac
"""

_HANGS = """\
case "$1" in
build) while [ "$1" != -o ]; do shift; done; mkdir -p "$2"; echo $$ > "$2/otelcol"; exec sleep 60 ;;
esac
"""


class _Silent(Progress):
    def say(self, line: str) -> None:
        del line


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a PATH with nothing but the system's tools."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("BUILDS", str(tmp_path / "builds"))
    (tmp_path / "bin").mkdir()
    return build.cache()


def _tool(tmp_path: Path, name: str, body: str) -> Path:
    tool = tmp_path / "bin" / name
    tool.write_text(f"#!/bin/sh\n{body}")
    tool.chmod(0o755)
    return tool


def _finished(cache: Path) -> list[str]:
    return [path.name for path in cache.iterdir() if path.is_dir() and not path.name.endswith("-overlay")]


def test_takes_the_right_version_from_path(tmp_path: Path) -> None:
    tool = _tool(tmp_path, "otelcol", "echo otelcol version 0.161.0")
    assert build.binaries(COLLECTOR, _Silent()) == {"otelcol": tool}


def test_builds_once_when_path_has_another_version(tmp_path: Path, cache: Path) -> None:
    _tool(tmp_path, "otelcol", "echo otelcol version 0.160.0")
    _tool(tmp_path, "go", _BUILDS)
    first = build.binaries(COLLECTOR, _Silent())
    assert first == {"otelcol": cache / COLLECTOR.key / "otelcol"}
    assert build.binaries(COLLECTOR, _Silent()) == first
    assert (tmp_path / "builds").read_text() == "built\n"
    assert _finished(cache) == [COLLECTOR.key]


def test_says_what_to_do_without_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(StackError, match=r"otelcol 0\.161\.0: not on PATH, and no `go`.*Install Go from go.dev/dl, or"):
        build.binaries(COLLECTOR, _Silent())


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        (
            "go: go.mod requires go >= 1.26.0 (running go 1.22.1; GOTOOLCHAIN=local)",
            r"too old .*running go 1\.22\.1.*Install",
        ),
        ("write /tmp/x.a: no space left on device", r"filled the disk .* Free about 2500 MiB, then try again"),
        ("dial tcp: lookup proxy: no such host", r"could not build collector 0\.161\.0: dial tcp.*Put that right"),
    ],
)
def test_a_failed_build_says_why_and_leaves_nothing(tmp_path: Path, cache: Path, says: str, sentence: str) -> None:
    _tool(tmp_path, "go", f"echo '{says}' >&2; exit 1\n")
    with pytest.raises(StackError, match=sentence):
        build.binaries(COLLECTOR, _Silent())
    assert _finished(cache) == []


def test_a_build_of_the_wrong_version_is_not_kept(tmp_path: Path, cache: Path) -> None:
    _tool(tmp_path, "go", _BUILDS.replace("0.161.0", "0.1.0"))
    with pytest.raises(StackError, match=r"does not say that it is 0\.161\.0"):
        build.binaries(COLLECTOR, _Silent())
    assert _finished(cache) == []


def test_a_disk_that_is_too_small_is_noticed_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _tool(tmp_path, "go", _BUILDS)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=5 * 1024 * 1024))
    with pytest.raises(StackError, match=r"needs about 2500 MiB .*; 5 MiB are free"):
        build.binaries(COLLECTOR, _Silent())
    assert not (tmp_path / "builds").exists()


def test_a_killed_build_leaves_nothing_that_counts(tmp_path: Path, cache: Path) -> None:
    _tool(tmp_path, "go", _HANGS)
    program = "from otel_trading.stack import build, servers, Progress; build.binaries(servers.COLLECTOR, Progress())"
    builder = subprocess.Popen(
        [sys.executable, "-c", program], stderr=subprocess.DEVNULL, cwd=Path(build.__file__).parents[2]
    )
    half = _wait_for(cache, ".building-collector-*/bin/otelcol")
    compiler = int(half.read_text())
    builder.kill()
    builder.wait(timeout=10)
    os.kill(compiler, signal.SIGKILL)
    assert build.cached(COLLECTOR) is None
    _tool(tmp_path, "go", _BUILDS)
    build.binaries(COLLECTOR, _Silent())
    assert _finished(cache) == [COLLECTOR.key]


def test_two_at_once_build_once(tmp_path: Path) -> None:
    _tool(tmp_path, "go", _BUILDS.replace("mkdir", "sleep 0.3; mkdir"))
    program = "from otel_trading.stack import build, servers, Progress; build.binaries(servers.COLLECTOR, Progress())"
    command = [sys.executable, "-c", program]
    both = [subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=Path(build.__file__).parents[2]) for _ in range(2)]
    assert [process.wait(timeout=30) for process in both] == [0, 0]
    assert (tmp_path / "builds").read_text() == "built\n"


def test_says_beforehand_how_long_it_takes(tmp_path: Path) -> None:
    _tool(tmp_path, "go", "exit 1\n")
    said: list[str] = []

    class _Heard(Progress):
        def say(self, line: str) -> None:
            said.append(line)

    with pytest.raises(StackError):
        build.all_binaries(_Heard())
    assert said[0].startswith("building servers (prometheus, alertmanager, collector), about ")
    assert said[0].endswith(" minutes, once")


def test_the_key_of_a_build_follows_its_pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {server.name: server.key for server in ALL}
    copy = tmp_path / "servers"
    shutil.copytree(COLLECTOR.folder.parent, copy)
    monkeypatch.setattr("otel_trading.stack.servers.SERVERS", copy)
    assert {server.name: server.key for server in ALL} == before
    (copy / "collector" / "go.sum").write_text("changed\n")
    assert COLLECTOR.key != before["collector"]


def _wait_for(folder: Path, pattern: str) -> Path:
    deadline = time.monotonic() + 20
    while not (found := [path for path in folder.glob(pattern) if path.read_text().endswith("\n")]):
        assert time.monotonic() < deadline, f"no {pattern} in {folder}"
        time.sleep(0.02)
    return found[0]
