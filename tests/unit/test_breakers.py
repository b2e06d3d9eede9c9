"""Breakers that others wrote, attached in one line: the real pybreaker and the real tenacity."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pybreaker
import pytest
import tenacity
from unit_support import losses, series

from otel_trading import meter
from otel_trading.semconv import attributes as a
from trace_support import tracing

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

STATUS = "trading.resilience.circuit_breaker.status"
TRANSITIONS = "trading.resilience.circuit_breaker.transitions"
CALLS = "trading.resilience.circuit_breaker.call.duration"


class VenueDownError(Exception):
    pass


def _fail() -> None:
    raise VenueDownError


def _outcomes(captured: CapturingMeter) -> dict[str, float]:
    found: dict[str, float] = {}
    for sample in captured.samples(CALLS):
        outcome = sample.attributes[a.BREAKER_OUTCOME.name]
        found[outcome] = found.get(outcome, 0) + sample.value
    return found


def _tripped(breaker: pybreaker.CircuitBreaker) -> None:
    for _ in range(2):
        with pytest.raises((VenueDownError, pybreaker.CircuitBreakerError)):
            breaker.call(_fail)


@pytest.fixture
def breaker(capmeter: CapturingMeter) -> pybreaker.CircuitBreaker:
    del capmeter
    made = pybreaker.CircuitBreaker(fail_max=2, reset_timeout=60, name="kraken_rest")
    meter.watch_breaker(made)
    return made


@pytest.mark.seed("S0-09", "S0-29", "S4-01")
def test_a_breaker_shows_its_state_from_the_start(capmeter: CapturingMeter, breaker: pybreaker.CircuitBreaker) -> None:
    assert series(capmeter, STATUS, a.BREAKER_STATE.name) == {"closed": 1, "open": 0, "half_open": 0}
    assert capmeter.samples(TRANSITIONS) == []

    _tripped(breaker)

    assert series(capmeter, STATUS, a.BREAKER_STATE.name) == {"closed": 0, "open": 1, "half_open": 0}
    capmeter.assert_conforms()


@pytest.mark.seed("S4-02", "S4-03", "S4-04", "S4-05")
def test_a_breaker_reports_transitions_and_the_outcome_of_every_call(
    capmeter: CapturingMeter, breaker: pybreaker.CircuitBreaker
) -> None:
    @breaker
    def balance() -> int:
        return 7

    assert balance() == 7
    _tripped(breaker)
    with pytest.raises(pybreaker.CircuitBreakerError):
        balance()
    breaker.reset_timeout = 0
    assert balance() == 7

    assert _outcomes(capmeter) == {"success": 2, "failure": 2, "short_circuited": 1}
    assert series(capmeter, TRANSITIONS, a.BREAKER_STATE.name) == {"open": 1, "half_open": 1, "closed": 1}
    errors = {s.attributes.get("error.type"): s.value for s in capmeter.samples(CALLS)}
    assert errors == {None: 2, "VenueDownError": 2, "CircuitBreakerError": 1}
    capmeter.assert_conforms()


def test_a_trial_that_fails_is_a_failure_and_no_short_circuit(
    capmeter: CapturingMeter, breaker: pybreaker.CircuitBreaker
) -> None:
    _tripped(breaker)
    breaker.reset_timeout = 0
    with pytest.raises(pybreaker.CircuitBreakerError):
        breaker.call(_fail)

    assert _outcomes(capmeter) == {"failure": 3}
    assert series(capmeter, TRANSITIONS, a.BREAKER_STATE.name) == {"open": 2, "half_open": 1}


def test_an_excluded_error_is_a_success_as_the_breaker_says(capmeter: CapturingMeter) -> None:
    breaker = pybreaker.CircuitBreaker(fail_max=1, exclude=[VenueDownError], name="b")
    meter.watch_breaker(breaker)
    with pytest.raises(VenueDownError):
        breaker.call(_fail)

    assert _outcomes(capmeter) == {"success": 1}


def test_calls_of_two_breakers_inside_each_other_keep_their_own_time(
    capmeter: CapturingMeter, breaker: pybreaker.CircuitBreaker
) -> None:
    inner = pybreaker.CircuitBreaker(fail_max=9, name="inner")
    meter.watch_breaker(inner)
    waited = threading.Event()

    def slow() -> None:
        waited.wait(0.05)
        inner.call(lambda: None)

    breaker.call(slow)
    with breaker.calling(), pytest.raises(VenueDownError), inner.calling():
        raise VenueDownError

    times = {sample.attributes[a.BREAKER.name]: sample.sum for sample in capmeter.samples(CALLS)}
    assert times["kraken_rest"] is not None
    assert times["inner"] is not None
    assert times["kraken_rest"] >= 0.05 > times["inner"]
    assert _outcomes(capmeter) == {"success": 3, "failure": 1}


def test_tasks_that_interleave_keep_their_own_time(capmeter: CapturingMeter, breaker: pybreaker.CircuitBreaker) -> None:
    async def call(seconds: float) -> None:
        with breaker.calling():
            await asyncio.sleep(seconds)

    async def both() -> None:
        await asyncio.gather(call(0.2), call(0.0), call(0.0))

    asyncio.run(both())

    (sample,) = capmeter.samples(CALLS)
    assert sample.value == 3
    assert sample.sum is not None
    assert 0.2 <= sample.sum < 0.4, "by thread the long call's start would stand for a short one"


@pytest.mark.seed("S4-14")
def test_enabled_false_leaves_a_breaker_alone(capmeter: CapturingMeter) -> None:
    breaker = pybreaker.CircuitBreaker(name="b")
    meter.watch_breaker(breaker, enabled=False)
    breaker.call(lambda: None)

    assert breaker.listeners == ()
    assert capmeter.samples() == []


def test_attached_twice_counts_once(capmeter: CapturingMeter, breaker: pybreaker.CircuitBreaker) -> None:
    meter.watch_breaker(breaker)
    breaker.call(lambda: None)

    assert _outcomes(capmeter) == {"success": 1}


def test_a_breaker_without_a_name_is_refused_and_works_on(production: CapturingMeter) -> None:
    breaker = pybreaker.CircuitBreaker()
    meter.watch_breaker(breaker)

    assert breaker.call(lambda: 3) == 3
    assert losses(production) == {"invalid_value": 1}


def test_what_is_no_breaker_never_raises_into_the_bot(production: CapturingMeter) -> None:
    meter.watch_breaker(object())  # type: ignore[arg-type]

    assert losses(production) == {"internal_error": 1}


def test_telemetry_that_fails_changes_no_call(
    production: CapturingMeter, breaker: pybreaker.CircuitBreaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otel_trading.meter.breakers._state", lambda _: 1 / 0)
    _tripped(breaker)

    assert breaker.current_state == "open"
    assert losses(production) == {"internal_error": 1}


def test_said_by_hand_a_breaker_was_closed_to_begin_with(capmeter: CapturingMeter) -> None:
    meter.breaker_changed(name="b", state="closed")
    meter.breaker_changed(name="b", state="open")
    meter.breaker_changed(name="b", state="open")
    meter.breaker_called(name="b", outcome="short_circuited", seconds=0)

    assert capmeter.value(TRANSITIONS) == capmeter.value(TRANSITIONS, state="open") == 1
    assert capmeter.value(CALLS, outcome="short_circuited") == 1


def test_a_change_is_an_event_too(capmeter: CapturingMeter, breaker: pybreaker.CircuitBreaker) -> None:
    assert capmeter
    with tracing() as traced:
        _tripped(breaker)

    event = traced.event("trading.resilience.circuit_breaker.state_changed")
    assert event.attributes is not None
    assert event.attributes[a.BREAKER_STATE.name] == "open"


@pytest.mark.seed("S0-11")
def test_tenacity_counts_its_retries_in_one_line(capmeter: CapturingMeter) -> None:
    answers = iter([VenueDownError(), None, 42])

    @tenacity.retry(
        wait=tenacity.wait_none(),
        retry=tenacity.retry_if_exception_type() | tenacity.retry_if_result(lambda result: result is None),
        before_sleep=meter.before_sleep(operation="fetch_balance"),
    )
    def fetch() -> object:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert fetch() == 42
    retries = capmeter.samples("trading.resilience.retries")
    assert {sample.attributes.get("error.type"): sample.value for sample in retries} == {"VenueDownError": 1, None: 1}
    assert capmeter.value("trading.resilience.retries", operation="fetch_balance") == 2
    capmeter.assert_conforms()
