"""A portfolio that goes on from its snapshot is the one that never stopped; a damaged snapshot changes nothing."""

from __future__ import annotations

import copy
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
from otel_trading.errors import ConventionError
from otel_trading.semconv import attributes as a
from otel_trading.trackers import PortfolioTracker, Trackers
from otel_trading.trackers.portfolio import Contract, _picture, _state

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading.semconv import Metric
    from otel_trading.testing import CapturingMeter

DAY = 86_400.0
START = DAY * 20_445.3  # 2025-12-23: a year ends soon
SYMBOLS = ("ACME", "XBTUSD", "ES")
CURRENCY = {"ACME": "USD", "XBTUSD": "XBT", "ES": "EUR"}
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


def _tracker(clock: Clock, cost: str) -> PortfolioTracker:
    return PortfolioTracker(clock, cost="fifo" if cost == "fifo" else "average")


def _terms(tracker: PortfolioTracker) -> None:
    tracker.contract(attributes(symbol="XBTUSD"), Contract(Decimal(1), inverse=True))
    tracker.contract(attributes(symbol="ES"), Contract(Decimal(50), signed=True))


_TAKE: dict[str, Callable[..., None]] = {
    "mark": lambda tracker, key, price: tracker.marked(attributes(symbol=key.get(a.SYMBOL)), price),
    "fund": PortfolioTracker.booked,
    "fee": PortfolioTracker.booked,
    "deposit": PortfolioTracker.paid_in,
    "split": lambda tracker, key, ratio: tracker.split(attributes(symbol=key.get(a.SYMBOL)), ratio),
    "state": PortfolioTracker.positioned,
    "equity": PortfolioTracker.valued,
    "report": lambda tracker, key, *figures: tracker.reported(key, "combined", *figures),
    "liquidation": PortfolioTracker.liquidated_at,
    "rate": lambda tracker, key, rate: tracker.converted(key.get(a.CURRENCY), "USD", rate),
}


def _take(tracker: PortfolioTracker, clock: Clock, step: tuple[Any, ...], number: int = 0) -> None:
    kind, symbol, *rest = step
    if kind == "pass":
        clock.now += symbol
        return
    key = attributes(symbol=symbol, currency=CURRENCY[symbol], account="acct")
    if kind == "fill":
        quantity, price, fee = rest
        tracker.filled(key, quantity, price, fee, f"e{number}")
    else:
        _TAKE[kind](tracker, key, *rest)


def _seen(tracker: PortfolioTracker) -> dict[Metric, list[tuple[tuple[tuple[str, str], ...], float]]]:
    """Every figure that a collection shows."""
    rows = {metric: tracker._rows(metric) for metric in _picture.METRICS}
    return {
        metric: sorted((tuple(sorted(key.values.items())), value) for key, value in found)
        for metric, found in rows.items()
    }


@pytest.fixture
def traded() -> tuple[PortfolioTracker, Clock]:
    """A month of trading with something of everything."""
    clock = Clock(START)
    tracker = _tracker(clock, "fifo")
    _terms(tracker)
    for number in range(120):
        symbol = SYMBOLS[number % 3]
        _take(tracker, clock, ("deposit", symbol, 500.0))
        _take(tracker, clock, ("fill", symbol, 3 if number % 5 else -4, 100.0 + number % 7, 0.25), number)
        _take(tracker, clock, ("mark", symbol, 99.0 + number % 11))
        _take(tracker, clock, ("liquidation", symbol, 50.0))
        _take(tracker, clock, ("pass", DAY / 4))
    _take(tracker, clock, ("rate", "ES", 1.25))
    return tracker, clock


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, steps, st.sampled_from(["average", "fifo"]))
def test_a_restored_portfolio_goes_on_as_if_it_had_never_stopped(
    capmeter: CapturingMeter, before: list[tuple[Any, ...]], after: list[tuple[Any, ...]], cost: str
) -> None:
    del capmeter
    clock = Clock(START)
    tracker = _tracker(clock, cost)
    _terms(tracker)
    for number, step in enumerate(before):
        _take(tracker, clock, step, number)
    file = json.dumps(tracker.snapshot())
    later = Clock(clock.now)
    restored = _tracker(later, cost)
    assert restored.restore(file) is not None

    assert _seen(restored) == _seen(tracker)
    assert json.dumps(restored.snapshot()) == json.dumps(tracker.snapshot())
    for step in after:
        _take(tracker, clock, step)
        _take(restored, later, step)
    assert _seen(restored) == _seen(tracker)


