"""Locks that neither a signal handler, a finalizer nor a fork can turn into a deadlock.

A signal handler, `__del__` and a callback of the garbage collector run in the middle of whatever their thread does,
with a lock of ours or of OpenTelemetry's held. What they record waits until the thread has left that lock.
"""

from __future__ import annotations

import contextvars
import os
import threading
import weakref
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Lock", "busy", "inside", "later", "reading", "run", "set_listener"]

MAX_WAITING: Final = 10_000
_waiting: Final[deque[Callable[[], object]]] = deque()
_listeners: Final[list[Callable[[], None]]] = []
_locks: Final[weakref.WeakSet[Lock]] = weakref.WeakSet()


class _Thread:
    """Where a thread is."""

    __slots__ = ("calling", "depth", "foreign")

    def __init__(self) -> None:
        self.depth = 0  # inside of how many locks of ours, and of collections
        self.foreign = False  # inside of OpenTelemetry's own, in which nothing can be recorded
        self.calling = False  # makes the calls that waited


class _Local(threading.local):
    """The present thread: looked up once per call, because a thread's own attribute costs three of an object's."""

    def __init__(self) -> None:
        self.here = _Thread()


class _Lost:
    """How many calls could not even wait."""

    number = 0


_local: Final = _Local()


class _Inside:
    """A collection, in which locks of OpenTelemetry's are held: `with inside:`."""

    __slots__ = ()

    def __enter__(self) -> None:
        here = _local.here
        here.depth += 1
        here.foreign = True

    def __exit__(self, *_: object) -> None:
        here = _local.here
        here.foreign = False
        here.depth -= 1
        if _waiting:
            _leave(here)


class _Reading:
    """The part of a collection in which our own state is read: losses can be recorded, and nothing else be called."""

    __slots__ = ()

    def __enter__(self) -> None:
        here = _local.here
        here.depth += 1
        here.foreign = False

    def __exit__(self, *_: object) -> None:
        here = _local.here
        here.depth -= 1
        here.foreign = here.depth > 0


inside: Final = _Inside()
reading: Final = _Reading()


class Lock:
    """May be taken again by the thread that holds it, and is free in a forked child."""

    __slots__ = ("__weakref__", "_lock")

    def __init__(self) -> None:
        self._lock = threading.RLock()
        _locks.add(self)

    def __enter__(self) -> None:
        here = _local.here
        here.depth += 1
        try:
            self._lock.acquire()
        except BaseException:  # Ctrl-C while it waits
            here.depth -= 1
            raise

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        here = _local.here
        here.depth -= 1
        if _waiting:
            _leave(here)

    def hold(self, seconds: float) -> bool:
        """Take it for a moment in which no thread may be inside; returns whether it could be had in that time."""
        return self._lock.acquire(timeout=seconds)

    def let_go(self) -> None:
        """Give back what `hold` took."""
        self._lock.release()

    def renew(self) -> None:
        """Be free: whoever held it is a thread of the parent."""
        self._lock = threading.RLock()


def set_listener(lost: Callable[[], None]) -> None:
    """Name the function that counts a call which could not even wait."""
    _listeners[:] = [lost]


def busy() -> bool:
    """Return whether this thread is inside a lock, so that what interrupts it has to wait."""
    here = _local.here
    return here.foreign or here.depth > 0


def run(function: Callable[..., object], *args: Any) -> None:
    """Call what takes locks of OpenTelemetry's: now, or once this thread has left the lock that it is inside of."""
    here = _local.here
    if here.foreign:
        later(function, *args)
        return
    try:
        here.foreign = True
        function(*args)
    finally:
        here.foreign = False
        if _waiting:
            _leave(here)


def later(function: Callable[..., object], *args: Any, **kwargs: Any) -> None:
    """Call it, in the present context, as soon as a thread leaves its locks; at most 10,000 wait."""
    if len(_waiting) < MAX_WAITING:
        _waiting.append(partial(contextvars.copy_context().run, function, *args, **kwargs))
    else:
        _Lost.number += 1  # to count it is to record, which cannot be done here either


def _leave(here: _Thread) -> None:
    if here.depth <= 0 and not here.calling:
        here.calling = True  # each of them leaves locks too
        try:
            _call_waiting()
        finally:
            here.calling = False


def _call_waiting() -> None:
    while _waiting:
        with suppress(Exception):  # taken by another thread meanwhile, or an error that nobody waits for
            _waiting.popleft()()
    while _Lost.number:
        _Lost.number -= 1
        for counted in _listeners:
            counted()


def _renew() -> None:
    _waiting.clear()  # the parent's, which will do it
    for lock in list(_locks):
        lock.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
