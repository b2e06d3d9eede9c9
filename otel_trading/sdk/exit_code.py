"""Whether a process says that it failed: `sys.exit(1)` is an end, and no clean one.

Python forgets the code before anything of ours runs, so `sys.exit` notes it. The code of `raise SystemExit(1)` cannot
be seen, nor that of `os._exit`. Who calls `sys.exit` and is caught goes on, and the outermost frame returns in the end.

A worker of `multiprocessing` returns its code to where it was forked. Up to Python 3.12 its exit functions run before,
with the exception still in hand; from 3.13 on after it, when only the code tells, and what was printed of the error.
"""

from __future__ import annotations

import opcode
import signal
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import NoReturn

__all__ = ["failed", "is_failure", "watch", "watch_worker"]

#: What shells and supervisors read as: told to end.
_TOLD_TO: Final = frozenset(128 + number for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", 1)))
#: Modules that end a forked worker, with its code in a local variable of that name.
_ENDS: Final = frozenset({"multiprocessing.popen_fork", "multiprocessing.forkserver"})
_ENDS_AFTER: Final = sys.version_info >= (3, 13)


class _Last:
    """The last call of the main thread: its argument, and the frame that it has to leave; and a worker's last error."""

    status: object = None
    outermost: FrameType | None = None
    watching = False
    printed: type[BaseException] | None = None
    watching_worker = False


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


def watch_worker() -> None:
    """Note from now on what a worker of `multiprocessing` prints: at last the error that ends it, be it Ctrl-C."""
    if _Last.watching_worker or not _ENDS_AFTER:
        return
    _Last.watching_worker = True
    prints = traceback.print_exc

    def print_exc(*args: Any, **kwargs: Any) -> None:
        _Last.printed = sys.exc_info()[0]
        prints(*args, **kwargs)

    traceback.print_exc = print_exc


def failed() -> bool:
    """Return whether this process ends with a code that says so."""
    if _Last.printed is not None and issubclass(_Last.printed, KeyboardInterrupt):
        return False
    worker = _end_of_worker() if _ENDS_AFTER else None
    if worker is not None:
        return is_failure(worker.f_locals["code"])
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
    *_, frame = _frames()
    return frame


def _end_of_worker() -> FrameType | None:
    ends = (frame for frame in _frames() if frame.f_globals.get("__name__") in _ENDS and "code" in frame.f_locals)
    return next(ends, None)


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe()  # noqa: SLF001  there is no other way to ask what runs
    while frame is not None:
        yield frame
        frame = frame.f_back


def _returned(frame: FrameType) -> bool:
    """Return whether the last that a frame did was to return; an exception leaves it where that was raised."""
    return opcode.opname[frame.f_code.co_code[frame.f_lasti]].startswith("RETURN")
