"""One file that holds what a native stack has stored, and back: metrics, silences, what was told, and what is yours.

Prometheus goes on meanwhile. Its blocks never change and its logs only grow, so that a copy is what it would find after
a power cut: the logs are copied first, then the blocks into which it empties them.
Secrets stay where they are: the channels that had one are named, so that they can be set up again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tarfile
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from io import BytesIO
from pathlib import PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Final

from otel_trading import __version__
from otel_trading.errors import ConfigError, StackError
from otel_trading.stack import health, notifying, processes, settings, versions
from otel_trading.stack.build import locked
from otel_trading.stack.launches import SECONDS_UNTIL_KEPT
from otel_trading.stack.progress import Progress
from otel_trading.stack.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Backup", "backup", "restore"]

_FORMAT: Final = "otel-trading stack 1"
_MANIFEST: Final = "manifest.json"
_PROMETHEUS: Final = "data/prometheus"
#: Told and silenced by Alertmanager; alerts and changes of thresholds; rules, boards, targets and settings of the user.
_PLAIN: Final = (
    "data/alertmanager",
    "data/alerts",
    "config/my-rules",
    "config/my-boards",
    "config/bots",
    settings.FOLDER,
    versions.FOLDER,
)
_LENGTH_OF_ULID: Final = 26
_TRIES: Final = 5
_POLL: Final = 0.1
_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Backup:
    """What a backup holds.

    Attributes:
        made: When, RFC 3339.
        version: Of the otel-trading that made it.
        channels: For alerts; their secrets are not in it.
        files: Path -> SHA-256.
        size: Of all files, in bytes.
    """

    made: str
    version: str
    channels: list[str]
    files: dict[str, str]
    size: int


class _ChangedError(Exception):
    """Prometheus emptied a log or merged blocks while they were copied."""


def backup(home: Path, file: Path, *, progress: Progress | None = None) -> Backup:
    """Write what a stack has stored into one file, whole or not at all; a stack that runs goes on.

    Args:
        home: The stack's home.
        file: The backup, a tar that only this user may read; one that is there is replaced.
        progress: Who is told what happens; stderr when not given.

    Raises:
        StackError: There is nothing to copy, it is in volumes of containers, or the file cannot be written.
    """
    state, progress = State.load(home), progress or Progress()
    _refuse_containers(state)
    if not (home / _PROMETHEUS).is_dir():
        message = f"No stack has stored anything in {home}. Name the home of yours: --home PATH"
        raise StackError(message)
    new = file.with_name(f"{file.name}.new")
    try:
        with locked(home / "up.lock", progress), progress.step(f"copying what is stored in {home}", 10):
            _await_alertmanager(home, state)
            for _ in range(_TRIES):
                try:
                    made = _write(home, new)
                except _ChangedError:
                    continue
                new.replace(file)
                return made
    except OSError as error:
        message = f"The backup {file} cannot be written: {error}. Make room, or name another file."
        raise StackError(message) from error
    finally:
        with contextlib.suppress(OSError):
            new.unlink()
    message = f"Prometheus merged its blocks during each of {_TRIES} copies. Try again in a minute."
    raise StackError(message)


def restore(home: Path, file: Path, *, progress: Progress | None = None) -> tuple[Backup, Path | None]:
    """Bring a backup into a home whose stack is down, whole or not at all.

    Args:
        home: The stack's home, or where one shall be.
        file: What `backup` wrote.
        progress: Who is told what happens; stderr when not given.

    Returns:
        What was restored, and the folder to which what it replaced was moved, if anything was there.

    Raises:
        ConfigError: The file is no backup, or not whole; nothing has changed.
        StackError: The stack runs, its home cannot be written, or newer servers wrote what the backup holds.
    """
    home.mkdir(parents=True, exist_ok=True)
    with locked(home / "up.lock", progress or Progress()):
        state = State.load(home)
        _refuse_containers(state)
        if state is not None and any(processes.is_alive(one.pid, one.birth) for one in state.services):
            message = (
                "A stack runs in this home, and its data cannot be changed below it. End it first: otel-trading down"
            )
            raise StackError(message)
        try:
            with TemporaryDirectory(dir=home, prefix="restore-") as folder:
                found = _extract(file, home / folder)
                versions.check(home / folder)
                return found, _exchange(home, home / folder)
        except OSError as error:
            message = f"The backup {file} cannot be restored into {home}: {error}. Put that right and try again."
            raise StackError(message) from error


def _refuse_containers(state: State | None) -> None:
    if state is not None and state.kind == "docker":
        message = (
            "This stack stores in volumes of containers, which this command does not read. "
            "Copy them with the stack down, as collector/README.md shows under Backup."
        )
        raise StackError(message)


def _await_alertmanager(home: Path, state: State | None) -> None:
    """It writes what it knows every few seconds: wait for the next time, so that the newest silence is in."""
    service = next((one for one in state.services if one.name == "alertmanager"), None) if state else None
    if service is None or not health.answers(service.health):
        return
    begun, deadline = time.time(), time.monotonic() + 4 * SECONDS_UNTIL_KEPT
    kept = [home / "data" / "alertmanager" / name for name in ("silences", "nflog")]
    while not all(path.exists() and path.stat().st_mtime > begun for path in kept):
        if time.monotonic() > deadline:
            message = (
                f"Alertmanager does not keep its silences in {kept[0].parent}. Look at {home}/logs/alertmanager.log"
            )
            raise StackError(message)
        time.sleep(_POLL)


def _write(home: Path, file: Path) -> Backup:
    files: dict[str, str] = {}
    size = 0
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    with tarfile.open(file, "w") as tar:
        for path in _paths(home):
            name = path.relative_to(home).as_posix()
            files[name], length = _add(tar, path, name)
            size += length
        made = datetime.now(timezone.utc).isoformat(timespec="seconds")
        what = Backup(made, __version__, notifying.enabled(home), files, size)
        text = json.dumps({"format": _FORMAT, **asdict(what)}, indent=1).encode()
        entry = tarfile.TarInfo(_MANIFEST)
        entry.size = len(text)
        tar.addfile(entry, BytesIO(text))
    return what


def _paths(home: Path) -> Iterator[Path]:
    """Give the files in the order in which they have to be copied; fails when one of Prometheus' went meanwhile."""
    prometheus = home / _PROMETHEUS
    copied: list[Path] = []
    # Without chunks_head, which is a copy of what the logs hold and changes in place: Prometheus makes it anew.
    for names in (["wal", "wbl"], _blocks(prometheus)):
        parts = [path for name in names for path in _below(prometheus / name)]
        yield from parts
        copied += parts
    if not all(path.exists() for path in copied):
        raise _ChangedError
    for name in _PLAIN:
        yield from _below(home / name)


