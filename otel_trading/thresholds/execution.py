"""What the quality and the cost of executions are compared with."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import execution
from otel_trading.thresholds._model import Limit, Threshold

SLIPPAGE: Final = Threshold(
    name="slippage_ratio",
    brief="How much worse than their benchmark fills may be on average, relative: 0.005 is 50 basis points.",
    default=0.005,
    allowed=(0, 1),
    of=(execution.SLIPPAGE,),
    limit=Limit("slippage", "ratio"),
    group="slow",
)
SLIPPAGE_TO_MODEL: Final = Threshold(
    name="slippage_to_model_ratio",
    brief="How many times the slippage of the strategy's last backtest that of its live fills may be, over a day.",
    default=2,
    allowed=(1, 1000),
    of=(execution.SLIPPAGE,),
    group="slow",
)
MARKOUT: Final = Threshold(
    name="maker_markout_ratio",
    brief="How far the price may have gone against maker fills after ten seconds, on average, relative.",
    default=0.0005,
    allowed=(0, 1),
    of=(execution.MARKOUT,),
    group="slow",
)
FEE: Final = Threshold(
    name="fee_ratio",
    brief="Share of the traded value that fees may take over an hour, 0 to 1.",
    default=0.01,
    allowed=(0, 1),
    of=(execution.FEE,),
    limit=Limit("fee", "ratio"),
    group="slow",
)
