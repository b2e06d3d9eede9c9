"""tenacity, oldest and newest: an unchanged script, and what a hook must not do to a retry."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

import pytest
import tenacity
from retries import RateLimitedError, VenueDownError, check, retries

from otel_trading import meter
from otel_trading.instrumentation.tenacity import TenacityInstrumentor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_trading.stack import Stack
    from otel_trading.testing import CapturingMeter

BODY = """
import tenacity

retry = tenacity.retry(stop=tenacity.stop_after_attempt(4), wait=tenacity.wait_fixed(0.01))
"""


@pytest.fixture(autouse=True)
def _hooked(capmeter: CapturingMeter) -> Iterator[None]:
    assert capmeter
    instrumentor = TenacityInstrumentor()
    instrumentor.instrument()
    yield
    instrumentor.uninstrument()


class Venue:
    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def fetch(self) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def test_retries_are_held(stack: Stack, tmp_path: Path) -> None:
    check(stack, tmp_path, "tenacity", BODY)


def test_callbacks_of_the_user_are_kept_and_heard_as_ever(capmeter: CapturingMeter) -> None:
    heard: list[str] = []

    def say(what: str, state: tenacity.RetryCallState) -> None:
        heard.append(f"{what} {state.attempt_number}")

    callbacks: dict[str, Any] = {name: functools.partial(say, name) for name in ("before", "after", "before_sleep")}
    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(2), retry_error_callback=lambda _: "gave up", **callbacks
    )
    venue = Venue(VenueDownError(), RateLimitedError())

    assert retrying(venue.fetch) == "gave up"
    assert heard == ["before 1", "after 1", "before_sleep 1", "before 2", "after 2"]
    assert all(getattr(retrying, name) is callback for name, callback in callbacks.items())
    assert retries(capmeter) == {("Venue.fetch", "VenueDownError"): 1}, "giving up is no retry"
    capmeter.assert_conforms()


def test_a_result_to_be_repeated_and_a_retry_by_wish_count(capmeter: CapturingMeter) -> None:
    venue = Venue(None, tenacity.TryAgain(), 42)
    function = functools.partial(venue.fetch)

    assert tenacity.Retrying(retry=tenacity.retry_if_result(lambda one: one is None))(function) == 42
    assert retries(capmeter) == {("Venue.fetch", None): 1, ("Venue.fetch", "TryAgain"): 1}


def test_loops_are_named_after_who_runs_them(capmeter: CapturingMeter) -> None:
    venue = Venue(VenueDownError(), 1, VenueDownError(), 2)

    def sync_loop() -> None:
        for attempt in tenacity.Retrying():
            with attempt:
                venue.fetch()

    async def async_loop() -> None:
        async for attempt in tenacity.AsyncRetrying():
            with attempt:
                venue.fetch()

    sync_loop()
    asyncio.run(async_loop())
    found = retries(capmeter)
    assert {(name.rpartition(".")[2], error): count for (name, error), count in found.items()} == {
        ("sync_loop", "VenueDownError"): 1,
        ("async_loop", "VenueDownError"): 1,
    }


def test_a_cancellation_passes_and_is_no_retry(capmeter: CapturingMeter) -> None:
    @tenacity.retry
    async def wait() -> None:
        await asyncio.sleep(60)

    async def cancel() -> None:
        task = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert retries(capmeter) == {}


def test_the_users_own_counting_takes_the_place_of_ours(capmeter: CapturingMeter) -> None:
    TenacityInstrumentor().instrument()
    venue = Venue(VenueDownError(), 42)
    assert tenacity.Retrying(before_sleep=meter.before_sleep(operation="quote"))(venue.fetch) == 42

    assert retries(capmeter) == {("quote", "VenueDownError"): 1}


def test_subclasses_and_what_callbacks_raise_pass(capmeter: CapturingMeter) -> None:
    class Mine(tenacity.Retrying):
        decisions = 0

        def iter(self, retry_state: tenacity.RetryCallState) -> Any:
            Mine.decisions += 1
            return super().iter(retry_state)

    venue = Venue(VenueDownError(), 42)
    assert Mine()(venue.fetch) == 42
    assert Mine.decisions == 4 - 1 + 1

    def refuse(_: tenacity.RetryCallState) -> None:
        raise RateLimitedError

    with pytest.raises(RateLimitedError):
        tenacity.Retrying(before_sleep=refuse)(Venue(VenueDownError()).fetch)
    assert retries(capmeter) == {("Venue.fetch", "VenueDownError"): 1}


def test_taken_off_between_two_attempts(capmeter: CapturingMeter) -> None:
    answers = Venue(VenueDownError(), VenueDownError(), 42)

    def fetch() -> Any:
        if len(answers.answers) == 2:
            TenacityInstrumentor().uninstrument()
        return answers.fetch()

    assert tenacity.Retrying()(fetch) == 42
    assert retries(capmeter) == {("fetch", "VenueDownError"): 1}
    assert not hasattr(tenacity.BaseRetrying.iter, "__wrapped__")
    assert not hasattr(tenacity.AsyncRetrying.iter, "__wrapped__")
