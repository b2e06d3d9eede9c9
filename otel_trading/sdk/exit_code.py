"""Whether a process says that it failed: `sys.exit(1)` is an end, and no clean one.

Python forgets the code before anything of ours runs, so `sys.exit` notes it. The code of `raise SystemExit(1)` cannot
be seen, nor that of `os._exit`. Who calls `sys.exit` and is caught goes on, and the outermost frame returns in the end.
"""

from __future__ import annotations

import opcode
import signal
import sys
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

__all__ = ["failed", "is_failure", "watch"]

#: What shells and supervisors read as: told to end.
_TOLD_TO: Final = frozenset(128 + number for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", 1)))


class _Last:
    """The last call of the main thread: its argument, and the frame that it has to leave."""

    status: object = None
    outermost: FrameType | None = None
    watching = False


def watch() -> None:
    """Note from now on what `sys.exit` is called with."""
    if _Last.watching:
        return
    _Last.watching = True
    ends = sys.exit

    def exit(status: object = None, /) -> NoReturn:  # noqa: A001  it stands in for that one
        if threading.current_thread() is threading.main_thread():
            _Last.status, _Last.outermost = status, _outermost()
        ends(status)  # type: ignore[arg-type]  # anything, which it prints

    sys.exit = exit


def failed() -> bool:
    """Return whether `sys.exit` has ended this process with a code that says so."""
    frame = _Last.outermost
    ended = frame is not None and frame is not _outermost() and not _returned(frame)
    return ended and is_failure(_Last.status)


def is_failure(status: object) -> bool:
    """Return whether this exit has another code than 0, or than that of a process that was told to end.

    Args:
        status: What `sys.exit` was called with, or what it raised.
    """
    code = status.code if isinstance(status, SystemExit) else status
    if isinstance(code, int):
        return code != 0 and code not in _TOLD_TO
    return code is not None  # whatever it is, Python prints it and ends with 1


def _outermost() -> FrameType:
    frame = sys._getframe()  # noqa: SLF001  there is no other way to ask what runs
    while frame.f_back is not None:
        frame = frame.f_back
    return frame


def _returned(frame: FrameType) -> bool:
    """Return whether the last that a frame did was to return; an exception leaves it where that was raised."""
    return opcode.opname[frame.f_code.co_code[frame.f_lasti]].startswith("RETURN")
