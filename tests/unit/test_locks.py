"""Whoever interrupts a recording thread may record: signal handlers, finalizers and callbacks of the collector."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from process_support import python
from unit_support import losses

from otel_trading import _locks, meter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_trading.testing import CapturingMeter

_SECONDS = 1.5


@pytest.fixture
def interrupted() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Let a function interrupt the main thread a few thousand times a second."""
    before = signal.getsignal(signal.SIGVTALRM)

    def by(function: Callable[[], None]) -> None:
        signal.signal(signal.SIGVTALRM, lambda *_: function())
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0003, 0.0003)

    yield by
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


def _fill(side: str = "buy") -> None:
    meter.order_filled(symbol="A", side=side, price=10, quantity=1, currency="USD", venue="v")  # type: ignore[arg-type]


@pytest.mark.timeout(60)
def test_a_signal_handler_records_in_the_middle_of_recording(
    capmeter: CapturingMeter, interrupted: Callable[[Callable[[], None]], None]
) -> None:
    made = {"loop": 0, "handler": 0}

    def handler() -> None:
        _fill()
        made["handler"] += 1

    interrupted(handler)
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        _fill()
        made["loop"] += 1
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    assert made["handler"] > 20
    assert capmeter.value("trading.execution.fills") == sum(made.values()), "each is counted once"
    assert capmeter.value("trading.position.quantity") == sum(made.values())


@pytest.mark.timeout(60)
def test_finalizers_and_callbacks_of_the_collector_record_while_threads_record_and_collect(
    capmeter: CapturingMeter,
) -> None:
    made, counting = {"finalizer": 0, "thread": 0, "callback": 0}, threading.Lock()

    class Recording:
        def __init__(self) -> None:
            self.itself = self  # only the collector can end it

        def __del__(self) -> None:
            _fill()
            made["finalizer"] += 1

    def called(phase: str, info: dict[str, Any]) -> None:
        del info
        if phase == "stop":
            meter.cache_hit(name="bars")
            made["callback"] += 1

    def work() -> None:
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until:
            Recording()
            _fill()
            with counting:
                made["thread"] += 1

    before = gc.get_threshold()
    gc.callbacks.append(called)
    gc.set_threshold(20, 5, 5)
    try:
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            capmeter.samples()
        gc.collect()
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(called)
    _fill()  # leaves the locks, and with it whatever still waited

    assert min(made.values()) > 100
    assert capmeter.value("trading.execution.fills") == made["finalizer"] + made["thread"] + 1
    assert capmeter.value("trading.cache.requests") == made["callback"]


def test_what_waits_is_bounded_and_what_could_not_wait_is_counted(production: CapturingMeter) -> None:
    with _locks.Lock():
        for _ in range(_locks.MAX_WAITING + 7):
            meter.cache_hit(name="bars")

    assert production.value("trading.cache.requests") == _locks.MAX_WAITING
    assert losses(production) == {"queue_full": 7}


def test_what_waits_keeps_the_context_in_which_it_was_said(production: CapturingMeter) -> None:
    with _locks.Lock():
        with meter.scope(strategy="inner"):
            meter.cache_hit(name="bars")
        assert production.samples("trading.cache.requests") == []

    assert production.value("trading.cache.requests", strategy="inner") == 1


def test_an_interrupted_wait_leaves_no_thread_busy() -> None:
    lock, held, free = _locks.Lock(), threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            free.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        with pytest.raises(KeyboardInterrupt), lock:
            pass
    finally:
        signal.signal(signal.SIGUSR1, before)
        free.set()
        thread.join(10)

    assert not _locks.busy()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_lock_that_a_thread_holds_is_free_in_a_forked_child() -> None:
    code = (
        "import os, sys, threading\nfrom otel_trading import _locks\nlock = _locks.Lock()\n"
        "held, free = threading.Event(), threading.Event()\n"
        "def hold():\n    with lock:\n        held.set(); free.wait(20)\n"
        "thread = threading.Thread(target=hold); thread.start(); held.wait(20)\n"
        "child = os.fork()\nif not child:\n    import signal; signal.alarm(5)\n"
        "    with lock: os._exit(0)\n"
        "code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]); free.set(); thread.join(); sys.exit(code)"
    )

    assert python(code).returncode == 0, sys.platform
