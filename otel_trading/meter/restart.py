"""What must survive a restart: the portfolio as a snapshot, and back."""

from __future__ import annotations

from typing import Any

from otel_trading import trackers
from otel_trading._guard import guarded

__all__ = ["portfolio_snapshot", "restore_portfolio"]


@guarded
def portfolio_snapshot() -> dict[str, Any]:
    """Return the portfolio at one moment as plain JSON, for `restore_portfolio` after a restart.

    It holds positions, books with their session, peak and statistics, contract terms, conversion rates, and which of
    the last 10,000 executions are in it; sums of money are text in full length. Write it to a file of its own per bot
    and mode: to a second file first that then takes the place of the other, so that a crash leaves one of the two.

    Emits: nothing.
    """
    return trackers.default().portfolio.snapshot()


@guarded
def restore_portfolio(*, snapshot: object) -> bool:
    """Go on from a snapshot, before the first fill is reported; what the portfolio held until then is forgotten.

    Fills that are reported again are ignored and counted when they are in it, by their `execution_id=`. A snapshot
    that is damaged, cut off or of another version changes nothing at all and is counted.

    Args:
        snapshot: What `portfolio_snapshot` returned, or its JSON as text or bytes.

    Returns:
        Whether it was taken; if not, report the positions again.

    Emits: nothing by itself; feeds everything that is observed of the portfolio.
    """
    known = trackers.default()
    executions = known.portfolio.restore(snapshot)
    for attributes, execution_id in executions or ():
        known.executions.repeated(attributes, execution_id)
    return executions is not None
