"""From a tick to the order that answers it, in threads and tasks."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

import pytest
from unit_support import Clock, attributes, losses

from otel_trading import meter
from otel_trading.semconv import attributes as a
from otel_trading.trackers import TickTracker

if TYPE_CHECKING:
    from otel_trading.semconv.attributes import OrderOperation
    from otel_trading.testing import CapturingMeter

DURATION = "trading.tick_to_trade.duration"
TICK = attributes(data_source="kraken")


def _send(client_id: str = "1") -> None:
    meter.order_sent(client_id=client_id, symbol="BTC", side="buy")


def test_the_first_order_of_a_tick_counts_and_no_other(capmeter: CapturingMeter) -> None:
    clock = Clock()
    ticks = TickTracker(clock)
    ticks.begin(TICK, waited=0.5)
    clock.now += 2
    ticks.written()
    clock.now += 2
    ticks.written()
    ticks.end()
    ticks.written()

    (sample,) = capmeter.samples(DURATION)
    assert (sample.value, sample.sum) == (1, 2.5)
    assert sample.attributes[a.DATA_SOURCE.name] == "kraken"
    capmeter.assert_conforms()


def test_a_tick_inside_a_tick_is_its_own(capmeter: CapturingMeter) -> None:
    clock = Clock()
    ticks = TickTracker(clock)
    ticks.begin(TICK)
    clock.now += 10
    ticks.begin(attributes(data_source="okx"))
    clock.now += 1
    ticks.written()
    ticks.end()
    ticks.written()
    ticks.end()
    ticks.end()

    assert {row.attributes[a.DATA_SOURCE.name]: row.sum for row in capmeter.samples(DURATION)} == {
        "okx": 1,
        "kraken": 11,
    }


def test_a_block_is_timed_until_its_order_is_written(capmeter: CapturingMeter) -> None:
    with meter.tick_to_trade(source="kraken", venue="kraken"), meter.order_request(client_id="1", symbol="BTC"):
        time.sleep(0.2)  # the venue's reply is no part of it

    (sample,) = capmeter.samples(DURATION)
    assert sample.value == 1
    assert sample.sum is not None
    assert 0 < sample.sum < 0.2
    capmeter.assert_conforms()


def test_a_tick_that_waited_in_a_queue_is_older_than_its_block(capmeter: CapturingMeter) -> None:
    with meter.tick_to_trade(received=time.time() - 3):
        _send()

    assert capmeter.samples(DURATION)[0].sum == pytest.approx(3, abs=1)


def test_a_time_of_receipt_that_means_nothing_costs_only_itself(production: CapturingMeter) -> None:
    with meter.tick_to_trade(received=time.time() * 1000):
        _send()

    assert production.value(DURATION) == 1
    assert losses(production) == {"invalid_value": 1}


@pytest.mark.parametrize(("operation", "count"), [("replace", 1), ("cancel", 1), ("mass_cancel", 1), ("status", 0)])
def test_what_changes_an_order_answers_a_tick_and_a_question_does_not(
    capmeter: CapturingMeter, operation: OrderOperation, count: int
) -> None:
    with meter.tick_to_trade(), meter.order_request(operation=operation):
        pass

    assert sum(row.value for row in capmeter.samples() if row.name == DURATION) == count


def test_without_an_order_or_outside_a_block_nothing_is_recorded(capmeter: CapturingMeter) -> None:
    with meter.tick_to_trade():
        pass
    with pytest.raises(KeyError), meter.tick_to_trade():
        raise KeyError
    _send()

    assert capmeter.samples(DURATION) == []


def test_another_thread_handles_its_own_tick(capmeter: CapturingMeter) -> None:
    with meter.tick_to_trade():
        other = threading.Thread(target=_send)
        other.start()
        other.join()
        assert capmeter.samples(DURATION) == []
        _send("2")

    assert capmeter.value(DURATION) == 1


def test_tasks_keep_their_ticks_apart_and_those_they_start_inherit_them(capmeter: CapturingMeter) -> None:
    @meter.tick_to_trade(source="kraken")
    async def on_tick(number: int) -> None:
        await asyncio.sleep(0)
        await asyncio.create_task(_order(number))

    async def _order(number: int) -> None:
        await asyncio.sleep(0)
        _send(str(number))

    async def main() -> None:
        await asyncio.gather(*(on_tick(number) for number in range(5)))
        _send("late")

    asyncio.run(main())

    assert capmeter.value(DURATION, source="kraken") == 5
