"""Every pair of states of FIX 39 and our own: which report moves an order, and which is old news."""

from __future__ import annotations

import pytest

from otel_trading.semconv import attributes as a
from otel_trading.trackers._fix39 import ENDS, may_follow

STATES = frozenset(a.ORDER_STATUS.values)
_LIVE = STATES - {"initialized", "pending_new", "denied"}
#: The table of legal moves, written out: state before -> states after, for an order of which nothing was filled.
LEGAL: dict[str, frozenset[str]] = {
    "initialized": STATES - {"initialized"},
    "pending_new": STATES - {"initialized", "pending_new"},
    **{state: _LIVE - {state} for state in _LIVE},
    "filled": frozenset({"calculated"}),
    "canceled": frozenset({"filled", "calculated"}),
    "expired": frozenset({"filled", "calculated"}),
    "rejected": frozenset({"filled"}),
    "denied": frozenset({"filled"}),
    "calculated": frozenset(),
}


@pytest.mark.parametrize("before", sorted(STATES))
def test_which_states_may_follow(before: str) -> None:
    assert {after for after in STATES if may_follow(before, after, traded=False)} == LEGAL[before]


@pytest.mark.parametrize("before", sorted(STATES))
def test_a_traded_order_is_neither_new_nor_rejected_again(before: str) -> None:
    stale = {"new", "accepted_for_bidding", "rejected", "denied"}

    assert {after for after in STATES if may_follow(before, after, traded=True)} == LEGAL[before] - stale


@pytest.mark.parametrize("end", sorted(ENDS - {"filled", "calculated"}))
def test_a_fill_wins_over_every_other_end(end: str) -> None:
    assert may_follow(end, "filled", traded=True)


@pytest.mark.parametrize("rest", ["lost", "done_for_day", "replaced"])
def test_what_was_only_given_up_may_come_back(rest: str) -> None:
    assert may_follow(rest, "partially_filled", traded=True)
    assert may_follow(rest, "canceled", traded=False)
