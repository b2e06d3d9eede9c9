"""Finds a server's binaries, or builds them: on PATH in the right version, else in the user's cache, else with `go`."""

from __future__ import annotations

import fcntl
import json
import math
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from otel_trading.errors import StackError
from otel_trading.stack.servers import ALL

if TYPE_CHECKING:
    from collections.abc import Generator

    from otel_trading.stack.progress import Progress
    from otel_trading.stack.servers import Server

__all__ = ["all_binaries", "binaries", "cache", "cached", "found", "has_go", "locked"]

_MIB: Final = 1024 * 1024
_BUILD_TIMEOUT: Final = 1800.0
_OTHER_WAYS: Final = "put {names} {version} on PATH, or use a machine with Docker: otel-trading up --docker"


def cache() -> Path:
    """Return the folder that holds what we built; safe to delete, it is built again."""
    return platformdirs.user_cache_path("otel-trading") / "servers"


def has_go() -> bool:
    """Say whether a Go tool chain is on PATH."""
    return shutil.which("go") is not None


def binaries(server: Server, progress: Progress) -> dict[str, Path]:
    """Return the paths of a server's binaries by name; builds them when they are nowhere to be found.

    Args:
        server: Which one.
        progress: Who is told about a build.

    Raises:
        StackError: Not to be found, and cannot be built here; says what to do.
    """
    have = _on_path(server) or cached(server)
    if have:
        return have
    with locked(cache() / f"{server.name}.lock", progress):
        # Somebody else may have built it while we waited for the lock.
        return cached(server) or _build(server, progress)


def all_binaries(progress: Progress) -> dict[str, Path]:
    """Return the paths of all binaries by name; says beforehand how long the missing ones will take.

    Args:
        progress: Who is told.

    Raises:
        StackError: As `binaries`.
    """
    missing = [server for server in ALL if not (_on_path(server) or cached(server))]
    if missing:
        minutes = math.ceil(sum(server.seconds for server in missing) / 60)
        names = ", ".join(server.name for server in missing)
        progress.say(f"building servers ({names}), about {minutes} minutes, once")
    return {name: path for server in ALL for name, path in binaries(server, progress).items()}


def cached(server: Server) -> dict[str, Path] | None:
    """Return the binaries from the cache, or None."""
    folder = cache() / server.key
    return {name: folder / name for name in server.binaries} if folder.is_dir() else None


def found(name: str) -> Path | None:
    """Return the path of one binary in its pinned version, or None when it has to be built first."""
    server = next(server for server in ALL if name in server.binaries)
    have = _on_path(server) or cached(server)
    return have[name] if have else None


@contextmanager
def locked(path: Path, progress: Progress) -> Generator[None]:
    """Hold a file lock; a process that ends, however it ends, gives it back.

    Args:
        path: The file.
        progress: Who is told when somebody else holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say(f"another otel-trading is at work (it holds {path}): waiting until it has finished ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _on_path(server: Server) -> dict[str, Path] | None:
    found: dict[str, Path] = {}
    for name in server.binaries:
        path = shutil.which(name)
        if path is None or not _is_version(Path(path), server.version):
            return None
        found[name] = Path(path)
    return found


def _is_version(binary: Path, version: str) -> bool:
    try:
        run = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return run.returncode == 0 and version in (run.stdout + run.stderr).replace(",", " ").split()


def _build(server: Server, progress: Progress) -> dict[str, Path]:
    _check_go(server)
    _check_disk(server)
    target = cache() / server.key
    # On the target's file system, so that the finished folder appears in one step: a killed build leaves nothing half.
    prefix = f".building-{server.name}-"
    for left_by_a_killed_build in cache().glob(f"{prefix}*"):
        shutil.rmtree(left_by_a_killed_build)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=cache()) as work:
        out = Path(work) / "bin"
        with progress.step(f"building {server.name} {server.version} from its Go module", server.seconds):
            _go(server, *_build_arguments(server), "-o", f"{out}{os.sep}", server.target)
        for name in server.binaries:
            if not _is_version(out / name, server.version):
                message = f"The new {name} does not say that it is {server.version}. Remove {cache()}, then try again."
                raise StackError(message)
        out.rename(target)
    return {name: target / name for name in server.binaries}


def _build_arguments(server: Server) -> list[str]:
    arguments = ["build", "-trimpath", "-buildvcs=false", "-tags", server.tags, "-ldflags", server.ldflags]
    if server.overlay:
        arguments += _overlay(server)
    return arguments


def _overlay(server: Server) -> list[str]:
    """Give a module the files that its zip lacks, without copying its sources.

    The overlay needs a path outside the read-only module cache, and that path ends up in the binary: hence a fixed one.
    """
    work = cache() / f"{server.name}-overlay"
    work.mkdir(parents=True, exist_ok=True)
    source = work / "src"
    source.unlink(missing_ok=True)
    _go(server, "mod", "download", server.module)
    source.symlink_to(_go(server, "list", "-m", "-f", "{{.Dir}}", server.module).strip())
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(server.folder / name, work / name)
    _go(server, "mod", "edit", "-replace", f"{server.module}={source}", str(work / "go.mod"))
    files = {str(source / inside): str(server.folder / ours) for inside, ours in server.overlay}
    (work / "overlay.json").write_text(json.dumps({"Replace": files}))
    return ["-modfile", str(work / "go.mod"), "-overlay", str(work / "overlay.json")]


def _go(server: Server, *arguments: str) -> str:
    # The user's own flags and workspaces must not change what go.sum pins.
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    try:
        run = subprocess.run(
            ["go", *arguments],  # noqa: S607  the user's Go, wherever it is
            cwd=server.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_BUILD_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        minutes = f"{_BUILD_TIMEOUT / 60:.0f} minutes"
        message = f"Building {server.name} did not end within {minutes}. Try again: what was downloaded stays."
        raise StackError(message) from error
    if run.returncode != 0:
        raise StackError(_why(server, run.stderr))
    return run.stdout


def _why(server: Server, stderr: str) -> str:
    last = " / ".join(stderr.strip().splitlines()[-3:]) or "it said nothing"
    what = f"{server.name} {server.version}"
    if "no space left" in stderr:
        return f"Building {what} filled the disk ({last}). Free about {server.disk_mib} MiB, then try again."
    if "go.mod requires go >=" in stderr:
        return f"This Go is too old for {what} ({last}). Install a newer one from go.dev/dl, or {_other_ways(server)}"
    return f"Go could not build {what}: {last}. Put that right and try again, or {_other_ways(server)}"


def _check_go(server: Server) -> None:
    if not has_go():
        missing = f"{' and '.join(server.binaries)} {server.version}"
        message = (
            f"{missing}: not on PATH, and no `go` to build with. Install Go from go.dev/dl, or {_other_ways(server)}"
        )
        raise StackError(message)
    _go(server, "env", "GOVERSION")  # refuses a Go that is older than go.mod wants


def _check_disk(server: Server) -> None:
    cache().mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache()).free // _MIB
    if free < server.disk_mib:
        needs = f"Building {server.name} needs about {server.disk_mib} MiB on the disk of {cache()}"
        message = f"{needs}; {free} MiB are free. Free some, then try again."
        raise StackError(message)


def _other_ways(server: Server) -> str:
    docker = ", or use Docker: otel-trading up --docker" if server in ALL else ""
    return f"put {' and '.join(server.binaries)} {server.version} on PATH{docker}"
