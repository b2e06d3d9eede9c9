"""Risk: limits, checks before a trade, the kill switch, and what our books and the venue's do not agree on."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import _boundaries as bounds
from otel_trading.semconv import attributes as a
from otel_trading.semconv._model import Family, Kind, Unit

_metric = Family(("risk", "kill_switch", "reconciliation"), a.COMMON).metric
_LIMIT: Final = (a.required(a.RISK_LIMIT), a.required(a.LIMIT_UNIT), a.conditional(a.CURRENCY))
_BREAK: Final = (a.required(a.RECONCILIATION_OBJECT), a.required(a.BREAK_TYPE))

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
VALUE_AT_RISK: Final = _metric(
    "trading.risk.value_at_risk",
    Kind.OBSERVABLE_GAUGE,
    Unit("{currency}"),
    "Value at risk: the loss that one day exceeds with a probability of 5 %; a loss is positive.",
    (a.required(a.CURRENCY),),
    note="Confidence 95 %, horizon one day, as RiskMetrics defines it. State another one as an instrument of your own: "
    "two definitions under one name cannot be compared.",
)
CHECKS: Final = _metric(
    "trading.risk.checks",
    Kind.COUNTER,
    Unit("{check}"),
    "Pre-trade checks, by what they said.",
    (a.required(a.RISK_CHECK), a.required(a.RISK_OUTCOME)),
)
KILL_SWITCH_STATUS: Final = _metric(
    "trading.kill_switch.status",
    Kind.OBSERVABLE_UP_DOWN_COUNTER,
    Unit("1"),
    "State of a kill switch: 1 for the current state, 0 for every other.",
    (a.required(a.KILL_SWITCH_SCOPE), a.required(a.KILL_SWITCH_STATE)),
)
KILL_SWITCH_ACTIVATIONS: Final = _metric(
    "trading.kill_switch.activations",
    Kind.COUNTER,
    Unit("{activation}"),
    "Times that a kill switch was pulled.",
    (a.required(a.KILL_SWITCH_SCOPE), a.required(a.KILL_SWITCH_TRIGGER)),
    note="Counts each step from armed to reducing to halted; easing is none.",
)
RECONCILIATION_DURATION: Final = _metric(
    "trading.reconciliation.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Time of one comparison of our books with the venue's.",
    (a.required(a.RECONCILIATION_OBJECT), a.conditional(a.ERROR_TYPE)),
    bounds.LATENCY,
    note="A run with error.type has compared nothing: breaks stay as they were and grow older.",
)
BREAKS: Final = _metric(
    "trading.reconciliation.breaks",
    Kind.COUNTER,
    Unit("{break}"),
    "Differences found between our books and the venue's, each once until it is resolved.",
    _BREAK,
)
BREAK_ACTIVE: Final = _metric(
    "trading.reconciliation.break.active",
    Kind.OBSERVABLE_UP_DOWN_COUNTER,
    Unit("{break}"),
    "Differences between our books and the venue's that are unresolved.",
    _BREAK,
)
BREAK_AGE: Final = _metric(
    "trading.reconciliation.break.age",
    Kind.OBSERVABLE_GAUGE,
    Unit("s"),
    "Age of the oldest unresolved difference between our books and the venue's; 0 when there is none.",
    (a.required(a.RECONCILIATION_OBJECT),),
    note="A break of a second is a fill on its way, one of an hour is money: alert on the age.",
)
DISCREPANCY: Final = _metric(
    "trading.reconciliation.discrepancy",
    Kind.OBSERVABLE_GAUGE,
    Unit("{unit}"),
    "Local quantity minus the venue's, by symbol; a balance goes by its asset code.",
    (a.required(a.RECONCILIATION_OBJECT), a.required(a.SYMBOL)),
    note="Zero where the comparer found no break: what it tolerates, and what was never ours (external).",
)
