"""What rules record for the boards: rates and states without symbols, once a minute and once in five.

A desk of 50 strategies with 20 symbols has 240,000 series of slippage alone, and 30 days are 172,800 samples of each:
no panel can read that while one waits. While Symbol is on All, a panel reads what is recorded at the pace of its step;
when symbols are chosen, it reads the series themselves, then few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading.semconv import (
    Kind,
    backtest,
    execution,
    market_data,
    order,
    plumbing,
    portfolio,
    resilience,
    risk,
    sdk,
    strategy,
    venue,
)
from otel_trading.semconv import attributes as a
from otel_trading.semconv.prometheus import label_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otel_trading.semconv import Attribute, Metric

#: Between two points, as the rules have it and as a panel's smallest step.
EVERY: Final = "1m"
#: Between two points for long ranges.
SELDOM: Final = "5m"
#: The label that says for which steps of a panel, as Grafana writes them, a series is made.
STEPS: Final = "steps"
SHORT, LONG = "1m 2m", "5m 10m 15m 20m 30m 1h 2h 3h 6h 12h 1d 7d 30d 1y"
#: What is recorded for which steps, and the seconds between two of its points.
PACES: Final = ((SHORT, 60), (LONG, 300))
#: Twice that: each event counts in two points by half, and none is lost between two.
WINDOW: Final = "2m"
_RATE, _ADDED_UP = f":rate{WINDOW}", ":sum"
_MEAN: Final = ("sum", "count")

_RESOURCE: Final = ("job", *map(label_name, ("service.name", "deployment.environment.name")))
_HEAD: Final = """\
# Made by `python -m dashboards` from dashboards/_recorded.py; do not edit.
#
# What the boards read in place of one series per symbol, in every mode. No alert reads it.
groups:"""

#: Metric and its parts (none of a counter), with the attributes that panels group by or fix.
_HELD: Final[tuple[tuple[Metric, tuple[str, ...], tuple[Attribute, ...]], ...]] = (
    (order.REQUESTS, ("",), (a.ORDER_OPERATION,)),
    (order.REQUEST_DURATION, ("bucket",), ()),
    (order.ACKNOWLEDGEMENT_DURATION, ("bucket",), ()),
    (order.FILL_DURATION, ("bucket",), (a.ORDER_STAGE,)),
    (order.TRANSITIONS, ("",), (a.ORDER_STATUS,)),
    (order.REJECTIONS, ("",), (a.REJECT_SOURCE, a.REJECT_REASON)),
    (order.INTENTS, ("",), (a.INTENT_OUTCOME,)),
    (order.ACTIVE, ("",), (a.ORDER_STATUS,)),
    (execution.FILLS, ("",), (a.ORDER_SIDE, a.LIQUIDITY)),
    (execution.NOTIONAL, ("",), (a.ORDER_SIDE,)),
    (execution.FEE, ("",), (a.FEE_TYPE,)),
    (execution.REBATE, ("",), ()),
    (execution.SLIPPAGE, ("bucket",), (a.DIRECTION,)),
    (execution.SLIPPAGE, _MEAN, (a.DIRECTION, a.BENCHMARK)),
    (execution.SHORTFALL, _MEAN, (a.DIRECTION,)),
    (execution.MARKOUT, _MEAN, (a.DIRECTION, a.MARKOUT_HORIZON, a.LIQUIDITY)),
    (execution.TRADE_CLOSURES, ("",), (a.TRADE_OUTCOME,)),
    (execution.TRADE_DURATION, _MEAN, (a.TRADE_OUTCOME,)),
    (execution.TRADE_RETURN, _MEAN, (a.TRADE_OUTCOME,)),
    (portfolio.SESSION_RETURN, ("bucket",), ()),
    (risk.CHECKS, ("",), (a.RISK_OUTCOME,)),
    (risk.KILL_SWITCH_ACTIVATIONS, ("",), (a.KILL_SWITCH_SCOPE, a.KILL_SWITCH_TRIGGER)),
    (risk.BREAKS, ("",), (a.RECONCILIATION_OBJECT, a.BREAK_TYPE)),
    (risk.BREAK_ACTIVE, ("",), (a.RECONCILIATION_OBJECT, a.BREAK_TYPE)),
    (risk.RECONCILIATION_DURATION, ("bucket",), (a.RECONCILIATION_OBJECT, a.ERROR_TYPE)),
    (market_data.MESSAGES, ("",), (a.DATA_SOURCE, a.DATA_KIND, a.CONNECTION)),
    (market_data.DELAY, ("bucket",), ()),
    (market_data.GAPS, ("",), (a.DATA_SOURCE,)),
    (market_data.RESYNCS, ("",), (a.DATA_SOURCE,)),
    (market_data.FETCH_DURATION, ("bucket",), (a.DATA_SOURCE,)),
    (market_data.FETCH_DURATION, ("count",), (a.DATA_SOURCE, a.ERROR_TYPE)),
    (market_data.PING_DURATION, ("bucket",), (a.CONNECTION,)),
    (market_data.CONNECTION_RECONNECTS, ("",), (a.CONNECTION, a.ERROR_TYPE)),
    (venue.REQUEST_DURATION, ("bucket",), (a.VENUE_OPERATION,)),
    (venue.REQUEST_DURATION, ("count",), (a.VENUE_OPERATION, a.ERROR_TYPE)),
    (venue.RATE_LIMIT_REJECTIONS, ("",), (a.RATE_LIMIT, a.ERROR_TYPE)),
    (venue.RATE_LIMIT_WAIT_DURATION, ("sum",), (a.RATE_LIMIT,)),
    (strategy.ITERATION_DURATION, ("bucket",), ()),
    (strategy.TICK_TO_TRADE_DURATION, ("bucket",), ()),
    (strategy.INDICATOR_DURATION, ("bucket",), (a.INDICATOR,)),
    (strategy.SIGNAL_EMISSIONS, ("",), (a.SIGNAL_TYPE, a.CONFIDENCE)),
    (strategy.SIGNAL_EXECUTION_DURATION, ("bucket",), ()),
    (backtest.DURATION, ("bucket",), (a.TIMEFRAME,)),
    (backtest.DURATION, ("count",), (a.TIMEFRAME, a.ERROR_TYPE)),
    (resilience.HEALTH_CHECK_DURATION, ("bucket",), (a.HEALTH_CHECK,)),
    (resilience.OPERATION_DURATION, ("bucket",), (a.OPERATION,)),
    (resilience.OPERATION_DURATION, ("count",), (a.OPERATION, a.ERROR_TYPE)),
    (resilience.BREAKER_TRANSITIONS, ("",), (a.BREAKER, a.BREAKER_STATE)),
    (resilience.BREAKER_CALL_DURATION, ("bucket",), (a.BREAKER,)),
    (resilience.BREAKER_CALL_DURATION, ("count",), (a.BREAKER, a.BREAKER_OUTCOME)),
    (resilience.RETRIES, ("",), (a.OPERATION, a.ERROR_TYPE)),
    (resilience.LOG_ERRORS, ("",), (a.LOGGER,)),
    (plumbing.CACHE_REQUESTS, ("",), (a.CACHE, a.CACHE_LEVEL, a.CACHE_OUTCOME)),
    (plumbing.PUBLISHED_EVENTS, ("",), (a.EVENT_TYPE, a.ERROR_TYPE)),
    (plumbing.PROCESSED_EVENTS, ("",), (a.EVENT_TYPE, a.ERROR_TYPE)),
    (plumbing.PROCESS_DURATION, ("bucket",), (a.EVENT_TYPE,)),
    (sdk.DROPPED, ("",), (a.SDK_REASON,)),
    (sdk.ATTRIBUTE_OVERFLOWS, ("",), (a.SDK_ATTRIBUTE,)),
    (sdk.EXPORT_DURATION, ("bucket",), ()),
    (sdk.EXPORT_DURATION, ("count",), (a.ERROR_TYPE,)),
)
#: The attributes that are left of a metric and its part.
RECORDED: Final[Mapping[tuple[Metric, str], tuple[Attribute, ...]]] = {
    (metric, part): kept for metric, parts, kept in _HELD for part in parts
}


def name(metric: Metric, part: str) -> str:
    """Return the name under which rates are recorded.

    Args:
        metric: Whose.
        part: `bucket`, `sum` or `count` of a histogram.
    """
    series = f"{metric.prometheus}_{part}" if part else metric.prometheus.removesuffix("_total")
    done = _ADDED_UP if is_state(metric) else _RATE
    return f"{'strategy' if a.STRATEGY in metric.attributes else 'process'}:{series}{done}"


def is_state(metric: Metric) -> bool:
    """Return whether a metric says how many there are now, so that its sum is recorded in place of a rate."""
    return metric.kind is Kind.OBSERVABLE_UP_DOWN_COUNTER


def read_by(expression: str) -> bool:
    """Return whether an expression reads what is recorded."""
    return f"{_RATE}{{" in expression or f"{_ADDED_UP}{{" in expression


def holds(metric: Metric, part: str, asked: Iterable[Attribute | str]) -> bool:
    """Return whether what is recorded of a metric has every attribute asked for.

    Args:
        metric: What to read.
        part: `bucket`, `sum` or `count` of a histogram.
        asked: Attributes to group by or to fix; names are labels that each series has.
    """
    kept = RECORDED.get((metric, part))
    every = (*(kept or ()), a.MODE, a.STRATEGY, a.VENUE, a.ACCOUNT, a.CURRENCY)
    return kept is not None and all(isinstance(one, str) or one in every for one in asked)


def labels(metric: Metric, part: str) -> tuple[str, ...]:
    """Return the labels that are left of a metric.

    Args:
        metric: Whose.
        part: `bucket`, `sum` or `count` of a histogram.
    """
    asked = (a.MODE, a.STRATEGY, a.VENUE, a.ACCOUNT, a.CURRENCY, *RECORDED[metric, part])
    own = (attribute.prometheus for attribute in asked if attribute in metric.attributes)
    return (*_RESOURCE, *own, *(("le",) if part == "bucket" else ()))


def rules() -> str:
    """Return the file of the rules."""
    text = f"{_HEAD}\n  - name: boards\n    interval: {EVERY}\n    rules:"
    for metric, part in RECORDED:
        series = f"{metric.prometheus}_{part}" if part else metric.prometheus
        every = f'{series}{{{a.MODE.prometheus}=~".+"}}'
        text += f"""
      - record: {name(metric, part)}
        expr: |
          sum by ({", ".join(labels(metric, part))}) (
            {every if is_state(metric) else f"rate({every}[{WINDOW}])"}
          )
        labels: {{{STEPS}: {SHORT}}}"""
    text += f"\n  - name: boards_over_days\n    interval: {SELDOM}\n    rules:"
    for metric, part in RECORDED:
        short = f'{name(metric, part)}{{{STEPS}="{SHORT}"}}'
        text += f"""
      - record: {name(metric, part)}
        expr: |
          {short if is_state(metric) else f"avg_over_time({short}[{SELDOM}])"}
        labels: {{{STEPS}: {LONG}}}"""
    return text + "\n"