def test_everything_of_a_month_is_in_it(capmeter: CapturingMeter, traded: tuple[PortfolioTracker, Clock]) -> None:
    """What the last test does not reach in a short sequence: full windows, lots, statistics."""
    del capmeter
    tracker, clock = traded
    restored = _tracker(clock, "fifo")
    restored.restore(tracker.snapshot())

    assert all(rows for metric, rows in _seen(restored).items())
    for tail in range(50):
        for one in (tracker, restored):
            _take(one, clock, ("fill", "ACME", (-1) ** tail * 7, 90.0 + tail, 0.0))
        clock.now += DAY / 3
        assert _seen(restored) == _seen(tracker)


def test_sums_of_money_are_text_in_full_length(capmeter: CapturingMeter) -> None:
    del capmeter
    tracker = PortfolioTracker(Clock(START))
    key = attributes(symbol="ACME", currency="USD")
    for price in (0.1, 0.2, 0.3):
        tracker.filled(key, 7, price)
    snapshot = json.loads(json.dumps(tracker.snapshot()))
    ((_, position),) = snapshot["positions"]

    assert Decimal(position["average"]) == Decimal("0.2")
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


def _resealed(snapshot: dict[str, Any]) -> dict[str, Any]:
    content = {name: value for name, value in snapshot.items() if name != "checksum"}
    return {**content, "checksum": _state._seal(content)}


def _without(name: str) -> Any:
    return lambda good: _resealed({key: value for key, value in good.items() if key != name})


def _with(**changes: Any) -> Any:
    return lambda good: _resealed({**good, **changes})


def _book(**changes: Any) -> Any:
    def change(good: dict[str, Any]) -> dict[str, Any]:
        for _, book in good["books"]:
            book.update(changes)
        return _resealed(good)

    return change


def _position(**changes: Any) -> Any:
    def change(good: dict[str, Any]) -> dict[str, Any]:
        good["positions"][0][1].update(changes)
        return _resealed(good)

    return change


