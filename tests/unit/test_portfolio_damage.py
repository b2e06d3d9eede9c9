"""A damaged snapshot changes nothing, is counted, and raises nothing into a bot."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit_support import Clock, losses

from otel_trading import meter
from otel_trading.errors import ConventionError
from otel_trading.trackers import PortfolioTracker
from otel_trading.trackers.portfolio import _state

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

from snapshot_support import DAY, START, month, new_tracker, seen, take


@pytest.fixture
def traded() -> tuple[PortfolioTracker, Clock]:
    return month()


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
    shown, before = seen(tracker), tracker.snapshot()
    damaged = DAMAGES[damage](copy.deepcopy(before))

    assert tracker.restore(damaged) is None
    assert losses(production) == {"invalid_snapshot": 1}
    assert (tracker.snapshot(), seen(tracker)) == (before, shown)


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
    good, fresh = tracker.snapshot(), new_tracker(clock, "fifo")
    damaged = copy.deepcopy(good)
    _mutated(damaged, data, value)
    empty = fresh.snapshot()
    text = json.dumps(_resealed(damaged) if sealed else damaged)
    taken = fresh.restore(text)

    if taken is None:
        assert fresh.snapshot() == empty
    else:
        assert sealed or json.loads(text) == good
        seen(fresh)
        take(fresh, clock, ("fill", "ACME", 1, 100.0, 0.0))
        clock.now += DAY
        take(fresh, clock, ("mark", "ACME", 90.0))
    del production


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.text(max_size=60) | st.recursive(leaves, lambda inner: st.lists(inner, max_size=3)))
def test_anything_at_all_is_refused(production: CapturingMeter, snapshot: Any) -> None:
    counted = losses(production).get("invalid_snapshot", 0)
    tracker = PortfolioTracker(Clock(START))

    assert tracker.restore(snapshot) is None
    assert losses(production)["invalid_snapshot"] == counted + 1
