"""What the life of a bot is compared with: its loop, its starts and its signals."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import strategy
from otel_trading.thresholds._model import Threshold

HEARTBEAT: Final = Threshold(
    name="heartbeat_periods",
    brief="Periods of a strategy's loop that may pass without a finished one; a period counts as ten seconds at least.",
    default=3,
    allowed=(1, 1_000),
    of=(strategy.HEARTBEAT_TIME,),
    group="fast",
)
STARTS: Final = Threshold(
    name="strategy_starts",
    brief="Starts of one bot in fifteen minutes.",
    default=3,
    allowed=(1, 100),
    of=(strategy.START_TIME,),
)
UNANSWERED: Final = Threshold(
    name="signals_without_order",
    brief="Signals to buy, sell or close that a strategy may give within two hours without sending one order.",
    default=3,
    allowed=(1, 1_000_000),
    of=(strategy.SIGNAL_EMISSIONS,),
    group="slow",
)
