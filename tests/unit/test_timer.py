from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
from typing import TYPE_CHECKING, Any, cast

import pytest
from unit_support import losses

from otel_trading import meter
from otel_trading._timer import Timer, error_type

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator

    from otel_trading.testing import CapturingMeter

OPERATION = "trading.operation.duration"


class BrokerError(Exception):
    """With a code of its own, and false, as an empty collection of errors is."""

    def __bool__(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, None),
        ("", None),
        ("429", "429"),
        (429, "429"),
        (0, "0"),
        (BrokerError(), "BrokerError"),
        (BrokerError, "BrokerError"),
        (TimeoutError(), "timeout"),
        (TimeoutError, "timeout"),
        (asyncio.TimeoutError(), "timeout"),
        (concurrent.futures.TimeoutError(), "timeout"),
        (ConnectionResetError(), "ConnectionResetError"),
    ],
)
def test_an_error_becomes_its_type(error: object, expected: str | None) -> None:
    assert error_type(error) == expected


def test_a_block_is_timed_and_its_exception_passes_unchanged(capmeter: CapturingMeter) -> None:
    raised = BrokerError("no")
    with pytest.raises(BrokerError) as caught, meter.timed("block"):
        raise raised

    assert caught.value is raised
    assert capmeter.value(OPERATION, operation="block", type="BrokerError") == 1


@pytest.mark.seed("S1-08")
def test_a_block_measures_seconds(capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([10.0, 12.5])
    monkeypatch.setattr("time.perf_counter", lambda: next(now))

    with meter.timed("block"):
        pass

    (sample,) = capmeter.samples(OPERATION)
    assert sample.sum == 2.5
    assert "error.type" not in sample.attributes


@pytest.mark.seed("S0-06")
def test_a_decorated_function_keeps_result_name_and_arguments(capmeter: CapturingMeter) -> None:
    @meter.timed("add")
    def add(left: int, right: int = 2) -> int:
        """Add."""
        return left + right

    assert [add(1), add(1, right=5)] == [3, 6]
    assert (add.__name__, add.__doc__) == ("add", "Add.")
    assert capmeter.value(OPERATION, operation="add") == 2


def test_a_decorated_method_still_gets_its_object(capmeter: CapturingMeter) -> None:
    class Bot:
        @meter.timed("step")
        def step(self) -> Bot:
            return self

    bot = Bot()
    assert bot.step() is bot
    assert capmeter.value(OPERATION, operation="step") == 1


def test_recursion_times_each_call_on_its_own(capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(float(number) for number in range(100))
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks))

    @meter.timed("fall")
    def fall(depth: int) -> int:
        return fall(depth - 1) if depth else 0

    fall(2)

    (sample,) = capmeter.samples(OPERATION)
    assert (sample.value, sample.sum) == (3, 1 + 3 + 5)  # begin 0, 1, 2 and end 3, 4, 5


def test_nested_timers_each_record(capmeter: CapturingMeter) -> None:
    with meter.timed("outer"), meter.timed("inner"), meter.indicator(name="rsi"):
        pass

    assert capmeter.value(OPERATION) == 2
    assert capmeter.value("trading.indicator.calculation.duration", indicator="rsi") == 1


def test_a_coroutine_function_is_timed_until_it_returns(capmeter: CapturingMeter) -> None:
    release = asyncio.Event()

    @meter.timed("fetch")
    async def fetch() -> str:
        await release.wait()
        return "done"

    async def main() -> str:
        task = asyncio.create_task(fetch())
        await asyncio.sleep(0)
        assert not capmeter.samples(OPERATION)
        release.set()
        return await task

    assert inspect.iscoroutinefunction(fetch)
    assert asyncio.run(main()) == "done"
    assert capmeter.value(OPERATION, operation="fetch") == 1


def test_an_async_block_is_timed(capmeter: CapturingMeter) -> None:
    async def main() -> None:
        async with meter.timed("block"):
            await asyncio.sleep(0)

    asyncio.run(main())

    assert capmeter.value(OPERATION, operation="block") == 1


def test_a_cancelled_task_stays_cancelled_and_is_told_as_such(capmeter: CapturingMeter) -> None:
    @meter.timed("wait")
    async def wait() -> None:
        await asyncio.Event().wait()

    async def main() -> bool:
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(main())
    assert capmeter.value(OPERATION, type="CancelledError") == 1


@pytest.mark.usefixtures("capmeter")
def test_a_generator_still_generates() -> None:
    @meter.timed("ticks")
    def ticks() -> Generator[int, int, None]:
        received = yield 1
        yield received

    generator = cast("Any", ticks())

    assert next(generator) == 1
    assert generator.send(7) == 7


@pytest.mark.usefixtures("capmeter")
def test_an_async_generator_still_generates() -> None:
    @meter.timed("ticks")
    async def ticks() -> AsyncIterator[int]:
        for number in range(3):
            yield number

    async def main() -> list[int]:
        return [number async for number in ticks()]

    assert asyncio.run(main()) == [0, 1, 2]


TIMERS: dict[str, Callable[..., Any]] = {
    "timed": meter.timed,
    "iteration": meter.iteration,
    "indicator": meter.indicator,
    "venue_call": meter.venue_call,
    "order_request": meter.order_request,
}


@pytest.mark.parametrize("helper", TIMERS)
def test_a_wrong_keyword_in_production_gives_a_timer_that_records_nothing(
    production: CapturingMeter, helper: str
) -> None:
    ran = []

    with TIMERS[helper](wrong=1) as timer:
        ran.append(1)

    assert isinstance(timer, Timer)
    assert ran == [1]
    assert {sample.name for sample in production.samples()} == {"trading.sdk.dropped"}
    assert losses(production) == {"invalid_value": 1}


@pytest.mark.parametrize("helper", TIMERS)
def test_a_bare_decorator_never_swallows_the_function(production: CapturingMeter, helper: str) -> None:
    del production

    @TIMERS[helper]
    def double(value: int) -> int:
        return value * 2

    assert double(4) == 8


@pytest.mark.parametrize("helper", ["timed", "venue_call"])
def test_a_name_that_cannot_be_recorded_never_reaches_the_block(production: CapturingMeter, helper: str) -> None:
    name: Any = ["unhashable"]
    timer = meter.timed(name) if helper == "timed" else meter.venue_call(operation=name)

    with timer:
        pass

    assert losses(production) == {"invalid_value": 1}


def test_an_order_request_with_a_wrong_side_is_counted_once(production: CapturingMeter) -> None:
    with TIMERS["order_request"](client_id="1", side="long"):
        pass

    assert losses(production) == {"unknown_value": 1}


def test_a_loop_that_raised_is_timed_but_is_no_heartbeat(capmeter: CapturingMeter) -> None:
    with pytest.raises(BrokerError), meter.iteration(strategy="one"):
        raise BrokerError

    assert capmeter.value("trading.strategy.iteration.duration", type="BrokerError") == 1
    assert not capmeter.samples("trading.strategy.heartbeat.time")
