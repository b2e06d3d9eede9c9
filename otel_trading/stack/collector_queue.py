"""The Collector's queue on disk: a file that it could not open would keep the whole stack from starting."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack.progress import Progress

__all__ = ["set_spoilt_aside"]

#: How a page of meta data begins, behind its header; there are two, on the first pages.
#: Source: https://github.com/etcd-io/bbolt/blob/main/internal/common/types.go
_MAGIC: Final = 0xED0CDAED.to_bytes(4, "little")
_PAGE_HEADER: Final = 16
_PAGES: Final = (0, 4096, 16384, 65536)
_SET_ASIDE: Final = ".spoilt-"


def set_spoilt_aside(home: Path, progress: Progress) -> None:
    """Rename each file of the queue that no Collector can open; while none runs.

    What is damaged further inside it renames itself (`recreate` in collector/config.yaml), but not such a file.

    Args:
        home: The stack's home.
        progress: Who is told.
    """
    for path in sorted((home / "data" / "collector" / "queue").glob("*")):
        if not path.is_file() or _SET_ASIDE in path.name or path.stat().st_size == 0:
            continue
        with path.open("rb") as file:
            head = file.read(_PAGES[-1] + 2 * _PAGE_HEADER)
        if not any(head[page + _PAGE_HEADER :].startswith(_MAGIC) for page in _PAGES):
            aside = path.with_name(f"{path.name}{_SET_ASIDE}{time.time():.0f}")
            path.rename(aside)
            progress.say(f"The Collector's queue is spoilt: what it held is not delivered. It is set aside as {aside}")
