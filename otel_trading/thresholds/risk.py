"""What stands between a position and its forced end is compared with."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import portfolio
from otel_trading.thresholds._model import Limit, Threshold

MARGIN: Final = Threshold(
    name="margin_utilization_ratio",
    brief="Share of the margin that may be used, 0 to 1; at 1 the venue acts.",
    default=0.85,
    allowed=(0, 1),
    of=(portfolio.MARGIN_UTILIZATION,),
    limit=Limit("margin_utilization", "ratio"),
    group="fast",
)
LIQUIDATION: Final = Threshold(
    name="liquidation_distance_ratio",
    brief="Smallest price move to liquidation that is still far, relative to the mark.",
    default=0.05,
    allowed=(0, 1),
    of=(portfolio.LIQUIDATION_DISTANCE,),
    limit=Limit("liquidation_distance", "ratio"),
    higher_is_stricter=True,
    group="fast",
)
#: No default: a strategy without stop orders is no fault until somebody says so.
PROTECTION: Final = Threshold(
    name="position_protection_ratio",
    brief="Share of each position that working stop orders are to cover; 1: all of it, 0: none. Unset: nobody asked.",
    default=None,
    allowed=(0, 1),
    of=(portfolio.POSITION_QUANTITY,),
    limit=Limit("position_protection", "ratio"),
    higher_is_stricter=True,
)
LEVERAGE: Final = Threshold(
    name="leverage_ratio",
    brief="Gross exposure that an account may have, in multiples of its equity.",
    default=5,
    allowed=(0, 1_000),
    of=(portfolio.LEVERAGE,),
    limit=Limit("leverage", "ratio"),
)
#: No default: a bot of one symbol is always concentrated, and that is no fault.
CONCENTRATION: Final = Threshold(
    name="concentration_ratio",
    brief="Share of an account's gross exposure that one symbol may be, 0 to 1. Unset: nobody asked.",
    default=None,
    allowed=(0, 1),
    of=(portfolio.POSITION_EXPOSURE,),
    limit=Limit("concentration", "ratio"),
)
FUNDING: Final = Threshold(
    name="funding_rate_ratio",
    brief="Funding rate that a position may pay per funding interval: 0.0005 is 5 basis points of its value.",
    default=0.0005,
    allowed=(0, 1),
    of=(portfolio.POSITION_QUANTITY,),
    limit=Limit("funding_rate", "ratio"),
)
