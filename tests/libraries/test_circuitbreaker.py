"""circuitbreaker, oldest and newest: an unchanged script, and what a hook must not do to a breaker."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

import circuitbreaker
import pytest
from breaker import CALLS, STATUS, TRANSITIONS, VenueDownError, check, outcomes

from otel_trading.instrumentation.circuitbreaker import CircuitbreakerInstrumentor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from otel_trading.stack import Stack
    from otel_trading.testing import CapturingMeter

BODY = """
from circuitbreaker import CircuitBreaker, CircuitBreakerError as Refused

WAIT = 1.1
breaker = CircuitBreaker(failure_threshold=2, recovery_timeout=1, name="venue")

def call(function):
    return breaker(function)()
"""


@pytest.fixture(autouse=True)
def _hooked(capmeter: CapturingMeter) -> Iterator[None]:
    assert capmeter
    instrumentor = CircuitbreakerInstrumentor()
    instrumentor.instrument()
    yield
    instrumentor.uninstrument()


def _tripped(name: str, **settings: Any) -> Any:
    @circuitbreaker.circuit(failure_threshold=1, name=name, **settings)
    def fail() -> None:
        raise VenueDownError

    with pytest.raises(VenueDownError):
        fail()
    return fail


def test_calls_and_states_are_held(stack: Stack, tmp_path: Path) -> None:
    check(stack, tmp_path, "circuitbreaker", BODY)


def test_a_refusal_is_counted_with_and_without_a_fallback(capmeter: CapturingMeter) -> None:
    plain, rescued = _tripped("plain"), _tripped("rescued", fallback_function=lambda: 42)
    with pytest.raises(circuitbreaker.CircuitBreakerError):
        plain()
    assert rescued() == 42
    assert not circuitbreaker.CircuitBreakerMonitor.all_closed(), "who only asks is not refused"

    assert outcomes(capmeter, "plain") == outcomes(capmeter, "rescued") == {"failure": 1, "short_circuited": 1}
    assert capmeter.value(CALLS, outcome="short_circuited", type="CircuitBreakerError") == 1
    assert capmeter.value(STATUS, name="rescued", state="open") == 1
    assert capmeter.value(TRANSITIONS, name="rescued", state="open") == 1
    capmeter.assert_conforms()


def test_coroutines_and_generators_stay_what_they_are(capmeter: CapturingMeter) -> None:
    @circuitbreaker.circuit(name="coroutine")
    async def coroutine(seconds: float) -> int:
        await asyncio.sleep(seconds)
        return 7

    @circuitbreaker.circuit(name="generator")
    def generator() -> Iterator[int]:
        yield from (1, 2)

    @circuitbreaker.circuit(name="both")
    async def both() -> AsyncIterator[int]:
        yield 1
        yield 2

    async def use() -> list[int]:
        assert sum(await asyncio.gather(coroutine(0.2), coroutine(0.0))) == 14
        task = asyncio.ensure_future(coroutine(60))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return [one async for one in both()]

    assert inspect.iscoroutinefunction(coroutine)
    assert inspect.isasyncgenfunction(both)
    assert asyncio.run(use()) == [1, 2]
    assert list(generator()) == [1, 2]
    assert outcomes(capmeter, "coroutine") == {"success": 3}, "circuitbreaker takes no cancellation for a failure"
    assert outcomes(capmeter, "generator") == outcomes(capmeter, "both") == {"success": 1}
    took = sum(one.sum or 0 for one in capmeter.samples(CALLS) if "coroutine" in one.attributes.values())
    assert 0.2 <= took < 0.4


def test_what_the_users_predicate_lets_pass_is_a_success_and_asked_once(capmeter: CapturingMeter) -> None:
    asked: list[object] = []

    def is_failure(kind: object, _error: object) -> bool:
        asked.append(kind)
        return False

    breaker = circuitbreaker.CircuitBreaker(name="b", expected_exception=is_failure)
    with pytest.raises(VenueDownError), breaker:
        raise VenueDownError

    assert asked == [VenueDownError]
    assert outcomes(capmeter, "b") == {"success": 1}


def test_a_subclass_a_second_time_and_the_end(capmeter: CapturingMeter) -> None:
    class Mine(circuitbreaker.CircuitBreaker):
        def __exit__(self, *error: object) -> bool:
            return bool(super().__exit__(*error)) or True

        @property
        def opened(self) -> bool:
            return bool(super().opened)

    instrumentor = CircuitbreakerInstrumentor()
    instrumentor.instrument()
    breaker = Mine(name="b")
    with breaker:
        raise VenueDownError
    assert outcomes(capmeter, "b") == {"failure": 1}

    with breaker:
        instrumentor.uninstrument()
    assert outcomes(capmeter, "b") == {"failure": 1}
    assert isinstance(circuitbreaker.CircuitBreaker.__exit__, type(_hooked_away))
    assert breaker.closed


def test_a_state_that_nobody_knows_is_left_out(capmeter: CapturingMeter) -> None:
    class Odd(circuitbreaker.CircuitBreaker):
        @property
        def state(self) -> str:
            return "melted"

    with Odd(name="b"):
        pass

    assert outcomes(capmeter, "b") == {"success": 1}
    assert capmeter.samples(STATUS) == []


def _hooked_away() -> None:
    """Any plain function: what a method is again once no hook is on it."""
