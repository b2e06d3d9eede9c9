from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

import pytest
from unit_support import series

from otel_trading import health
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

STATUS = "trading.resilience.health_check.status"
DURATION = "trading.resilience.health_check.duration"


class RouteError(Exception):
    def __str__(self) -> str:
        return "no route"


def _raise() -> bool:
    raise RouteError


@pytest.mark.seed("S0-10", "S0-30", "S1-03")
def test_every_check_runs_and_exports_itself(capmeter: CapturingMeter) -> None:
    checks = health.Registry()
    checks.register("database", lambda: (True, "12 ms"))
    checks.register("order_api", lambda: False)
    checks.register("feed", _raise)

    results = checks.run_all()

    assert {name: (result.ok, result.message) for name, result in results.items()} == {
        "database": (True, "12 ms"),
        "order_api": (False, ""),
        "feed": (False, "no route"),
    }
    assert results["feed"].error == "RouteError"
    assert capmeter.value(STATUS, name="database", state="pass") == 1
    assert {
        name: capmeter.value(STATUS, health_check=name, state="fail") for name in ("database", "order_api", "feed")
    } == {"database": 0, "order_api": 1, "feed": 1}
    assert series(capmeter, DURATION, a.HEALTH_CHECK.name) == {"database": 1, "order_api": 1, "feed": 1}
    capmeter.assert_conforms()


@pytest.mark.parametrize("answer", [None, 1, "yes", (1, "x"), (True,), (True, "a", "b")])
def test_an_answer_that_is_none_of_the_three_fails_and_says_so(capmeter: CapturingMeter, answer: object) -> None:
    checks = health.Registry()
    checks.register("odd", lambda: answer)  # type: ignore[arg-type,return-value]

    result = checks.run_all()["odd"]

    assert not result.ok
    assert "Return True, False or (ok, message)." in result.message
    assert capmeter.value(STATUS, state="fail") == 1


def test_a_failure_is_logged_once_until_it_has_passed(
    capmeter: CapturingMeter, caplog: pytest.LogCaptureFixture
) -> None:
    del capmeter
    checks, works = health.Registry(), threading.Event()
    checks.register("feed", lambda: works.is_set() or _raise())
    with caplog.at_level(logging.WARNING, "otel_trading.health"):
        checks.run_all()
        checks.run_all()
        works.set()
        checks.run_all()
        works.clear()
        checks.run_all()

    assert [record.getMessage() for record in caplog.records] == ["Health check feed failed: RouteError: no route"] * 2


def test_async_checks_run_at_the_same_time_and_others_in_threads(capmeter: CapturingMeter) -> None:
    async def scenario() -> dict[str, health.Result]:
        met, loop = asyncio.Event(), asyncio.get_running_loop()

        async def waits() -> bool:
            await asyncio.wait_for(met.wait(), 5)
            return True

        def meets() -> tuple[bool, str]:
            loop.call_soon_threadsafe(met.set)
            return True, threading.current_thread().name

        async def raises() -> bool:
            raise TimeoutError

        checks = health.Registry()
        checks.register("waits", waits)
        checks.register("meets", meets)
        checks.register("raises", raises)
        return await checks.run_all_async()

    results = asyncio.run(scenario())

    assert {name: result.ok for name, result in results.items()} == {"waits": True, "meets": True, "raises": False}
    assert results["meets"].message != threading.main_thread().name
    assert results["raises"].error == "timeout"
    assert series(capmeter, DURATION, a.HEALTH_CHECK.name) == {"waits": 1, "meets": 1, "raises": 1}


def test_without_a_loop_async_checks_get_one(capmeter: CapturingMeter) -> None:
    async def ping() -> tuple[bool, str]:
        await asyncio.sleep(0)
        return True, "pong"

    checks = health.Registry()
    checks.register("ping", ping)

    assert checks.run_all()["ping"].message == "pong"
    assert capmeter.value(STATUS, state="pass") == 1


def test_a_check_registered_again_takes_the_place_of_the_old_one(capmeter: CapturingMeter) -> None:
    checks = health.Registry()
    checks.register("feed", lambda: False)
    checks.register("feed", lambda: True)

    assert checks.run_all()["feed"].ok
    assert capmeter.value(STATUS, state="fail") == 0
