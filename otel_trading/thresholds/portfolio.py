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
LOSS_WARNING: Final = Threshold(
    name="daily_loss_warning_ratio",
    brief="Share of the daily loss limit that may be used before somebody looks, 0 to 1.",
    default=0.5,
    allowed=(0, 1),
    of=("scope:trading_daily_loss_budget:ratio",),
    group="fast",
)
LOSS_CRITICAL: Final = Threshold(
    name="daily_loss_critical_ratio",
    brief="Share of the daily loss limit that may be used before somebody is woken, 0 to 1.",
    default=0.9,
    allowed=(0, 1),
    of=("scope:trading_daily_loss_budget:ratio",),
    group="fast",
)
DRAWDOWN: Final = Threshold(
    name="drawdown_ratio",
    brief="How far equity may be below its peak, 0 to 1.",
    default=0.2,
    allowed=(0, 1),
    of=(portfolio.DRAWDOWN,),
    limit=Limit("drawdown", "ratio"),
)
DRAWDOWN_GROWTH: Final = Threshold(
    name="drawdown_growth_ratio",
    brief="How much the drawdown may grow within ten minutes, 0 to 1: a share of the peak.",
    default=0.05,
    allowed=(0, 1),
    of=(portfolio.DRAWDOWN,),
    limit=Limit("drawdown_growth", "ratio"),
    group="fast",
)
WIN_RATE: Final = Threshold(
    name="win_rate_ratio",
    brief="Smallest share of the trades of a day that should win, 0 to 1.",
    default=0.4,
    allowed=(0, 1),
    of=("strategy:trading_trade_wins:ratio_increase1d",),
    limit=Limit("win_rate", "ratio"),
    higher_is_stricter=True,
    group="slow",
)
