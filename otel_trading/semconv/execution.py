"""Executions and closed trades: what was filled, at what price, at what cost."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import _boundaries as bounds
from otel_trading.semconv import attributes as a
from otel_trading.semconv._model import Family, Kind, Unit

_metric = Family(("execution", "trade"), a.COMMON).metric

FILLS: Final = _metric(
    "trading.execution.fills",
    Kind.COUNTER,
    Unit("{fill}"),
    "Executions reported by the venue.",
    (a.ORDER_SIDE, a.LIQUIDITY),
    note="One per execution report of type trade (FIX 150=F); a partial fill counts.",
)
NOTIONAL: Final = _metric(
    "trading.execution.notional",
    Kind.COUNTER,
    Unit("{currency}"),
    "Value traded.",
    (a.required(a.CURRENCY), a.ORDER_SIDE),
    note="Absolute price times quantity.",
)
FEE: Final = _metric(
    "trading.execution.fee",
    Kind.COUNTER,
    Unit("{currency}"),
    "Fees charged for executions.",
    (a.required(a.CURRENCY), a.required(a.FEE_TYPE)),
)
REBATE: Final = _metric(
    "trading.execution.rebate",
    Kind.COUNTER,
    Unit("{currency}"),
    "Rebates earned for executions.",
    (a.required(a.CURRENCY),),
)
SLIPPAGE: Final = _metric(
    "trading.execution.slippage",
    Kind.HISTOGRAM,
    Unit("1"),
    "Size of the price difference to the benchmark, relative.",
    (a.required(a.DIRECTION), a.required(a.BENCHMARK), a.ORDER_SIDE, a.ORDER_TYPE),
    bounds.PRICE_DIFFERENCE,
    note="Signed mean = (adverse sum - favorable sum) / count (Perold 1988 for the sign).",
)
SHORTFALL: Final = _metric(
    "trading.execution.shortfall",
    Kind.HISTOGRAM,
    Unit("1"),
    "Size of the implementation shortfall of a decision, relative to its value.",
    (a.required(a.DIRECTION),),
    bounds.PRICE_DIFFERENCE,
    note="Delay, execution, fees and the unfilled part against the decision price (Perold 1988).",
)
MARKOUT: Final = _metric(
    "trading.execution.markout",
    Kind.HISTOGRAM,
    Unit("1"),
    "Size of the price move after a fill, relative to its price.",
    (a.required(a.DIRECTION), a.required(a.MARKOUT_HORIZON), a.LIQUIDITY),
    bounds.PRICE_DIFFERENCE,
    note="Adverse where the price went against the fill: the mark that stood when the horizon ended (as-of join).",
)
TRADE_CLOSURES: Final = _metric(
    "trading.trade.closures",
    Kind.COUNTER,
    Unit("{trade}"),
    "Round trips closed.",
    (a.required(a.TRADE_OUTCOME),),
)
TRADE_DURATION: Final = _metric(
    "trading.trade.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Holding time of closed trades.",
    (a.TRADE_OUTCOME,),
    bounds.HOLDING,
)
TRADE_RETURN: Final = _metric(
    "trading.trade.return",
    Kind.HISTOGRAM,
    Unit("1"),
    "Size of the return of closed trades.",
    (a.required(a.TRADE_OUTCOME),),
    bounds.RETURN,
)
