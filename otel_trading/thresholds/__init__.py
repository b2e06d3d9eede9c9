"""Every number that alerts and boards compare with, declared once.

`alerts/thresholds.yaml` (the defaults as series) and `alerts/rules/in_force.yaml` (whose number wins, and that none is
missing) are written from these declarations by `python -m otel_trading.thresholds`.
"""

from __future__ import annotations

from typing import Final

from otel_trading.thresholds import (
    dependency,
    execution,
    host,
    intent,
    market_data,
    order,
    order_control,
    plumbing,
    portfolio,
    reconciliation,
    resilience,
    risk,
    service,
    stack,
    strategy,
    venue,
)
from otel_trading.thresholds._model import Limit, Scope, Threshold

__all__ = ["ALL", "BY_NAME", "CHANGED", "Limit", "Scope", "Threshold"]

_FAMILIES: Final = (
    order,
    intent,
    order_control,
    execution,
    portfolio,
    risk,
    reconciliation,
    market_data,
    venue,
    strategy,
    resilience,
    plumbing,
    service,
    host,
    dependency,
    stack,
)
#: Every threshold, in the order of the families.
ALL: Final[tuple[Threshold, ...]] = tuple(
    value for family in _FAMILIES for value in vars(family).values() if isinstance(value, Threshold)
)
#: When a user changed one, in seconds since 1970: what marks it on the boards.
CHANGED: Final = "trading:threshold_change:time_seconds"
#: By name.
BY_NAME: Final[dict[str, Threshold]] = {threshold.name: threshold for threshold in ALL}
