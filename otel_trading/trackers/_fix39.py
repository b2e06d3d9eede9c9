"""The states of an order (FIX 39) and which of them a report may move it to.

Reports arrive late, twice, in another order or not at all, so a state may be skipped and one that the order has left
behind is no news. An end is final but for what proves it wrong: a fill is money and wins over every other end, and what
was only given up (lost), put to rest (done_for_day) or handed over (replaced) may come back.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ACKNOWLEDGING", "ENDS", "may_follow"]

#: Reports that prove that the venue has the order.
ACKNOWLEDGING: Final = frozenset({
    "new", "partially_filled", "filled", "stopped", "suspended", "accepted_for_bidding", "replaced",
    "done_for_day", "calculated",
})  # fmt: skip
_FINAL: Final = frozenset({"filled", "canceled", "rejected", "expired", "denied", "calculated"})
#: States in which an order is not open.
ENDS: Final = _FINAL | {"lost", "done_for_day", "replaced"}
_BEFORE_SENT: Final = frozenset({"initialized", "pending_new"})
_BEFORE_FILL: Final = frozenset({"new", "accepted_for_bidding", "rejected", "denied"})


def may_follow(before: str, after: str, *, traded: bool) -> bool:
    """Return whether an order may enter a state.

    Args:
        before: The state it is in.
        after: The state of the report.
        traded: Whether any of it was filled.
    """
    if after in {before, "initialized"} or (after == "pending_new" and before != "initialized"):
        return False
    if before in _FINAL:
        late_fill = after == "filled" and before != "calculated"
        return late_fill or (after == "calculated" and before not in {"rejected", "denied"})
    if traded and after in _BEFORE_FILL:
        return False
    return after != "denied" or before in _BEFORE_SENT