def _blocks(prometheus: Path) -> Iterator[str]:
    """Whole ones only, looked for when they are asked for: after the logs have been copied."""
    for path in sorted(prometheus.iterdir()):
        if len(path.name) == _LENGTH_OF_ULID and (path / "meta.json").exists():
            yield path.name


def _below(folder: Path) -> list[Path]:
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return [path for path in paths if not any(".tmp" in part for part in path.relative_to(folder).parts)]


class _Hashed:
    """A file that is read and digested at once."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source, self.digest = source, hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(size)
        self.digest.update(data)
        return data


def _add(tar: tarfile.TarFile, path: Path, name: str) -> tuple[str, int]:
    """Copy as much as there is now of a file that may grow; return its digest and its length."""
    entry = tarfile.TarInfo(name)
    entry.mode = 0o600
    try:
        with path.open("rb") as source:
            kept = os.fstat(source.fileno())
            entry.size, entry.mtime = kept.st_size, kept.st_mtime
            hashed = _Hashed(source)
            tar.addfile(entry, hashed)
    except FileNotFoundError as error:
        raise _ChangedError from error
    return hashed.digest.hexdigest(), entry.size


def _extract(file: Path, folder: Path) -> Backup:
    """Unpack what the manifest names, and nothing else, and compare it with what was written."""
    found: dict[str, str] = {}
    try:
        with tarfile.open(file) as tar:
            text = b""
            for entry in tar:
                source = tar.extractfile(entry)
                if source is None or not _ours(entry.name):
                    message = f"{entry.name} does not belong into a backup"
                    raise ValueError(message)  # noqa: TRY301  said with the others
                if entry.name == _MANIFEST:
                    text = source.read()
                    continue
                target, digest = folder / entry.name, hashlib.sha256()
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as output:
                    while data := source.read(_CHUNK):
                        digest.update(data)
                        output.write(data)
                found[entry.name] = digest.hexdigest()
        manifest = json.loads(text or b"{}")
        if manifest.pop("format", None) != _FORMAT or manifest["files"] != found:
            message = "it is not whole"
            raise ValueError(message)  # noqa: TRY301  said with the others
        return Backup(**manifest)
    except (tarfile.TarError, EOFError, ValueError, TypeError) as error:
        message = (
            f"{file} is no backup that `otel-trading backup` wrote: {error}. Nothing was changed. Name another file."
        )
        raise ConfigError(message) from error


def _ours(name: str) -> bool:
    path = PurePosixPath(name)
    parts = (_PROMETHEUS, *_PLAIN)
    return name == _MANIFEST or (".." not in path.parts and any(PurePosixPath(one) in path.parents for one in parts))


def _exchange(home: Path, new: Path) -> Path | None:
    """Put what was unpacked in the place of what is there, which is kept aside."""
    aside = home / f"replaced-{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}"
    for name in (_PROMETHEUS, *_PLAIN):
        old = home / name
        if old.exists() and any(old.iterdir()):
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            old.rename(aside / name)
        elif old.exists():
            old.rmdir()
        if (new / name).exists():
            old.parent.mkdir(parents=True, exist_ok=True)
            (new / name).rename(old)
    return aside if aside.exists() else None
