"""Secrets that servers read, one file each, in a folder below `<home>/secrets`, which keeps the other users out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from otel_trading.stack.state import Kind

__all__ = ["read", "write"]


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
