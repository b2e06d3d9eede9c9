"""A portfolio that goes on from its snapshot is the one that never stopped; a damaged snapshot changes nothing."""

from __future__ import annotations

import json
import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit_support import Clock, attributes, losses

from otel_trading import _attributes, meter, trackers
from otel_trading._attributes import OTHER
from otel_trading.semconv import portfolio as metrics
from otel_trading.trackers import PortfolioTracker, Trackers

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

from snapshot_support import DAY, START, SYMBOLS, month, new_tracker, seen, take, terms

PNL = "trading.portfolio.pnl"

money = st.integers(-90_000, 90_000).map(lambda cents: cents / 100)
prices = st.integers(1, 90_000).map(lambda cents: cents / 100)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("fill"), st.sampled_from(SYMBOLS), st.integers(-30, 30).filter(bool), prices, money),
        st.tuples(st.just("mark"), st.sampled_from(SYMBOLS), prices),
        st.tuples(st.just("fund"), st.sampled_from(SYMBOLS), money),
        st.tuples(st.just("fee"), st.sampled_from(SYMBOLS), money),
        st.tuples(st.just("deposit"), st.sampled_from(SYMBOLS), money),
        st.tuples(st.just("split"), st.sampled_from(SYMBOLS), st.sampled_from([2.0, 0.1, 3.0])),
        st.tuples(st.just("state"), st.sampled_from(SYMBOLS), st.integers(-5, 5), st.none() | prices),
        st.tuples(st.just("equity"), st.sampled_from(SYMBOLS), prices),
        st.tuples(st.just("report"), st.sampled_from(SYMBOLS), money, st.none() | money),
        st.tuples(st.just("liquidation"), st.sampled_from(SYMBOLS), st.none() | prices),
        st.tuples(st.just("rate"), st.sampled_from(SYMBOLS), prices),
        st.tuples(st.just("pass"), st.sampled_from([3600.0, DAY, 3 * DAY, -600.0])),
    ),
    max_size=40,
)


@pytest.fixture
def traded() -> tuple[PortfolioTracker, Clock]:
    return month()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, steps, st.sampled_from(["average", "fifo"]))
def test_a_restored_portfolio_goes_on_as_if_it_had_never_stopped(
    capmeter: CapturingMeter, before: list[tuple[Any, ...]], after: list[tuple[Any, ...]], cost: str
) -> None:
    del capmeter
    clock = Clock(START)
    tracker = new_tracker(clock, cost)
    terms(tracker)
    for number, step in enumerate(before):
        take(tracker, clock, step, number)
    file = json.dumps(tracker.snapshot())
    later = Clock(clock.now)
    restored = new_tracker(later, cost)
    assert restored.restore(file) is not None

    assert seen(restored) == seen(tracker)
    assert json.dumps(restored.snapshot()) == json.dumps(tracker.snapshot())
    for step in after:
        take(tracker, clock, step)
        take(restored, later, step)
    assert seen(restored) == seen(tracker)


def test_everything_of_a_month_is_in_it(capmeter: CapturingMeter, traded: tuple[PortfolioTracker, Clock]) -> None:
    """What the last test does not reach in a short sequence: full windows, lots, statistics."""
    del capmeter
    tracker, clock = traded
    restored = new_tracker(clock, "fifo")
    restored.restore(tracker.snapshot())

    assert all(rows for metric, rows in seen(restored).items())
    for tail in range(50):
        for one in (tracker, restored):
            take(one, clock, ("fill", "ACME", (-1) ** tail * 7, 90.0 + tail, 0.0))
        clock.now += DAY / 3
        assert seen(restored) == seen(tracker)


def test_sums_of_money_are_text_in_full_length(capmeter: CapturingMeter) -> None:
    del capmeter
    tracker = PortfolioTracker(Clock(START))
    key = attributes(symbol="ACME", currency="USD")
    for price in (0.1, 0.2, 0.3):
        tracker.filled(key, 7, price)
    snapshot = json.loads(json.dumps(tracker.snapshot()))
    ((_, position),) = snapshot["positions"]

    assert Decimal(position["basis"]) == Decimal("4.2")
    assert position["quantity"] == "21"
    assert (snapshot["format"], snapshot["version"]) == ("otel-trading portfolio", 1)


