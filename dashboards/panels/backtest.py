"""Backtest: what the latest runs came to, and how long they take. Choose the mode backtest to see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading.semconv import attributes as a
from otel_trading.semconv import backtest, execution, portfolio

from .. import _house as house
from .. import _promql as promql

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
        "Win rate": backtest.WIN_RATE,
        "Trades": backtest.TRADES,
    }
    queries = [house.latest(promql.now(metric, _BY, "max")) for metric in figures.values()]
    panel = house.rows("Backtest results", "The latest run of each strategy and timeframe.", house.COUNT, *queries)
    labels = {a.STRATEGY.prometheus: "Strategy", a.TIMEFRAME.prometheus: "Timeframe"}
    values = {f"Value #{letter}": title for letter, title in zip("ABCDE", figures, strict=True)}
    panel = house.tidy(panel, labels | values).no_value(_CHOOSE)
    panel = house.column(panel, "Sharpe ratio", decimals=2)
    for share in ("Max drawdown", "Return", "Win rate"):
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


def _against(title: str, about: str, unit: str, live: str, promised: str) -> timeseries.Panel:
    queries = [
        house.query(promql.in_mode(live, "live"), f"live {promql.legend(a.STRATEGY, a.WINDOW)}"),
        house.query(promql.in_mode(promised, "backtest"), f"backtest {promql.legend(*_BY)}"),
    ]
    panel = house.dashed(house.lines(title, about, unit, *queries), "/^backtest/")
    return panel.no_value("No data: it needs a live bot and a backtest of one strategy")


def return_against() -> timeseries.Panel:
    """Does live earn what the backtest promised?"""
    live = promql.now(portfolio.RETURN, (a.STRATEGY, a.WINDOW), "max")
    about = "Return of live windows beside the last backtest of each strategy, dashed."
    return _against("Return", about, house.SHARE, live, promql.now(backtest.RETURN, _BY, "max"))


def sharpe_against() -> timeseries.Panel:
    """Is it as steady?"""
    live = promql.now(portfolio.SHARPE_RATIO, (a.STRATEGY, a.WINDOW), "max")
    about = "Sharpe ratio of live windows beside the last backtest of each strategy, dashed."
    panel = _against("Sharpe ratio", about, house.COUNT, live, promql.now(backtest.SHARPE_RATIO, _BY, "max"))
    return panel.decimals(2)


def drawdown_against() -> timeseries.Panel:
    """Is it as deep?"""
    live = promql.now(portfolio.MAX_DRAWDOWN, (a.STRATEGY, a.WINDOW), "max")
    about = "Deepest drawdown of live windows beside the last backtest of each strategy, dashed."
    return _against("Max drawdown", about, house.SHARE, live, promql.now(backtest.MAX_DRAWDOWN, _BY, "max"))


def slippage_against() -> timeseries.Panel:
    """Does a fill cost what the model assumed?"""
    by = (a.STRATEGY,)
    signed = promql.signed_mean(execution.SLIPPAGE, a.DIRECTION, ("adverse", "favorable"), by, window="30m")
    about = "Mean slippage over 30 minutes, live and in backtests (dashed); above zero it costs."
    return _against("Slippage", about, house.BASIS_POINTS, f"10000 * {signed}", f"10000 * {signed}")
