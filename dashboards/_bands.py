"""What is usual at this hour: mean and deviation of the same hour of the last seven days, of few key figures.

Half an hour before and after the same time of each day, so that what an opening or a funding time does every day counts
as usual. One series per strategy and account or venue, never per symbol; every five minutes; live only, as alerts are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from otel_trading.semconv import attributes as a
from otel_trading.semconv import market_data, order, portfolio
from otel_trading.semconv.prometheus import label_name

from . import _promql as promql
from . import _recorded as recorded

if TYPE_CHECKING:
    from otel_trading.semconv import Attribute, Metric

__all__ = ["FIGURES", "LATENCY", "MESSAGES", "PNL", "Figure", "rules"]

#: As many days as are looked back, and as few as make a band.
_DAYS: Final = range(1, 8)
_FEWEST: Final = 3
#: Deviations on either side: of a thousand ordinary points about three lie beyond.
_WIDTH: Final = 3
_RESOURCE: Final = ("job", *map(label_name, ("service.name", "deployment.environment.name")))
_LIVE: Final = f'{a.MODE.prometheus}="live"'
_HEAD: Final = """\
# Made by `python -m dashboards` from dashboards/_bands.py; do not edit.
#
# What is usual at this hour of the day, for boards and models. No alert reads it.
groups:
  - name: bands
    interval: 5m
    rules:"""


@dataclass(frozen=True)
class Figure:
    """One figure that has a band.

    Attributes:
        metric: Whose.
        by: The attributes that are left of it.
        value: What it is now, in PromQL, over `$by`.
    """

    metric: Metric
    by: tuple[Attribute, ...]
    value: str

    def name(self, what: str) -> str:
        """Return the name under which its `last` value, the `usual` one and the `deviation` are recorded."""
        return f"strategy:{self.metric.prometheus.removesuffix('_total')}:{what}"

    @property
    def lines(self) -> dict[str, str]:
        """The queries of a panel, by legend: what is, and between what it usually is."""
        last, usual, deviation = (self._read(what) for what in ("last", "usual", "deviation"))
        return {
            "now": last,
            "usual from": f"{usual} - {_WIDTH} * {deviation}",
            "usual to": f"{usual} + {_WIDTH} * {deviation}",
        }

    def _read(self, what: str) -> str:
        return f"{self.name(what)}{{{', '.join(promql.matchers(self.metric, self.by))}}}"

    @property
    def labels(self) -> str:
        """What its series are told apart by."""
        return ", ".join((*_RESOURCE, *(one.prometheus for one in (a.MODE, a.STRATEGY, *self.by))))


def _rate(metric: Metric, part: str) -> str:
    return f'avg_over_time({recorded.name(metric, part)}{{{_LIVE}, {recorded.STEPS}="{recorded.SHORT}"}}[5m])'


PNL: Final = Figure(
    portfolio.SESSION_PNL,
    (a.ACCOUNT, a.CURRENCY),
    f'sum by ($by) ({portfolio.SESSION_PNL.prometheus}{{{_LIVE}, {a.CURRENCY_CONVERTED.prometheus}!="true"}})',
)
LATENCY: Final = Figure(
    order.ACKNOWLEDGEMENT_DURATION,
    (a.VENUE,),
    # Without orders it is no number, which would spoil a mean.
    f"histogram_quantile(0.95, sum by ($by, le) ({_rate(order.ACKNOWLEDGEMENT_DURATION, 'bucket')})) >= 0",
)
MESSAGES: Final = Figure(market_data.MESSAGES, (a.VENUE,), f"sum by ($by) ({_rate(market_data.MESSAGES, '')})")
FIGURES: Final = (PNL, LATENCY, MESSAGES)


def rules() -> str:
    """Return the file of the rules."""
    text = _HEAD
    for one in FIGURES:
        means, spreads = (_days(function, one.name("last")) for function in ("avg_over_time", "stdvar_over_time"))
        enough = f"count without (day) ({means}) >= {_FEWEST}"
        # Within the hours, and from day to day.
        deviation = f"sqrt(avg without (day) ({spreads}) + stdvar without (day) ({means}))"
        text += _rule(one.name("last"), one.value.replace("$by", one.labels))
        text += _rule(one.name("usual"), f"avg without (day) ({means}) and {enough}")
        text += _rule(one.name("deviation"), f"{deviation} and {one.name('usual')}{{{_LIVE}}}")
    return text + "\n"


def _rule(name: str, expression: str) -> str:
    indented = expression.replace("\n", "\n          ")
    return f"\n      - record: {name}\n        expr: |\n          {indented}"


def _days(function: str, name: str) -> str:
    """Return what a function says of the same hour of each day, told apart by a label `day`."""
    each = (
        f'label_replace({function}({name}{{{_LIVE}}}[1h] offset {1440 * day - 30}m), "day", "{day}", "job", ".*")'
        for day in _DAYS
    )
    return "\n  " + "\n  or ".join(each) + "\n"
