"""The last interval leaves: everything is flushed, within a bound, and at a clean exit strategies become `stopped`."""

from __future__ import annotations

import atexit
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from multiprocessing import util
from typing import TYPE_CHECKING, Final

from otel_trading import trackers
from otel_trading.sdk import exit_code

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from otel_trading.sdk.heartbeat import Heartbeat

__all__ = ["close_at_exit", "exit_on_sigterm", "exit_on_sigterm_as_the_parent_did"]

#: Seconds that an exit may wait for a Collector that does not answer.
BOUND: Final = 2.5
_SIGTERM_EXIT: Final = 128 + signal.SIGTERM
_log: Final = logging.getLogger("otel_trading")


class _Closer:
    """A thread that waits from the start, because no thread can be started while the interpreter ends."""

    def __init__(self, shutdown: Callable[[], None]) -> None:
        self._shutdown = shutdown
        self._begin = threading.Event()
        self._done = threading.Event()
        threading.Thread(target=self._run, name="otel-trading-exit", daemon=True).start()

    def begin(self) -> None:
        self._begin.set()

    def wait(self, seconds: float) -> bool:
        return self._done.wait(seconds)

    def _run(self) -> None:
        self._begin.wait()
        try:
            self._shutdown()
        except Exception:  # noqa: BLE001  the process ends; the other providers still get their turn
            _log.debug("Shutting down telemetry failed.", exc_info=True)
        self._done.set()


def close_at_exit(heartbeat: Heartbeat, shutdowns: list[Callable[[], None]]) -> None:
    """Say goodbye at exit and shut providers down, side by side, in at most 2.5 s together.

    Args:
        heartbeat: Of this process; ends with it.
        shutdowns: One per provider; each may block, none may be lost because another does.
    """
    exit_code.watch()
    closers = [_Closer(shutdown) for shutdown in shutdowns]
    open_in = {os.getpid()}

    def close() -> None:
        if os.getpid() not in open_in:
            return  # done, or a fork, which has none of our threads, and whose end is not the strategy's
        open_in.clear()
        logging.raiseExceptions = False  # streams may be closed already; nobody reads a complaint now
        if not _crashed():
            trackers.default().strategies.stop_all()
            heartbeat.stop()
        for closer in closers:
            closer.begin()
        end = time.monotonic() + BOUND
        late = [closer for closer in closers if not closer.wait(max(0.0, end - time.monotonic()))]
        if sys.stderr is not None and not all(closer.wait(0.0) for closer in late):
            sys.stderr.write(f"otel-trading: the last interval may be lost: no answer within {BOUND:g} s.\n")

    atexit.register(close)
    _close_workers(close)


def _crashed() -> bool:
    """Return whether the process broke and did not stop: an exception that nobody caught, or a code that says so.

    Ctrl-C stops it. Python remembers the exception for us, but for a worker of `multiprocessing`, which still has it in
    hand or has ended with a code; codes are ours to remember.
    """
    if hasattr(sys, "ps1"):
        return False
    in_hand = sys.exc_info()[1]
    if isinstance(in_hand, SystemExit):
        return exit_code.is_failure(in_hand)
    error: type[BaseException] | None = type(in_hand) if in_hand else getattr(sys, "last_type", None)
    return exit_code.failed() or (error is not None and not issubclass(error, KeyboardInterrupt))


def _close_workers(close: Callable[[], None]) -> None:
    """Close also where a worker ends with `os._exit`, by what its pool calls before that."""
    if multiprocessing.parent_process() is not None:
        _finalize(close)
    util.register_after_fork(close, _finalize)  # a worker that was configured before it began forgets the one above
    celery = sys.modules.get("celery.signals")
    if celery is not None:

        def ended(**_: object) -> None:
            close()

        celery.worker_process_shutdown.connect(ended, weak=False)


def _finalize(close: Callable[[], None]) -> None:
    exit_code.watch_worker()
    util.Finalize(None, close, exitpriority=-1)


def exit_on_sigterm() -> None:
    """Let SIGTERM end the process as `sys.exit` does, so that the last interval leaves; an app's own handler stays."""
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _exit)
        _ForkedSignals.follow()


def exit_on_sigterm_as_the_parent_did() -> None:
    """Do the same in a forked worker that has begun to record, where its parent does it."""
    if _ForkedSignals.following:
        exit_on_sigterm()


class _ForkedSignals:
    """Lets SIGTERM end a forked child as if we were not there, until it records something itself.

    Python drops what a handler raises inside a callback that runs after a fork: a pool that ends its workers while they
    begin would wait for them for ever.
    """

    _of_thread: Final = threading.local()
    following = False

    @classmethod
    def follow(cls) -> None:
        """Look after every fork of this process and of its children."""
        if not cls.following and hasattr(os, "register_at_fork"):
            cls.following = True
            os.register_at_fork(before=cls._hold, after_in_parent=cls._release, after_in_child=cls._default)

    @classmethod
    def _hold(cls) -> None:
        cls._of_thread.mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    @classmethod
    def _release(cls) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, cls._of_thread.mask)

    @classmethod
    def _default(cls) -> None:
        if signal.getsignal(signal.SIGTERM) is _exit:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        cls._release()


def _exit(number: int, frame: FrameType | None) -> None:
    del number, frame
    sys.exit(_SIGTERM_EXIT)
