"""backoff, oldest and newest: an unchanged script, and what a hook must not do to a retry."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import backoff
import pytest
from retries import RateLimitedError, VenueDownError, check, retries

from otel_trading.instrumentation.backoff import BackoffInstrumentor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_trading.stack import Stack
    from otel_trading.testing import CapturingMeter

BODY = """
import backoff

retry = lambda function: backoff.on_exception(backoff.constant, Exception, interval=0.01, max_tries=4)(function)
"""


@pytest.fixture(autouse=True)
def _hooked(capmeter: CapturingMeter) -> Iterator[None]:
    assert capmeter
    instrumentor = BackoffInstrumentor()
    instrumentor.instrument()
    yield
    instrumentor.uninstrument()


def _on(*answers: Any, **settings: Any) -> Any:
    """Return a function that gives these answers, tried again on an exception."""
    left = list(answers)

    @backoff.on_exception(backoff.constant, VenueDownError, interval=0, jitter=None, max_tries=2, **settings)
    def fetch() -> Any:
        answer = left.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return fetch


def test_retries_are_held(stack: Stack, tmp_path: Path) -> None:
    check(stack, tmp_path, "backoff", BODY)


def test_handlers_of_the_user_are_heard_as_ever(capmeter: CapturingMeter) -> None:
    heard: list[Any] = []
    both = [lambda details: heard.append(details["tries"]), lambda _: heard.append("second")]
    fetch = _on(VenueDownError(), VenueDownError(), on_backoff=both, on_giveup=lambda _: heard.append("gave up"))
    with pytest.raises(VenueDownError):
        fetch()

    assert heard == [1, "second", "gave up"]
    assert len(both) == 2
    assert retries(capmeter) == {("fetch", "VenueDownError"): 1}, "giving up is no retry"
    capmeter.assert_conforms()


def test_a_result_that_is_not_good_yet_has_no_error(capmeter: CapturingMeter) -> None:
    answers = [None, 42, None, 42]

    @backoff.on_predicate(backoff.constant, interval=0, jitter=None)
    def fetch() -> int | None:
        return answers.pop(0)

    @backoff.on_predicate(backoff.constant, interval=0, jitter=None, on_backoff=lambda _: None)
    async def coroutine() -> int | None:
        return answers.pop(0)

    try:
        _on(VenueDownError(), VenueDownError(), on_backoff=lambda _: fetch())()
    except VenueDownError:
        answers[:0] = [None, 42]
        assert fetch() == 42, "the exception that is handled around it is not its own"
    assert asyncio.run(coroutine()) == 42
    assert retries(capmeter) == {("fetch", None): 2, ("coroutine", None): 1, ("fetch", "VenueDownError"): 1}


def test_an_async_exception_and_a_cancellation(capmeter: CapturingMeter) -> None:
    left: list[BaseException] = [VenueDownError()]
    waiting = asyncio.Event()

    @backoff.on_exception(backoff.constant, VenueDownError, interval=0, jitter=None)
    async def wait() -> None:
        if left:
            raise left.pop()
        waiting.set()
        await asyncio.sleep(60)

    async def cancel() -> None:
        task = asyncio.ensure_future(wait())
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert retries(capmeter) == {("wait", "VenueDownError"): 1}


def test_what_a_handler_raises_ends_it_and_is_no_retry(capmeter: CapturingMeter) -> None:
    def refuse(_: object) -> None:
        raise RateLimitedError

    with pytest.raises(RateLimitedError):
        _on(VenueDownError(), on_backoff=refuse)()
    assert retries(capmeter) == {}


def test_a_second_time_and_the_end(capmeter: CapturingMeter) -> None:
    instrumentor = BackoffInstrumentor()
    instrumentor.instrument()
    before = _on(VenueDownError(), 42)
    assert before() == 42
    assert retries(capmeter) == {("fetch", "VenueDownError"): 1}

    seen = _on(VenueDownError(), 42)
    instrumentor.uninstrument()
    unseen = _on(VenueDownError(), 42)
    assert seen() == unseen() == 42
    assert retries(capmeter) == {("fetch", "VenueDownError"): 1}
