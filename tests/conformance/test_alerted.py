"""What is measured is watched: every metric is read by an alert, or it says here why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from otel_trading import semconv
from otel_trading.check import promql
from otel_trading.semconv import BY_SERIES

ROOT = Path(__file__).resolve().parents[2]
RULES: list[dict[str, Any]] = [
    rule
    for file in sorted((ROOT / "alerts" / "rules").glob("*.yaml"))
    if file.stem != "compatibility"
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
]
NAMES: Final = {metric.name for metric in semconv.ALL}

#: What would fire instead -> the metrics that only say more about it, on boards.
WATCHED_BY: Final = {
    "LatencyHigh": ("order.request.duration", "market_data.fetch.duration", "connection.ping.duration"),
    "AcknowledgementSlow": ("order.fill.duration",),  # how long a fill takes is the market's to say
    "SlippageHigh": ("execution.shortfall",),
    "FeesUnexpected": ("execution.rebate",),
    "DrawdownHigh": ("portfolio.max_drawdown",),
    "WinRateLow": ("portfolio.win_rate",),
    "DailyLossLimitBreached": ("portfolio.session.return", "position.pnl"),
    "MarginCallNear": ("account.margin.usage", "account.margin.limit", "account.balance"),
    "FundingAdverse": ("funding.payment",),
    "DailyLossBudgetBurn": ("risk.usage",),
    "KillSwitchActive": ("kill_switch.activations",),
    "ReconciliationBreakUnresolved": ("reconciliation.breaks",),
    "MarketDataStale": ("market_data.delay", "market_data.quality"),
    "SequenceGapBurst": ("market_data.resyncs",),
    "RateBudgetLow": ("rate_limit.limit", "rate_limit.wait.duration"),
    "StrategyHung": ("strategy.iteration.duration", "indicator.calculation.duration"),
    "NoActivityWhenExpected": ("signal.execution.duration",),
    "CircuitBreakerOpen": ("resilience.circuit_breaker.transitions", "resilience.circuit_breaker.call.duration"),
    "HealthCheckFailing": ("resilience.health_check.duration",),
    "VenueErrorRateHigh": ("resilience.retries",),  # a retry that helps is no trouble, one that does not is an error
    "CacheHitRatioLow": ("cache.usage",),
    "EventProcessingSlow": (
        *("event_bus.published.events", "event_bus.processed.events", "event_bus.queue.size"),
        "event_bus.subscriber.count",
    ),
    "TelemetryPathBroken": ("sdk.export.duration",),
    "RestartLoop": ("sdk.start.time",),  # by strategy
}
#: Why nothing fires -> the metrics that say nothing about trouble at three in the morning.
NEVER: Final = {
    "a figure of the strategy's design, to be judged over months": (
        *("portfolio.return", "portfolio.sharpe_ratio", "portfolio.sortino_ratio", "portfolio.calmar_ratio"),
        *("portfolio.profit_factor", "portfolio.expectancy", "trade.duration", "trade.return"),
    ),
    "has no right size: yours is a rule of your own (alerts/my-rules.example.yaml)": (
        *("portfolio.value", "risk.value_at_risk", "tick_to_trade.duration"),
    ),
    "what an app logs as an error is its own habit: a rule of your own knows it (alerts/my-rules.example.yaml)": (
        "log.errors",
    ),
    "is about the past, and pages nobody": (
        *("backtest.duration", "backtest.sharpe_ratio", "backtest.max_drawdown", "backtest.return"),
        *("backtest.win_rate", "backtest.trades"),
    ),
}


def _read(expression: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """Return the metrics of an expression and of the recording rules that it reads."""
    names = {selector.name for selector in promql.read(expression).selectors} - seen
    inner = [_read(rule["expr"], seen | names) for rule in RULES if rule.get("record") in names]
    return {BY_SERIES[name].name for name in names if name in BY_SERIES}.union(*inner)


ALERTED: Final = {name for rule in RULES if "alert" in rule for name in _read(rule["expr"])}
EXCUSED: Final = sorted(
    f"trading.{name}" for table in (WATCHED_BY, NEVER) for names in table.values() for name in names
)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_metric_is_read_by_an_alert_or_says_why_not(name: str) -> None:
    assert (name in ALERTED) != (name in EXCUSED), "in a rule or in one of the two tables, and never in both"


def test_an_excuse_is_of_one_metric_and_names_an_alert_that_there_is() -> None:
    assert len(EXCUSED) == len(set(EXCUSED))
    assert set(EXCUSED) <= NAMES
    assert set(WATCHED_BY) <= {rule.get("alert") for rule in RULES}
