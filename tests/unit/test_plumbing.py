"""Caches and event buses that others wrote, attached in one line."""

from __future__ import annotations

import asyncio
from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest
from unit_support import losses, series

from otel_trading import meter
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading.testing import CapturingMeter

PUBLISHED = "trading.event_bus.published.events"
PROCESSED = "trading.event_bus.processed.events"
DURATION = "trading.event_bus.process.duration"
QUEUE = "trading.event_bus.queue.size"
SUBSCRIBERS = "trading.event_bus.subscriber.count"


class MinimalBus:
    """What a bot has: a queue, handlers by type of event, and a pump."""

    def __init__(self) -> None:
        self.waiting: deque[str] = deque()
        self.handlers: list[Callable[[str], None]] = []

    def publish(self, event: str) -> int:
        self.waiting.append(event)
        return len(self.waiting)

    def pump(self) -> None:
        while self.waiting:
            self.process(self.waiting.popleft())

    def process(self, event: str) -> None:
        for handler in self.handlers:
            handler(event)


def _watch(bus: MinimalBus, *, enabled: bool = True) -> None:
    meter.watch_event_bus(
        bus,
        publish="publish",
        process="process",
        queue_size=lambda: len(bus.waiting),
        subscribers=lambda: len(bus.handlers),
        enabled=enabled,
    )


@pytest.mark.seed("S4-06", "S4-07", "S4-08", "S4-09", "S4-10")
def test_a_bus_attached_in_one_line_reports_itself(capmeter: CapturingMeter) -> None:
    bus = MinimalBus()
    _watch(bus)
    seen: list[str] = []
    bus.handlers.append(seen.append)

    assert [bus.publish("tick"), bus.publish("tick"), bus.publish("fill")] == [1, 2, 3]
    assert capmeter.value(QUEUE) == 3
    bus.pump()

    assert seen == ["tick", "tick", "fill"]
    assert series(capmeter, PUBLISHED, a.EVENT_TYPE.name) == {"tick": 2, "fill": 1}
    assert series(capmeter, PROCESSED, a.EVENT_TYPE.name) == {"tick": 2, "fill": 1}
    assert series(capmeter, DURATION, a.EVENT_TYPE.name) == {"tick": 2, "fill": 1}
    assert (capmeter.value(QUEUE), capmeter.value(SUBSCRIBERS)) == (0, 1)
    capmeter.assert_conforms()


@pytest.mark.seed("S4-14")
def test_enabled_false_leaves_a_bus_alone(capmeter: CapturingMeter) -> None:
    bus = MinimalBus()
    _watch(bus, enabled=False)
    bus.publish("tick")
    bus.pump()

    assert capmeter.samples() == []
    assert "publish" not in vars(bus)


def test_attached_twice_counts_once(capmeter: CapturingMeter) -> None:
    bus = MinimalBus()
    _watch(bus)
    _watch(bus)
    bus.publish("tick")

    assert capmeter.value(PUBLISHED) == 1


def test_a_handler_that_raises_is_processed_with_its_error_and_still_raises(capmeter: CapturingMeter) -> None:
    bus = MinimalBus()
    _watch(bus)
    bus.handlers.append(lambda _: 1 / 0)  # type: ignore[arg-type]
    bus.publish("tick")
    with pytest.raises(ZeroDivisionError):
        bus.pump()

    assert capmeter.value(PROCESSED, type="ZeroDivisionError") == 1
    assert capmeter.value(DURATION, type="tick") == 1


def test_an_async_bus_is_timed_until_its_handlers_return(capmeter: CapturingMeter) -> None:
    class AsyncBus:
        async def emit(self, event: str, *, payload: int) -> tuple[str, int]:
            await asyncio.sleep(0.02)
            return event, payload

    bus = AsyncBus()
    meter.watch_event_bus(bus, process="emit")

    assert asyncio.run(bus.emit("tick", payload=3)) == ("tick", 3)
    (sample,) = capmeter.samples(DURATION)
    assert sample.sum is not None
    assert sample.sum >= 0.02


class Topic(Enum):
    TICK = "tick"


class Fill:
    pass


@pytest.mark.parametrize(("event", "kind"), [("tick", "tick"), (Topic.TICK, "tick"), (Fill(), "Fill"), (Fill, "Fill")])
def test_an_event_is_called_by_its_type(capmeter: CapturingMeter, event: Any, kind: str) -> None:
    bus = MinimalBus()
    _watch(bus)
    bus.publish(event)

    assert capmeter.value(PUBLISHED, type=kind) == 1


def test_a_bus_without_the_named_method_works_on(production: CapturingMeter) -> None:
    bus = MinimalBus()
    meter.watch_event_bus(bus, publish="send")

    assert bus.publish("tick") == 1
    assert losses(production) == {"internal_error": 1}


def test_a_handler_is_timed_as_a_decorator_too(capmeter: CapturingMeter) -> None:
    @meter.event_handler(type="fill")
    def on_fill(quantity: int) -> int:
        return quantity

    assert on_fill(4) == 4
    meter.event_published(type="fill", error=BufferError())

    assert capmeter.value(PROCESSED, type="fill") == 1
    assert capmeter.value(PUBLISHED, type="BufferError") == 1


@pytest.mark.seed("S1-23")
def test_the_size_of_a_cache_is_read_at_every_collection(capmeter: CapturingMeter) -> None:
    sizes = {"bars": 100}
    meter.watch_cache(name="bars", level="l1", size=lambda: sizes["bars"])
    assert capmeter.value("trading.cache.usage", cache="bars", level="l1") == 100

    sizes["bars"] = 50
    assert capmeter.value("trading.cache.usage") == 50
    meter.watch_cache(name="bars", level="l1", size=lambda: 7)
    assert capmeter.value("trading.cache.usage") == 7
    capmeter.assert_conforms()


@pytest.mark.seed("S0-04", "S0-14", "S1-22")
def test_hits_and_misses_are_counted_by_level(capmeter: CapturingMeter) -> None:
    meter.cache_hit(name="bars", level="l1")
    meter.cache_hit(name="bars", level="l1")
    meter.cache_missed(name="bars", level="l1")

    outcomes = series(capmeter, "trading.cache.requests", a.CACHE_OUTCOME.name)
    assert outcomes == {"hit": 2, "miss": 1}
    assert outcomes["hit"] / capmeter.value("trading.cache.requests", level="l1") == pytest.approx(2 / 3)


def test_a_function_that_fails_loses_its_own_series_only(production: CapturingMeter) -> None:
    meter.watch_cache(name="broken", size=lambda: 1 // 0)
    meter.watch_cache(name="odd", size=lambda: "many")
    meter.watch_cache(name="bars", size=lambda: 5)

    assert series(production, "trading.cache.usage", a.CACHE.name) == {"bars": 5}
    assert losses(production)["internal_error"] >= 1
    assert losses(production)["invalid_value"] >= 1


def test_a_collection_never_raises_in_strict_mode(capmeter: CapturingMeter) -> None:
    meter.watch_cache(name="broken", size=lambda: -1)
    meter.watch_cache(name="bars", size=lambda: 5)

    assert series(capmeter, "trading.cache.usage", a.CACHE.name) == {"bars": 5}
