"""Brings rules, boards and targets of a repository into a stack: all of them in force, or everything as before."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from otel_trading.errors import ConfigError, StackError
from otel_trading.stack import build, renewal
from otel_trading.stack.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ROOMS", "Changes", "deliver", "read"]

#: Folders of `config/` that are the user's, and what is taken from each.
ROOMS: Final = {"my-rules": "*.yaml", "my-boards": "**/*.json", "bots": "*.yaml"}
_RULES: Final = "my-rules/"
#: `otel-trading alerts --set` writes this one.
_NOT_OURS: Final = "my-rules/thresholds.yaml"


@dataclass(frozen=True)
class Changes:
    """What a delivery changed; paths below `config/`.

    Attributes:
        new: Files that were not there.
        changed: Files with another content.
        gone: Files of an earlier delivery that the repository no longer has.
    """

    new: list[str] = field(default_factory=list[str])
    changed: list[str] = field(default_factory=list[str])
    gone: list[str] = field(default_factory=list[str])

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return bool(self.new or self.changed or self.gone)


def read(folder: Path) -> dict[str, bytes]:
    """Return what a folder would deliver, by path below `config/`.

    Args:
        folder: It has one or more of the folders `my-rules`, `my-boards`, `bots`.

    Raises:
        ConfigError: It has none, or a file that cannot be delivered.
        StackError: A file cannot be read.
    """
    rooms = [name for name in ROOMS if (folder / name).is_dir()]
    if not rooms:
        message = f"{folder} has nothing to deliver. It may have the folders {', '.join(ROOMS)}."
        raise ConfigError(message)
    paths = [path for name in rooms for path in sorted((folder / name).glob(ROOMS[name]))]
    for path in paths:
        if path.is_symlink() or not path.resolve().is_relative_to(folder.resolve()):
            message = f"{path} is a link, which may lead to anything. Put the file itself there."
            raise ConfigError(message)
    found = {path.relative_to(folder).as_posix(): path for path in paths if path.is_file()}
    if _NOT_OURS in found:
        message = f"{found[_NOT_OURS]} has the name of what `otel-trading alerts --set` writes. Name it otherwise."
        raise ConfigError(message)
    try:
        return {name: path.read_bytes() for name, path in found.items()}
    except OSError as error:
        message = f"Cannot read what is to be delivered: {error}. Give it to this user."
        raise StackError(message) from error


def deliver(folder: Path, home: Path) -> Changes:
    """Make the stack of this home have what a folder has, and Prometheus read it.

    What no delivery brought stays. A folder that the repository does not have at all is left alone.

    Args:
        folder: See `read`.
        home: The stack's home; a stack that is down reads it at the next `up`.

    Raises:
        ConfigError: There is nothing to deliver, or a file of another hand is in the way; nothing changed.
        StackError: It cannot be written, or Prometheus refuses it; everything is as before.
    """
    wanted = read(folder)
    home.mkdir(parents=True, exist_ok=True)
    with build.locked(home / "up.lock", Progress()):
        config = home / "config"
        earlier = _earlier(config)
        kept = {name for name in earlier if not (folder / name.split("/")[0]).is_dir()}
        changes = _compare(wanted, config, earlier - kept)
        if changes.any:
            # Noted beforehand: what a kill leaves half done is still known as ours by the next delivery.
            _note(config, earlier | set(wanted))
            try:
                _write(wanted, config, changes, home)
            except StackError:
                _note(config, earlier)
                raise
        _note(config, kept | set(wanted))
        return changes


def _compare(wanted: dict[str, bytes], config: Path, earlier: set[str]) -> Changes:
    there = {name: (config / name).read_bytes() for name in wanted if (config / name).is_file()}
    for name, text in there.items():
        if name not in earlier and text != wanted[name]:
            message = f"{config / name} is of another hand. Move it away, or name yours otherwise."
            raise ConfigError(message)
    return Changes(
        new=[name for name in wanted if name not in there],
        changed=[name for name, text in there.items() if text != wanted[name]],
        gone=sorted(name for name in earlier - set(wanted) if (config / name).is_file()),
    )


def _write(wanted: dict[str, bytes], config: Path, changes: Changes, home: Path) -> None:
    touched = [*changes.new, *changes.changed, *changes.gone]
    before = {name: (config / name).read_bytes() if (config / name).is_file() else None for name in touched}
    try:
        for name in touched:
            _put(config / name, wanted.get(name))
        if any(name.startswith(_RULES) for name in touched):
            renewal.reload_rules(home)
    except (OSError, StackError) as error:
        with contextlib.suppress(OSError, StackError):  # the first one says what is wrong
            for name, text in before.items():
                _put(config / name, text)
            renewal.reload_rules(home)
        message = f"Nothing was delivered, everything is as before. {error}"
        raise StackError(message) from error


def _put(file: Path, text: bytes | None) -> None:
    if text is None:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.new")  # no name that a server reads
    new.write_bytes(text)
    new.chmod(0o644)  # servers in containers are other users
    new.replace(file)


def _earlier(config: Path) -> set[str]:
    file = config / "delivered.json"
    try:
        loaded: Any = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
        names = {str(name) for name in loaded}
    except (OSError, ValueError, TypeError) as error:
        message = f"Cannot read {file}, which says what was delivered: {error}. Remove it; nothing is taken away then."
        raise StackError(message) from error
    return {name for name in names if name.split("/")[0] in ROOMS and ".." not in name.split("/")}


def _note(config: Path, names: set[str]) -> None:
    try:
        _put(config / "delivered.json", f"{json.dumps(sorted(names), indent=1)}\n".encode())
    except OSError as error:
        message = f"Cannot write {config / 'delivered.json'}, which says what was delivered: {error}. Make room."
        raise StackError(message) from error
