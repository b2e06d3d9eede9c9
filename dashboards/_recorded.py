"""What rules record for the boards: rates of what a bot has once per symbol, summed over symbols once a minute.

A desk of 50 strategies with 20 symbols has 240,000 series of slippage alone; no panel can add them up while one waits.
A panel reads the sums while Symbol is on All, and the series themselves, then few, when symbols are chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading.semconv import attributes as a
from otel_trading.semconv import execution, market_data, order, portfolio, strategy, venue
from otel_trading.semconv.prometheus import label_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otel_trading.semconv import Attribute, Metric

#: Seconds between two points, as the rules have it and as a panel's smallest step.
EVERY: Final = "1m"
#: Twice that: each event counts in two points by half, and none is lost between two.
WINDOW: Final = "2m"
_LEVEL: Final = "strategy"
_MEAN: Final = ("sum", "count")

_RESOURCE: Final = ("job", *map(label_name, ("service.name", "deployment.environment.name")))
_HEAD: Final = f"""\
# Made by `python -m dashboards` from dashboards/_recorded.py; do not edit.
#
# What the boards read in place of one series per symbol, in every mode. No alert reads it.
groups:
  - name: boards
    interval: {EVERY}
    rules:"""

#: Metric and its parts (none of a counter), with the attributes that panels group by or fix.
_HELD: Final[tuple[tuple[Metric, tuple[str, ...], tuple[Attribute, ...]], ...]] = (
    (order.REQUESTS, ("",), (a.ORDER_OPERATION,)),
    (order.REQUEST_DURATION, ("bucket",), ()),
    (order.ACKNOWLEDGEMENT_DURATION, ("bucket",), ()),
    (order.FILL_DURATION, ("bucket",), (a.ORDER_STAGE,)),
    (order.TRANSITIONS, ("",), (a.ORDER_STATUS,)),
    (order.REJECTIONS, ("",), (a.REJECT_SOURCE, a.REJECT_REASON)),
    (order.INTENTS, ("",), (a.INTENT_OUTCOME,)),
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
    (market_data.MESSAGES, ("",), (a.DATA_SOURCE, a.DATA_KIND, a.CONNECTION)),
    (market_data.DELAY, ("bucket",), ()),
    (market_data.GAPS, ("",), (a.DATA_SOURCE,)),
    (market_data.RESYNCS, ("",), (a.DATA_SOURCE,)),
    (market_data.FETCH_DURATION, ("bucket",), (a.DATA_SOURCE,)),
    (market_data.FETCH_DURATION, ("count",), (a.DATA_SOURCE, a.ERROR_TYPE)),
    (venue.REQUEST_DURATION, ("bucket",), (a.VENUE_OPERATION,)),
    (venue.REQUEST_DURATION, ("count",), (a.VENUE_OPERATION, a.ERROR_TYPE)),
    (strategy.SIGNAL_EMISSIONS, ("",), (a.SIGNAL_TYPE, a.CONFIDENCE)),
    (strategy.SIGNAL_EXECUTION_DURATION, ("bucket",), ()),
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
    return f"{_LEVEL}:{series}:rate{WINDOW}"


def read_by(expression: str) -> bool:
    """Return whether an expression reads what is recorded."""
    return f":rate{WINDOW}{{" in expression


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
    text = _HEAD
    for metric, part in RECORDED:
        series = f"{metric.prometheus}_{part}" if part else metric.prometheus
        text += f"""
      - record: {name(metric, part)}
        expr: |
          sum by ({", ".join(labels(metric, part))}) (
            rate({series}{{{a.MODE.prometheus}=~".+"}}[{WINDOW}])
          )"""
    return text + "\n"
