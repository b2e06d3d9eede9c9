"""The Collector's queue on disk: a file that it could not open would keep the whole stack from starting."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack.progress import Progress

__all__ = ["set_aside", "set_spoilt_aside"]

#: How a page of meta data begins, behind its header; there are two, on the first pages.
#: Source: https://github.com/etcd-io/bbolt/blob/main/internal/common/types.go
_MAGIC: Final = 0xED0CDAED.to_bytes(4, "little")
_PAGE_HEADER: Final = 16
_PAGES: Final = (0, 4096, 16384, 65536)
_SET_ASIDE: Final = ".spoilt-"
#: How a Go program says that it dies of what it has read, not of a lack of memory, and who is then at work in it.
_DEATHS: Final = ("panic:", "fatal error: fault")
_LIBRARY: Final = "go.etcd.io/bbolt"


def set_spoilt_aside(home: Path, progress: Progress) -> None:
    """Rename each file of the queue that no Collector can open; while none runs.

    What is damaged further inside, it renames itself (`recreate` in collector/config.yaml) or dies of: see `set_aside`.

    Args:
        home: The stack's home.
        progress: Who is told.
    """
    for path in _files(home):
        with path.open("rb") as file:
            head = file.read(_PAGES[-1] + 2 * _PAGE_HEADER)
        if not any(head[page + _PAGE_HEADER :].startswith(_MAGIC) for page in _PAGES):
            _rename(path, progress)


def set_aside(home: Path, last_words: str, progress: Progress) -> bool:
    """Rename all of the queue where it is what the Collector died of; say whether it was.

    Args:
        home: The stack's home.
        last_words: What the Collector wrote since it was started.
        progress: Who is told.
    """
    files = _files(home)
    if not any(word in last_words for word in _DEATHS) or _LIBRARY not in last_words or not files:
        return False
    for path in files:
        _rename(path, progress)
    return True


def _files(home: Path) -> list[Path]:
    found = sorted((home / "data" / "collector" / "queue").glob("*"))
    return [path for path in found if path.is_file() and _SET_ASIDE not in path.name and path.stat().st_size]


def _rename(path: Path, progress: Progress) -> None:
    aside = path.with_name(f"{path.name}{_SET_ASIDE}{time.time():.0f}")
    path.rename(aside)
    progress.say(f"The Collector's queue is spoilt: what it held is not delivered. It is set aside as {aside}")
