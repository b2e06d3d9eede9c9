"""Risk limits: how far the system is from each of them."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import attributes as a
from otel_trading.semconv._model import Family, Kind, Unit

_metric = Family(("risk", "kill_switch", "reconciliation"), a.COMMON).metric
_LIMIT: Final = (a.required(a.RISK_LIMIT), a.required(a.LIMIT_UNIT), a.conditional(a.CURRENCY))

USAGE: Final = _metric(
    "trading.risk.usage", Kind.OBSERVABLE_GAUGE, Unit("{unit}"), "How much of a limit is used.", _LIMIT
)
LIMIT: Final = _metric(
    "trading.risk.limit",
    Kind.OBSERVABLE_GAUGE,
    Unit("{unit}"),
    "A limit in force.",
    _LIMIT,
    note="Limits are telemetry: an alert compares with what the app itself enforces.",
)
UTILIZATION: Final = _metric(
    "trading.risk.utilization", Kind.OBSERVABLE_GAUGE, Unit("1"), "Share of a limit that is used.", _LIMIT
)
