"""What is usual at this hour of the day, and whether what is now lies within."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading.semconv import attributes as a

from .. import _bands as bands
from .. import _house as house
from .. import _promql as promql

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import timeseries

_HOW = "Usual is the same hour of the last seven days, three deviations either way; it takes three days to appear."


def session_pnl() -> timeseries.Panel:
    """Whether a strategy wins or loses more than it does at this time of day."""
    return _band("Session P&L, as usual?", house.MONEY, bands.PNL)


def acknowledgement() -> timeseries.Panel:
    """Whether a venue is slower than it is at this time of day."""
    return _band("Acknowledgement p95, as usual?", house.SECONDS, bands.LATENCY)


def messages() -> timeseries.Panel:
    """Whether a feed sends more or less than it does at this time of day."""
    return _band("Messages, as usual?", house.PER_SECOND, bands.MESSAGES)


def _band(title: str, unit: str, figure: bands.Figure) -> timeseries.Panel:
    legend = promql.legend(a.STRATEGY, *figure.by)
    queries = (house.query(expression, f"{name} {legend}") for name, expression in figure.lines.items())
    return house.dashed(house.lines(title, f"{house.about(figure.metric)} {_HOW}", unit, *queries), "/^usual/")