DAMAGES = {
    "nothing": lambda _good: None,
    "no object": lambda _good: 7,
    "an empty object": lambda _good: {},
    "an empty file": lambda _good: "",
    "half a file": lambda good: json.dumps(good)[: len(json.dumps(good)) // 2],
    "a file that was written over by a shorter one": lambda good: json.dumps(good)[:-40] + json.dumps(good)[-90:],
    "no text": lambda _good: b"\xff\xfe\x00",
    "a number that was changed": lambda good: {**good, "rates": {"EUR": "2"}},
    "no checksum": lambda good: {key: value for key, value in good.items() if key != "checksum"},
    "another format": _with(format="ledger"),
    "a later version": _with(version=2),
    "another cost": _with(cost="average"),
    "no positions": _without("positions"),
    "positions of another type": _with(positions={"ACME": 1}),
    "a row of three": _with(rates=[], positions=[[{}, {}, {}]]),
    "a key of another type": _with(books=[["USD", {}]]),
    "a key that is no attribute": _with(contracts=[], executions=[[{"colour": "red"}, "e1"]]),
    "a mode that is none": _with(executions=[[{"trading.mode": "dreaming"}, "e1"]]),
    "an id that is a number": _with(executions=[[{}, 1]]),
    "a position without a symbol": lambda good: _resealed({**good, "positions": [[{}, good["positions"][0][1]]]}),
    "a row twice": lambda good: _resealed({**good, "books": good["books"] * 2}),
    "more rows than are held": lambda good: _resealed({**good, "contracts": good["contracts"] * 6000}),
    "a field too many": _position(colour="red"),
    "money that is a number": _position(quantity=3.5),
    "money that is no number": _position(quantity="NaN"),
    "money without end": _position(realized="1E+999999"),
    "money of many digits": _position(realized="1" * 80),
    "a time that is no number": _position(opened="inf"),
    "a truth that is a number": _position(contract={"multiplier": "1", "inverse": 0, "signed": False}),
    "a contract of nothing": _position(contract={"multiplier": "0", "inverse": True, "signed": False}),
    "a rate of zero": _with(rates={"EUR": "0"}),
    "a day that never was": _book(day=0),
    "a day that is text": _book(day="20000"),
    "a surrogate": _with(contracts=[[[None, "\ud800"], {"multiplier": "1", "inverse": False, "signed": False}]]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_snapshot_changes_nothing_and_is_counted(
    production: CapturingMeter, traded: tuple[PortfolioTracker, Clock], damage: str
) -> None:
    tracker, _ = traded
    shown, before = _seen(tracker), tracker.snapshot()
    damaged = DAMAGES[damage](copy.deepcopy(before))

    assert tracker.restore(damaged) is None
    assert losses(production) == {"invalid_snapshot": 1}
    assert (tracker.snapshot(), _seen(tracker)) == (before, shown)


def test_a_damaged_snapshot_is_told_by_the_helper(production: CapturingMeter) -> None:
    assert meter.restore_portfolio(snapshot={"version": 1}) is False
    assert losses(production) == {"invalid_snapshot": 1}


def test_in_strict_mode_it_says_what_is_wrong(capmeter: CapturingMeter) -> None:
    del capmeter
    with pytest.raises(ConventionError, match=r"of format None version 2, not 1"):
        meter.restore_portfolio(snapshot={"version": 2})


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(
    ["-1", "0", "1E+1999", "-1E-1999", "Infinity", "sNaN", "1e308", [], {}, [[]], [{}, {}]]
)  # fmt: skip


def _mutated(node: Any, data: st.DataObject, value: Any) -> Any:
    """One value somewhere in it is another one, or gone."""
    while isinstance(node, (dict, list)) and node:
        places = sorted(node) if isinstance(node, dict) else range(len(node))
        place = data.draw(st.sampled_from(places))
        if not isinstance(node[place], (dict, list)) or not node[place] or data.draw(st.integers(0, 9)) == 0:
            if data.draw(st.integers(0, 4)) == 0:
                del node[place]
            else:
                node[place] = value
            return
        node = node[place]


@settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), value=leaves, sealed=st.booleans())
def test_no_damage_raises_or_is_taken_in_part(
    production: CapturingMeter, traded: tuple[PortfolioTracker, Clock], data: st.DataObject, value: Any, *, sealed: bool
) -> None:
    """Even one with a right checksum: it is refused as a whole, or every figure can be shown."""
    tracker, clock = traded
    good, fresh = tracker.snapshot(), _tracker(clock, "fifo")
    damaged = copy.deepcopy(good)
    _mutated(damaged, data, value)
    empty = fresh.snapshot()
    text = json.dumps(_resealed(damaged) if sealed else damaged)
    taken = fresh.restore(text)

    if taken is None:
        assert fresh.snapshot() == empty
    else:
        assert sealed or json.loads(text) == good
        _seen(fresh)
        _take(fresh, clock, ("fill", "ACME", 1, 100.0, 0.0))
        clock.now += DAY
        _take(fresh, clock, ("mark", "ACME", 90.0))
    del production


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.text(max_size=60) | st.recursive(leaves, lambda inner: st.lists(inner, max_size=3)))
def test_anything_at_all_is_refused(production: CapturingMeter, snapshot: Any) -> None:
    counted = losses(production).get("invalid_snapshot", 0)
    tracker = PortfolioTracker(Clock(START))

    assert tracker.restore(snapshot) is None
    assert losses(production)["invalid_snapshot"] == counted + 1


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
