"""Strategies: whether the loop turns, what it decides, how long it thinks."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import _boundaries as bounds
from otel_trading.semconv import attributes as a
from otel_trading.semconv._model import Family, Kind, Unit

_metric = Family(("strategy", "signal", "indicator", "tick_to_trade"), a.COMMON).metric

ITERATION_DURATION: Final = _metric(
    "trading.strategy.iteration.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Time of one loop of a strategy.",
    (a.conditional(a.ERROR_TYPE),),
    bounds.ITERATION,
)
HEARTBEAT_TIME: Final = _metric(
    "trading.strategy.heartbeat.time",
    Kind.OBSERVABLE_GAUGE,
    Unit("s"),
    "Unix time of the last finished loop.",
    note="Compare with time(): a loop that hangs stops it although the process lives.",
)
HEARTBEAT_PERIOD: Final = _metric(
    "trading.strategy.heartbeat.period",
    Kind.OBSERVABLE_GAUGE,
    Unit("s"),
    "Expected time between two loops.",
)
START_TIME: Final = _metric(
    "trading.strategy.start.time",
    Kind.OBSERVABLE_GAUGE,
    Unit("s"),
    "Unix time at which the process started.",
)
STATUS: Final = _metric(
    "trading.strategy.status",
    Kind.OBSERVABLE_UP_DOWN_COUNTER,
    Unit("1"),
    "State of a strategy: 1 for the current state, 0 for the others.",
    (a.required(a.STRATEGY_STATE),),
    note="A clean exit leaves stopped as the last word, which tells it from a death.",
)
SIGNAL_EMISSIONS: Final = _metric(
    "trading.signal.emissions",
    Kind.COUNTER,
    Unit("{signal}"),
    "Trading signals emitted.",
    (a.required(a.SIGNAL_TYPE), a.CONFIDENCE),
)
SIGNAL_EXECUTION_DURATION: Final = _metric(
    "trading.signal.execution.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Time from a trading signal to the venue's acceptance of the first order that follows from it.",
    (a.SIGNAL_TYPE,),
    bounds.LATENCY,
    note="Ends with the first report that proves that the venue has the order (FIX 39), a fill included.",
)
TICK_TO_TRADE_DURATION: Final = _metric(
    "trading.tick_to_trade.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Time from the receipt of market data to the first order message that answers it.",
    (a.DATA_SOURCE,),
    bounds.FAST,
    note="Ends where the message is handed to the venue's client, before its reply; a tick without an order has none.",
)
INDICATOR_DURATION: Final = _metric(
    "trading.indicator.calculation.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Time of one calculation of an indicator.",
    (a.required(a.INDICATOR), a.conditional(a.ERROR_TYPE)),
    bounds.FAST,
)
