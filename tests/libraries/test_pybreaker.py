"""pybreaker, oldest and newest: an unchanged script, and what a hook must not do to a breaker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pybreaker
import pytest
from breaker import CALLS, STATUS, TRANSITIONS, VenueDownError, check, outcomes

from otel_trading import meter
from otel_trading.instrumentation.pybreaker import PybreakerInstrumentor
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_trading.stack import Stack
    from otel_trading.testing import CapturingMeter

BODY = """
import pybreaker
from pybreaker import CircuitBreakerError as Refused

WAIT = 0.4
breaker = pybreaker.CircuitBreaker(fail_max=2, reset_timeout=0.3, name="venue")

def call(function):
    return breaker(function)()
"""


@pytest.fixture(autouse=True)
def _hooked(capmeter: CapturingMeter) -> Iterator[None]:
    assert capmeter
    instrumentor = PybreakerInstrumentor()
    instrumentor.instrument()
    yield
    instrumentor.uninstrument()


def _fail() -> None:
    raise VenueDownError


def test_calls_and_states_are_held(stack: Stack, tmp_path: Path) -> None:
    check(stack, tmp_path, "pybreaker", BODY)


def test_a_breaker_without_a_name_takes_that_of_what_it_guards_first(capmeter: CapturingMeter) -> None:
    breaker, block = pybreaker.CircuitBreaker(fail_max=1), pybreaker.CircuitBreaker()

    @breaker
    def balance() -> int:
        return 7

    assert balance() == breaker.call(lambda: 7) == 7
    with block.calling():
        pass

    assert outcomes(capmeter, "balance") == {"success": 2}
    assert outcomes(capmeter, "unnamed") == {"success": 1}
    with pytest.raises(pybreaker.CircuitBreakerError):
        breaker.call(_fail)
    assert capmeter.value(STATUS, name="balance", state="open") == 1
    capmeter.assert_conforms()


def test_a_breaker_opened_by_hand_before_its_first_call(capmeter: CapturingMeter) -> None:
    named, nameless = pybreaker.CircuitBreaker(name="b"), pybreaker.CircuitBreaker()
    named.open()
    nameless.open()
    with pytest.raises(pybreaker.CircuitBreakerError):
        nameless.call(_fail)

    assert capmeter.value(TRANSITIONS, name="b", state="open") == 1
    assert outcomes(capmeter, "_fail") == {"short_circuited": 1}
    assert capmeter.value(STATUS, name="_fail", state="open") == 1


def test_the_users_own_watch_takes_its_place_and_counts_once(capmeter: CapturingMeter) -> None:
    breaker = pybreaker.CircuitBreaker(name="b")
    meter.watch_breaker(breaker, name="mine", venue="kraken")
    meter.watch_breaker(breaker)
    PybreakerInstrumentor().instrument()
    breaker.call(lambda: None)

    assert outcomes(capmeter, "mine") == {"success": 1}
    assert outcomes(capmeter, "b") == {}
    assert capmeter.value(STATUS, venue="kraken", name="mine", state="closed") == 1
    assert {one.attributes["trading.resilience.circuit_breaker.name"] for one in capmeter.samples(STATUS)} == {"mine"}


def test_listeners_and_subclasses_of_the_user_stay(capmeter: CapturingMeter) -> None:
    heard: list[str] = []

    class Listener(pybreaker.CircuitBreakerListener):
        def success(self, cb: Any) -> None:
            heard.append(cb.name)

    class Mine(pybreaker.CircuitBreaker):
        def call(self, func: Any, *args: Any, **kwargs: Any) -> Any:
            heard.append("call")
            return super().call(func, *args, **kwargs)

    breaker = Mine(name="b", listeners=[Listener()])
    assert breaker.call(divmod, 7, 2) == (3, 1)
    with pytest.raises(VenueDownError):
        breaker.call(_fail)

    assert heard == ["call", "b", "call"]
    assert outcomes(capmeter, "b") == {"success": 1, "failure": 1}


def test_taken_off_in_a_call_and_put_on_again(capmeter: CapturingMeter) -> None:
    breaker = pybreaker.CircuitBreaker(name="b")
    instrumentor = PybreakerInstrumentor()

    def end() -> int:
        instrumentor.uninstrument()
        return 7

    assert breaker.call(end) == 7
    assert breaker.listeners == ()
    assert "call" not in vars(breaker)
    assert outcomes(capmeter, "b") == {}

    instrumentor.instrument()
    breaker.call(lambda: None)
    assert outcomes(capmeter, "b") == {"success": 1}


def test_what_cannot_be_watched_works_on(capmeter: CapturingMeter) -> None:
    class Odd(pybreaker.CircuitBreaker):
        __hash__ = None  # type: ignore[assignment]

        def add_listener(self, listener: Any) -> None:
            del listener
            raise VenueDownError

    assert Odd(name="b").call(lambda: 7) == 7
    assert outcomes(capmeter, "b") == {}


def test_a_coroutine_counts_by_how_it_ends(capmeter: CapturingMeter) -> None:
    breaker = pybreaker.CircuitBreaker(name="b", exclude=[KeyError])

    @breaker
    async def fetch(error: type[Exception] | None = None) -> int:
        await asyncio.sleep(0.05)
        if error is not None:
            raise error
        return 7

    async def run() -> None:
        waiting = fetch()
        assert outcomes(capmeter, "b") == {}, "nothing has happened yet"
        assert await waiting == 7
        with pytest.raises(VenueDownError):
            await fetch(VenueDownError)
        with pytest.raises(KeyError):
            await fetch(KeyError)
        given_up = asyncio.ensure_future(fetch())
        await asyncio.sleep(0)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up

    asyncio.run(run())

    assert outcomes(capmeter, "b") == {"success": 2, "failure": 1}
    (took,) = (one for one in capmeter.samples(CALLS) if one.attributes[a.BREAKER_OUTCOME.name] == "failure")
    assert took.sum is not None
    assert took.sum >= 0.05
    assert breaker.call(lambda: 7) == 7
