"""Backtest: what the latest runs came to, and how long they take. Choose the mode backtest to see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards import _house as house
from dashboards import _promql as promql
from otel_trading.semconv import attributes as a
from otel_trading.semconv import backtest

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import table, timeseries

    from otel_trading.semconv import Metric

_BY: Final = (a.STRATEGY, a.TIMEFRAME)
_CHOOSE: Final = "No data: choose the mode backtest above"


def results() -> table.Panel:
    """Which strategy was best?"""
    figures: dict[str, Metric] = {
        "Sharpe ratio": backtest.SHARPE_RATIO,
        "Max drawdown": backtest.MAX_DRAWDOWN,
        "Return": backtest.RETURN,
        "Trades": backtest.TRADES,
    }
    queries = [house.latest(promql.now(metric, _BY, "max")) for metric in figures.values()]
    panel = house.rows("Backtest results", "The latest run of each strategy and timeframe.", house.COUNT, *queries)
    labels = {a.STRATEGY.prometheus: "Strategy", a.TIMEFRAME.prometheus: "Timeframe"}
    values = {f"Value #{letter}": title for letter, title in zip("ABCD", figures, strict=True)}
    panel = house.tidy(panel, labels | values).no_value(_CHOOSE)
    panel = house.column(panel, "Sharpe ratio", decimals=2)
    for share in ("Max drawdown", "Return"):
        panel = house.column(panel, share, unit=house.SHARE, decimals=1)
    return house.size(panel, 8, 8)


def duration() -> timeseries.Panel:
    """How long do runs take?"""
    query = house.query(promql.quantile(0.95, backtest.DURATION, _BY), promql.legend(*_BY))
    panel = house.lines("Backtest time, p95", house.about(backtest.DURATION), house.SECONDS, query)
    return panel.min(0).no_value(_CHOOSE)


def runs() -> timeseries.Panel:
    """How many run, and how many fail?"""
    by = (*_BY, a.ERROR_TYPE)  # what succeeded has no error
    query = house.query(promql.per_minute(backtest.DURATION, by, part="count"), promql.legend(*by))
    return house.lines("Backtests", "Runs, with the error of those that failed.", house.PER_MINUTE, query).min(0)
