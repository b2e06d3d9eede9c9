"""What the comparison of our books with the venue's is compared with."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import risk
from otel_trading.thresholds._model import Limit, Threshold

DISCREPANCY: Final = Threshold(
    name="position_discrepancy",
    brief="Units of a symbol by which the bot's position may differ from the venue's; 0: not at all.",
    default=0,
    allowed=(0, 1e15),
    of=(risk.DISCREPANCY,),
    limit=Limit("position_discrepancy", "quantity"),
)
BREAK_AGE: Final = Threshold(
    name="reconciliation_break_seconds",
    brief="Seconds for which a difference between the books may stay unresolved.",
    default=300,
    allowed=(0, 86_400),
    of=(risk.BREAK_AGE,),
)
RUNS: Final = Threshold(
    name="reconciliation_runs",
    brief="Comparisons of each kind that a bot should finish in 30 minutes; 0 for a bot that compares more seldom.",
    default=1,
    allowed=(0, 1_800),
    of=(risk.RECONCILIATION_DURATION,),
    higher_is_stricter=True,
    group="slow",
)
