from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit_support import Clock, attributes, losses

from otel_trading.semconv import attributes as a
from otel_trading.trackers import ExecutionTracker
from otel_trading.trackers import execution as module

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

FILL = attributes(symbol="BTC", venue="kraken", liquidity="maker")
MARK = attributes(symbol="BTC", venue="kraken")
MARKOUT = "trading.execution.markout"
BOUGHT, SOLD = 1.0, -1.0
HORIZONS = {"1s": 1, "10s": 10, "1m": 60, "5m": 300, "1h": 3600}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def executions(capmeter: CapturingMeter, clock: Clock) -> ExecutionTracker:
    del capmeter  # it has to be there first
    return ExecutionTracker(clock)


def _markouts(captured: CapturingMeter) -> dict[str, tuple[str, float]]:
    rows = captured.samples(MARKOUT)
    return {
        row.attributes[a.MARKOUT_HORIZON.name]: (row.attributes[a.DIRECTION.name], round(row.sum or 0.0, 12))
        for row in rows
    }


def test_each_horizon_is_compared_with_the_mark_that_stood_when_it_ended(
    executions: ExecutionTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    begin = clock.now
    executions.filled(FILL, BOUGHT, 100.0)
    for number, seconds in enumerate(HORIZONS.values(), 1):
        clock.now = begin + seconds  # exactly at its end still counts
        executions.marked(MARK, 100.0 + number)
    clock.now += 1
    executions.marked(MARK, 999.0)

    assert _markouts(capmeter) == {name: ("favorable", number / 100) for number, name in enumerate(HORIZONS, 1)}
    assert {row.attributes[a.LIQUIDITY.name] for row in capmeter.samples(MARKOUT)} == {"maker"}
    assert executions._waiting == 0
    assert not executions._watches
    capmeter.assert_conforms()


@pytest.mark.parametrize(
    ("fill", "mark", "expected"),
    [
        ((BOUGHT, 100.0), 99.0, ("adverse", 0.01)),
        ((SOLD, 100.0), 99.0, ("favorable", 0.01)),
        ((SOLD, 100.0), 101.0, ("adverse", 0.01)),
        ((BOUGHT, 100.0), 100.0, ("flat", 0.0)),
        ((BOUGHT, -10.0), -9.0, ("favorable", 0.1)),  # power and spreads
        ((SOLD, -10.0), 10.0, ("adverse", 2.0)),
    ],
)
def test_a_markout_is_signed_by_the_side(
    capmeter: CapturingMeter, fill: tuple[float, float], mark: float, expected: tuple[str, float]
) -> None:
    clock = Clock()
    executions = ExecutionTracker(clock)
    executions.filled(FILL, *fill)
    executions.marked(MARK, mark)
    clock.now += 2
    executions.marked(MARK, 1.0)

    assert _markouts(capmeter) == {"1s": expected}


def test_without_a_mark_since_the_fill_there_is_no_markout(
    executions: ExecutionTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    executions.filled(FILL, BOUGHT, 100.0)
    clock.now += 5
    executions.marked(MARK, 105.0)  # too late for 1s, in time for 10s
    clock.now += 10
    executions.filled(FILL, BOUGHT, 100.0)  # a fill settles what is over as well

    assert _markouts(capmeter) == {"10s": ("favorable", 0.05)}


@pytest.mark.parametrize("words", [{}, {"symbol": "_other_"}])
def test_a_fill_of_no_certain_symbol_is_not_followed(executions: ExecutionTracker, words: dict[str, str]) -> None:
    executions.filled(attributes(**words), BOUGHT, 100.0)

    assert not executions._watches


def test_relative_to_a_price_of_zero_there_is_no_markout(executions: ExecutionTracker) -> None:
    executions.filled(FILL, BOUGHT, 0.0)

    assert not executions._watches


@pytest.mark.parametrize("mode", ["backtest", "replay"])
def test_simulated_fills_are_not_followed(executions: ExecutionTracker, mode: str) -> None:
    executions.filled(attributes(symbol="BTC").plus(a.MODE, mode), BOUGHT, 100.0)

    assert not executions._watches


def test_a_mark_without_a_venue_is_for_every_venue(
    executions: ExecutionTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    for venue in ("kraken", "binance"):
        executions.filled(attributes(symbol="BTC", venue=venue), BOUGHT, 100.0)
    executions.marked(attributes(symbol="BTC", venue="kraken"), 101.0)
    executions.marked(attributes(symbol="ETH"), 1.0)
    clock.now += 0.5
    executions.marked(attributes(symbol="BTC"), 102.0)
    clock.now += 1
    executions.marked(attributes(symbol="BTC"), 103.0)

    assert capmeter.value(MARKOUT, venue="kraken") == capmeter.value(MARKOUT, venue="binance") == 1
    assert _markouts(capmeter) == {"1s": ("favorable", 0.02)}


def test_a_mark_of_another_venue_is_none_of_ours(
    executions: ExecutionTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    executions.filled(attributes(symbol="BTC", venue="kraken"), BOUGHT, 100.0)
    executions.filled(attributes(symbol="BTC", venue="binance"), BOUGHT, 100.0)
    executions.marked(attributes(symbol="BTC", venue="kraken"), 101.0)
    executions.marked(attributes(symbol="BTC", venue="binance"), 103.0)
    clock.now += 2
    executions.marked(attributes(symbol="BTC"), 1.0)

    found = {row.attributes[a.VENUE.name]: row.sum for row in capmeter.samples(MARKOUT)}
    assert found == {"kraken": pytest.approx(0.01), "binance": pytest.approx(0.03)}


def test_room_is_bounded_and_comes_back(
    executions: ExecutionTracker, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 3)
    for number in range(5):
        executions.filled(attributes(symbol=f"S{number}"), BOUGHT, 100.0)
    assert list(executions._watches) == ["S0", "S1", "S2"]

    clock.now += 3601  # symbols that were never seen again give their room back
    executions.filled(attributes(symbol="S5"), BOUGHT, 100.0)

    assert list(executions._watches) == ["S5"]
    assert executions._waiting == 1


def test_a_markout_that_is_no_number_is_refused(production: CapturingMeter) -> None:
    clock = Clock()
    executions = ExecutionTracker(clock)
    executions.filled(FILL, BOUGHT, 1e-300)
    executions.marked(MARK, 1e300)
    clock.now += 2
    executions.marked(MARK, 1.0)

    assert production.samples(MARKOUT) == []
    assert losses(production) == {"non_finite": 1}


def test_a_clock_that_is_set_back_delays_and_loses_nothing(
    executions: ExecutionTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    begin = clock.now
    executions.filled(FILL, BOUGHT, 100.0)
    clock.now -= 100
    executions.filled(FILL, BOUGHT, 100.0)
    executions.marked(MARK, 101.0)
    clock.now = begin
    executions.marked(MARK, 102.0)
    clock.now = begin + 5
    executions.marked(MARK, 103.0)

    assert capmeter.value(MARKOUT, horizon="1s") == 2


def test_an_execution_is_told_from_its_repetition(
    executions: ExecutionTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_REMEMBERED", 2)

    kraken = attributes(venue="kraken", symbol="A")

    assert [executions.repeated(kraken, name) for name in ("1", "1", "2", "1")] == [False, True, False, True]
    assert not executions.repeated(attributes(venue="binance", symbol="A"), "1"), "an id is a venue's own"
    assert not executions.repeated(kraken, "1"), "the memory is bounded"
    assert len(executions._known) == 2


def test_at_a_venue_that_counts_by_symbol_an_id_is_the_symbols_own(executions: ExecutionTracker) -> None:
    assert not executions.repeated(attributes(venue="binance", symbol="A"), "1")
    assert not executions.repeated(attributes(venue="binance", symbol="B"), "1")
    assert executions.repeated(attributes(venue="binance", symbol="A"), "1")


def test_of_many_threads_that_report_one_execution_one_is_the_first(executions: ExecutionTracker) -> None:
    first: list[int] = []

    def report() -> None:
        first.extend(number for number in range(500) if not executions.repeated(FILL, str(number)))

    threads = [threading.Thread(target=report) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(first) == list(range(500))


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["fill", "mark"]),
        st.floats(0.25, 400).map(lambda seconds: round(seconds * 4) / 4),
        st.floats(1, 1000),
    ),
    max_size=60,
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(_STEPS)
def test_markouts_are_those_of_an_as_of_join(
    monkeypatch: pytest.MonkeyPatch, steps: list[tuple[str, float, float]]
) -> None:
    clock = Clock(0.0)
    recorded: list[tuple[float, float, str, float]] = []
    monkeypatch.setattr(
        module,
        "_record",
        lambda over: recorded.extend((filled, price, horizon, mark) for (filled, price, *_), horizon, mark in over),
    )
    executions = ExecutionTracker(clock)
    fills, marks = [], []
    for what, seconds, price in steps:
        clock.now += seconds
        if what == "fill":
            executions.filled(FILL, BOUGHT, price)
            fills.append((clock.now, price))
        else:
            executions.marked(MARK, price)
            marks.append((clock.now, price))
    clock.now += 10_000
    executions.marked(MARK, 1.0)

    expected = []
    for time, price in fills:
        for horizon, seconds in HORIZONS.items():
            since = [mark for at, mark in marks if time <= at <= time + seconds]
            expected += [(time, price, horizon, since[-1])] if since else []
    assert sorted(recorded) == sorted(expected)
