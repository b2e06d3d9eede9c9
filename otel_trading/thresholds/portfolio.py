"""What money is compared with."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import portfolio
from otel_trading.thresholds._model import Limit, Threshold

#: Money has no default: 500 USD is nothing to one account and everything to the next.
DAILY_LOSS: Final = Threshold(
    name="daily_loss",
    brief="Loss of one session that an account may make, in the account's currency.",
    default=None,
    allowed=(0, 1e15),
    of=(portfolio.SESSION_PNL,),
    limit=Limit("daily_loss", "currency"),
    per="account",
    group="fast",
)
