"""What rules record so that a count over any time is exact and cheap: what each process has counted since it began.

`increase` over 30 days reads 172,800 samples of every series. A rate that a rule recorded is cheap, and lacks whatever
came while Prometheus was away and was replayed. So a rule adds up the counters of each process, with the second at
which it started as a label: such a sum never begins anew. Its highest value in a time, less its last one before, is the
count: nothing is extrapolated, and a gap is made up for as soon as the samples are there.

A process that ended while Prometheus was away for long counts up to the last point before that; one that was running
before Prometheus had these rules counts from its start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading.semconv import attributes as a
from otel_trading.semconv import execution, portfolio, sdk
from otel_trading.semconv.prometheus import label_name

from . import _recorded as recorded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_trading.semconv import Attribute, Metric

#: So far back is the last value before a time looked for: longer than Prometheus is likely to be away.
BEFORE: Final = "1d"
#: So long are the last words of what has ended looked for, and, as Prometheus shows it, the start of its process.
_WORDS: Final = "2m"
_SHOWN: Final = "5m"
_COUNT: Final = ":counted_total"
_PROCESS: Final = "on (job, instance)"
_RESOURCE: Final = ("job", "instance", *map(label_name, ("service.name", "deployment.environment.name")))
_COMMON: Final = (a.MODE, a.STRATEGY, a.VENUE, a.ACCOUNT, a.CURRENCY)
#: The label that says when the process started, Unix seconds.
STARTED: Final = "started"
#: Counters whose counts stand on boards, with the attributes that panels group by.
COUNTED: Final[Mapping[Metric, tuple[Attribute, ...]]] = {
    execution.FILLS: (),
    execution.TRADE_CLOSURES: (),
    portfolio.FUNDING_PAYMENT: (a.FUNDING_DIRECTION,),
}


def name(metric: Metric) -> str:
    """Return the name under which it is recorded what each process has counted."""
    return f"process:{metric.prometheus.removesuffix('_total')}{_COUNT}"


def labels(metric: Metric) -> tuple[str, ...]:
    """Return the labels that are left of a counter."""
    own = (each.prometheus for each in (*_COMMON, *COUNTED[metric]) if each in metric.attributes)
    return (*_RESOURCE, *own, STARTED)


def rules() -> str:
    """Return the groups of the rules."""
    text = f"\n  - name: boards_counts\n    interval: {recorded.EVERY}\n    rules:"
    for metric in COUNTED:
        text += f"\n      - record: {name(metric)}\n        expr: |\n{_expression(metric)}"
        text += f"\n        labels: {{{recorded.STEPS}: {recorded.SHORT}}}"
    text += f"\n  - name: boards_counts_over_days\n    interval: {recorded.SELDOM}\n    rules:"
    for metric in COUNTED:
        text += f"""
      - record: {name(metric)}
        expr: max_over_time({name(metric)}{{{recorded.STEPS}="{recorded.SHORT}"}}[{recorded.SELDOM}])
        labels: {{{recorded.STEPS}: {recorded.LONG}}}"""
    return text + "\n"


def read_by(expression: str) -> bool:
    """Return whether an expression reads what is recorded."""
    return f"{_COUNT}{{" in expression


def _expression(metric: Metric) -> str:
    """Return the sum of each process: of one that lives what it said itself, of one that has ended its last words.

    A process exports all its counters at once, together with its start. A series of the one before is still there for
    five minutes, under the same instance, but older than that. What has no start is none of our SDK's and is added up
    as it is.
    """
    series, start = (f'{each.prometheus}{{{a.MODE.prometheus}=~".+"}}' for each in (metric, sdk.START_TIME))
    last_start = f"last_over_time({start}[{_SHOWN}])"
    return f"""\
          sum by ({", ".join(labels(metric))}) (
              (
                  (
                    {series}
                  and
                    timestamp({series}) >= {_PROCESS} group_left () max by (job, instance) (timestamp({start}))
                  )
                or
                  (last_over_time({series}[{_WORDS}]) unless {_PROCESS} {start})
              )
              * {_PROCESS} group_left ({STARTED})
                count_values by (job, instance) ("{STARTED}", max by (job, instance) ({last_start}))
            or
              ({series} unless {_PROCESS} {last_start})
          )"""
