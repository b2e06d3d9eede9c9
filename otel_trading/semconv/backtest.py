"""Backtest: how long runs take, and what the latest one of a strategy came to."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import _boundaries as bounds
from otel_trading.semconv import attributes as a
from otel_trading.semconv._model import Family, Kind, Unit

_metric = Family(("backtest",), a.COMMON).metric
_RESULT: Final = (a.required(a.STRATEGY), a.TIMEFRAME)

DURATION: Final = _metric(
    "trading.backtest.duration",
    Kind.HISTOGRAM,
    Unit("s"),
    "Time of a backtest.",
    (a.TIMEFRAME, a.conditional(a.ERROR_TYPE)),
    bounds.BACKTEST,
    note="Its count is the number of runs.",
)
SHARPE_RATIO: Final = _metric(
    "trading.backtest.sharpe_ratio",
    Kind.GAUGE,
    Unit("1"),
    "Sharpe ratio of the latest run.",
    _RESULT,
    note="As the run states it, with its own sampling and annualisation; like the other results it carries no run id.",
)
MAX_DRAWDOWN: Final = _metric(
    "trading.backtest.max_drawdown",
    Kind.GAUGE,
    Unit("1"),
    "Deepest drawdown of the latest run.",
    _RESULT,
    note="A positive share of the peak: 0.12 is 12 %.",
)
RETURN: Final = _metric(
    "trading.backtest.return",
    Kind.GAUGE,
    Unit("1"),
    "Total return of the latest run.",
    _RESULT,
    note="A share of the initial equity: 0.5 is 50 %.",
)
WIN_RATE: Final = _metric(
    "trading.backtest.win_rate",
    Kind.GAUGE,
    Unit("1"),
    "Share of closed trades of the latest run that won.",
    _RESULT,
    note="As the run states it, net of fees or not.",
)
TRADES: Final = _metric(
    "trading.backtest.trades",
    Kind.GAUGE,
    Unit("{trade}"),
    "Trades of the latest run.",
    _RESULT,
)
