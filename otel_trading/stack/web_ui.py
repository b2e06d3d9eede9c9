"""Builds the web pages of Prometheus, which its Go module lacks, where Node.js is there: graphs and the alerts page.

Best effort: without them the API, the rules and the alerts work all the same.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from otel_trading.stack import build
from otel_trading.stack.servers import PROMETHEUS

if TYPE_CHECKING:
    from otel_trading.stack.progress import Progress

__all__ = ["pages"]

_PNPM: Final = "pnpm@10"
_SECONDS: Final = 60
_TIMEOUT: Final = 300.0


def pages(prometheus: Path, progress: Progress) -> Path | None:
    """Return the folder from which Prometheus has to be started to show its pages, or None when it needs or has none.

    Tried once per version: a failure is one line here and a note in the cache, never an error.

    Args:
        prometheus: The binary; one that is not ours carries its pages inside.
        progress: Who is told.
    """
    if prometheus.parent.parent != build.cache():
        return None
    with build.locked(build.cache() / "web-ui.lock", progress):
        target = build.cache() / f"web-ui-{PROMETHEUS.version}"
        failure = target.with_name(f"{target.name}.failed.txt")
        if target.is_dir():
            return target
        if failure.exists() or not all(map(shutil.which, ("node", "npx", "go"))):
            return None
        try:
            with progress.step("building the web pages of Prometheus", _SECONDS):
                _build(target)
        except (OSError, subprocess.SubprocessError) as error:
            output = getattr(error, "stderr", None) or str(error)
            failure.write_text(output)
            progress.say(f"Prometheus runs without web pages: they could not be built. Remove {failure} to try again.")
            return None
        return target


def _build(target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".building-web-ui-", dir=build.cache()) as work:
        sources = Path(work) / "ui"
        # The module cache is read-only, and so would be a plain copy of it.
        shutil.copytree(_module_sources(), sources, copy_function=shutil.copyfile)
        for folder, _, _ in os.walk(sources):
            Path(folder).chmod(0o755)
        shims = _pnpm_on_path(Path(work))
        _run(["pnpm", "install", "--frozen-lockfile"], sources, shims)
        _run(["bash", "build_ui.sh", "--mantine-ui"], sources, shims)
        finished = Path(work) / "finished"
        finished.mkdir()
        (sources / "static").rename(finished / "static")
        finished.rename(target)


def _module_sources() -> Path:
    run = subprocess.run(
        ["go", "list", "-m", "-f", "{{.Dir}}", PROMETHEUS.module],  # noqa: S607  the user's Go, wherever it is
        cwd=PROMETHEUS.folder,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=True,
    )
    return Path(run.stdout.strip()) / "web" / "ui"


def _pnpm_on_path(work: Path) -> str:
    """Upstream's script calls a plain `pnpm`: give it one of the right major version without installing anything."""
    shim = work / "bin" / "pnpm"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec npx --yes {_PNPM} "$@"\n')
    shim.chmod(0o755)
    return f"{shim.parent}{os.pathsep}{os.environ['PATH']}"


def _run(command: list[str], cwd: Path, path: str) -> None:
    environment = {**os.environ, "PATH": path, "CI": "true"}
    subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=_TIMEOUT, check=True)
