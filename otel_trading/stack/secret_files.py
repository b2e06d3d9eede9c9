"""Secrets, one file each, in folders below `<home>/secrets`, which keep the other users out.

Some are the user's, judged before anything is started; some are what servers read, written by us.
"""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING, Final

from otel_trading.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from otel_trading.stack.state import Kind

__all__ = ["given", "read", "unknown", "write"]

_OTHERS_MAY_READ: Final = 0o077


def given(path: Path, source: str, allowed: str) -> str:
    """Return what a user wrote into a secret file.

    Args:
        path: The file.
        source: How to call it, at the beginning of a message.
        allowed: What it may hold, for messages.

    Raises:
        ConfigError: It cannot be read, can be read by others, or is empty.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
        modes = [place.stat().st_mode & _OTHERS_MAY_READ for place in (path, path.parent)]
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        message = f"{source} cannot be read: {why}. Give it the secret ({allowed}), or unset or remove it."
        raise ConfigError(message) from error
    if not text:
        message = f"{source} is empty. Allowed: {allowed}. Write it there, or remove it to switch it off."
        raise ConfigError(message)
    if all(modes):
        message = f"{source} can be read by other users of this machine. Keep it to yourself: chmod 600 {path}"
        raise ConfigError(message)
    return text


def unknown(what: str, name: str, known: Iterable[str], verdict: str) -> str:
    """Return what to say of something that looks like a setting of ours and is none.

    Args:
        what: The thing, at the beginning of a sentence.
        name: Its name.
        known: Names that are read.
        verdict: What it does not do.
    """
    near = difflib.get_close_matches(name, sorted(known), n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Allowed: {', '.join(sorted(known))}."
    return f"{what} {verdict}. {hint} Rename or remove it."


def read(folder: Path) -> dict[str, str]:
    """Return the secrets of a folder by their path in it."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def write(folder: Path, secrets: Mapping[str, str], kind: Kind) -> None:
    """Make a folder hold these secrets and no others.

    Args:
        folder: Below one that is private; made when missing.
        secrets: Content by path in the folder.
        kind: Containers run as users of their own: there, only the folder above keeps others out.
    """
    folder_mode, file_mode = (0o755, 0o644) if kind == "docker" else (0o700, 0o600)
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(exist_ok=True)
    for old in read(folder).keys() - secrets.keys():
        (folder / old).unlink()
    for name, secret in secrets.items():
        target, new = folder / name, folder / f"{name}.new"
        target.parent.mkdir(exist_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secret)
        new.chmod(file_mode)
        new.replace(target)
    for path in (folder, *(path for path in folder.iterdir() if path.is_dir())):
        path.chmod(folder_mode)