def test_what_was_held_before_is_forgotten(capmeter: CapturingMeter) -> None:
    tracker = PortfolioTracker(Clock(START))
    empty = tracker.snapshot()
    tracker.filled(attributes(symbol="ACME", currency="USD"), 1, 100.0)
    assert capmeter.value("trading.position.quantity") == 1
    tracker.restore(empty)

    assert capmeter.samples("trading.position.quantity") == []
    tracker.marked(attributes(symbol="ACME"), 120.0)
    assert capmeter.samples(PNL) == []


def test_a_collection_that_has_begun_shows_nothing_of_before(capmeter: CapturingMeter) -> None:
    del capmeter
    tracker = PortfolioTracker(Clock(START))
    empty = tracker.snapshot()
    tracker.filled(attributes(symbol="ACME", currency="USD"), 1, 100.0)
    tracker._rows(metrics.VALUE)
    tracker.restore(empty)

    assert tracker._rows(metrics.PNL) == []


def test_a_replay_of_fills_counts_once(production: CapturingMeter) -> None:
    def fill(number: int) -> None:
        meter.order_filled(
            symbol="ACME", side="buy", price=10, quantity=1, currency="USD", venue="xnas", execution_id=f"e{number}"
        )

    for number in range(5):
        fill(number)
    file = json.dumps(meter.portfolio_snapshot()).encode()
    trackers.set_default(None)  # the process ends, and another one begins
    assert meter.restore_portfolio(snapshot=file) is True
    for number in range(7):
        fill(number)

    assert production.value("trading.position.quantity") == 7
    assert losses(production) == {"duplicate": 5}


def test_a_fill_that_is_not_in_it_is_none_that_was_reported(production: CapturingMeter) -> None:
    """Without a currency it moved no position: reported again with one, it does."""
    call = {"symbol": "ACME", "side": "buy", "price": 10, "quantity": 1, "execution_id": "e1"}
    meter.order_filled(**call)  # type: ignore[arg-type]
    snapshot = meter.portfolio_snapshot()
    trackers.set_default(None)
    meter.restore_portfolio(snapshot=snapshot)
    meter.order_filled(**call, currency="USD")  # type: ignore[arg-type]

    assert production.value("trading.position.quantity") == 1


def test_symbols_of_before_keep_their_place_under_the_cap(
    production: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_attributes, "MAX_VALUES", 3)
    _attributes.reset_caps()
    for symbol in "ABC":
        meter.order_filled(symbol=symbol, side="buy", price=10, quantity=1, currency="USD")
    snapshot = meter.portfolio_snapshot()
    trackers.set_default(None)
    _attributes.reset_caps()
    meter.restore_portfolio(snapshot=snapshot)
    meter.order_filled(symbol="NEW", side="buy", price=10, quantity=1, currency="USD")
    for symbol in "ABC":
        meter.order_filled(symbol=symbol, side="sell", price=10, quantity=1, currency="USD")

    assert production.samples("trading.position.quantity") == []
    assert OTHER not in {sample.attributes.get("trading.instrument.symbol") for sample in production.samples(PNL)}
    _attributes.reset_caps()


def test_only_the_last_executions_are_named(capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    del capmeter
    monkeypatch.setattr("otel_trading.trackers.portfolio.MAX_EXECUTIONS", 3)
    tracker = PortfolioTracker(Clock(START))
    for number in range(5):
        tracker.filled(attributes(symbol="ACME", currency="USD"), 1, 10.0, 0.0, f"e{number}")

    assert [row[1] for row in tracker.snapshot()["executions"]] == ["e2", "e3", "e4"]


def test_a_snapshot_is_one_moment_while_others_trade(capmeter: CapturingMeter) -> None:
    """In every snapshot the position is what the executions that it names make."""
    del capmeter
    state = Trackers()
    tracker, done = state.portfolio, threading.Event()
    key = attributes(symbol="ACME", currency="USD")

    def trade(number: int) -> None:
        for fill in range(150):
            tracker.filled(key, 1, 10.0, 0.0, f"{number}-{fill}")

    threads = [threading.Thread(target=trade, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while not done.is_set():
        if not any(thread.is_alive() for thread in threads):
            done.set()
        snapshot = tracker.snapshot()
        held = sum(int(position["quantity"]) for _, position in snapshot["positions"])
        assert held == len(snapshot["executions"])
        assert PortfolioTracker().restore(snapshot) is not None
    for thread in threads:
        thread.join(30)
    assert held == 600
