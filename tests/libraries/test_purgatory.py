"""purgatory, oldest and newest: an unchanged script, and what a hook must not do to a circuit."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from breaker import CALLS, STATUS, TRANSITIONS, VenueDownError, check, outcomes
from purgatory import AsyncCircuitBreakerFactory, SyncCircuitBreakerFactory
from purgatory.domain.model import Context, OpenedState

from otel_trading.instrumentation.purgatory import PurgatoryInstrumentor
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_trading.stack import Stack
    from otel_trading.testing import CapturingMeter

BODY = """
from purgatory import SyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState as Refused

WAIT = 0.4
breakers = SyncCircuitBreakerFactory(default_threshold=2, default_ttl=0.3)

def call(function):
    return breakers("venue")(function)()
"""


@pytest.fixture(autouse=True)
def _hooked(capmeter: CapturingMeter) -> Iterator[None]:
    assert capmeter
    instrumentor = PurgatoryInstrumentor()
    instrumentor.instrument()
    yield
    instrumentor.uninstrument()


def test_calls_and_states_are_held(stack: Stack, tmp_path: Path) -> None:
    check(stack, tmp_path, "purgatory", BODY)


def test_an_async_circuit_that_trips(capmeter: CapturingMeter) -> None:
    heard: list[str] = []

    async def use() -> None:
        breakers = AsyncCircuitBreakerFactory(default_threshold=1)
        breakers.add_listener(lambda _name, kind, _event: heard.append(kind))
        for refusal in (VenueDownError, OpenedState):
            with pytest.raises(refusal):
                async with await breakers.get_breaker("venue"):
                    raise VenueDownError

    asyncio.run(use())
    assert heard == ["circuit_breaker_created", "failed", "state_changed"]
    assert outcomes(capmeter, "venue") == {"failure": 1, "short_circuited": 1}
    assert capmeter.value(CALLS, outcome="short_circuited", type="OpenedState") == 1
    assert capmeter.value(TRANSITIONS, state="open") == capmeter.value(STATUS, state="open") == 1
    capmeter.assert_conforms()


def test_calls_that_interleave_keep_their_own_time(capmeter: CapturingMeter) -> None:
    breakers = AsyncCircuitBreakerFactory()

    @breakers("venue")
    async def call(seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def use() -> None:
        await asyncio.gather(call(0.2), call(0.0), call(0.0))
        task = asyncio.ensure_future(call(60))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(use())
    assert outcomes(capmeter, "venue") == {"success": 3, "failure": 1}, "purgatory counts a cancellation"
    assert 0.2 <= sum(one.sum or 0 for one in capmeter.samples(CALLS)) < 0.4


def test_circuits_that_overlap_keep_their_own_time(capmeter: CapturingMeter) -> None:
    breakers = SyncCircuitBreakerFactory()
    slow, quick = breakers.get_breaker("slow"), breakers.get_breaker("quick")
    slow.__enter__()
    threading.Event().wait(0.05)
    quick.__enter__()
    slow.__exit__(None, None, None)
    quick.__exit__(None, None, None)

    took = {one.attributes[a.BREAKER.name]: one.sum or 0 for one in capmeter.samples(CALLS)}
    assert took["slow"] >= 0.05 > took["quick"]


def test_what_the_user_excludes_is_a_success(capmeter: CapturingMeter) -> None:
    breakers = SyncCircuitBreakerFactory(default_threshold=1, exclude=[VenueDownError])
    with pytest.raises(VenueDownError), breakers.get_breaker("venue"):
        raise VenueDownError

    assert outcomes(capmeter, "venue") == {"success": 1}


def test_a_second_time_and_the_end(capmeter: CapturingMeter) -> None:
    instrumentor = PurgatoryInstrumentor()
    instrumentor.instrument()
    breakers = SyncCircuitBreakerFactory()
    with breakers.get_breaker("venue"):
        pass
    with breakers.get_breaker("venue"):
        instrumentor.uninstrument()

    assert outcomes(capmeter, "venue") == {"success": 1}


def test_a_state_that_nobody_knows_is_left_out(capmeter: CapturingMeter) -> None:
    class Odd(Context):
        state = "melted"

    with Odd("venue", 1, 1):
        pass

    assert outcomes(capmeter, "venue") == {"success": 1}
    assert capmeter.samples(STATUS) == []
