"""The daily report: what a desk asks in the morning, one row per figure, strategy, venue, account and currency.

Totals are exact: the last value less the one before the day, and where a counter began anew the sum of its parts.
Prometheus' own `increase` extrapolates, and tells 99.3 fills.
"""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

from otel_trading.export import source
from otel_trading.export.period import Period
from otel_trading.semconv import attributes as a
from otel_trading.semconv import execution, order, portfolio, risk
from otel_trading.semconv.prometheus import label_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_trading.semconv import Metric

__all__ = ["FIRST", "rows"]

Statistic = Literal["total", "last", "max"]

#: The columns that every row begins with.
FIRST: Final = ("since", "until", "metric", "statistic", "unit")
_FIGURES: Final[tuple[tuple[Metric, Statistic], ...]] = (
    (portfolio.VALUE, "last"),
    (portfolio.SESSION_PNL, "last"),
    (portfolio.PNL, "last"),
    (portfolio.DRAWDOWN, "max"),
    (order.REQUESTS, "total"),
    (order.REJECTIONS, "total"),
    (execution.FILLS, "total"),
    (execution.NOTIONAL, "total"),
    (execution.FEE, "total"),
    (execution.REBATE, "total"),
    (execution.TRADE_CLOSURES, "total"),
    (risk.BREAKS, "total"),
    (risk.KILL_SWITCH_ACTIVATIONS, "total"),
)
_KEPT: Final = ("job", *map(label_name, ("service.name", "deployment.environment.name")))
_DAY: Final = 86_400_000
_Key = frozenset[tuple[str, str]]


def rows(url: str, period: Period) -> Iterator[dict[str, Any]]:
    """Give the rows of the report.

    Args:
        url: Prometheus'.
        period: The day, or any other time.

    Raises:
        StackError: Prometheus does not answer.
    """
    length = f"{period.end - period.start}ms"
    for metric, statistic in _FIGURES:
        found = _READ[statistic](url, metric.prometheus, period, length)
        for labels, value in sorted(_together(metric, found, statistic).items(), key=lambda one: sorted(one[0])):
            yield {
                "since": period.start,
                "until": period.end,
                "metric": metric.name,
                "statistic": statistic,
                "unit": metric.unit.text,
                **dict(labels),
                "value": format(value.normalize(), "f"),
            }


def _together(
    metric: Metric, found: list[tuple[dict[str, str], int, Decimal]], statistic: Statistic
) -> dict[_Key, Decimal]:
    """Bring the series of all symbols and all lives of a bot together."""
    kept = {*_KEPT, *(one.prometheus for one in metric.attributes if one is not a.SYMBOL)}
    groups: dict[_Key, list[tuple[int, Decimal]]] = defaultdict(list)
    for labels, moment, value in found:
        groups[frozenset((name, text) for name, text in labels.items() if name in kept)].append((moment, value))
    if statistic == "total":
        return {key: sum((value for _, value in each), Decimal(0)) for key, each in groups.items()}
    # The newest of several lives; the worst of all.
    choose: dict[str, Callable[[tuple[int, Decimal]], Any]] = {"last": lambda one: one[0], "max": lambda one: one[1]}
    return {key: max(each, key=choose[statistic])[1] for key, each in groups.items()}


def _totals(url: str, name: str, period: Period, length: str) -> list[tuple[dict[str, str], int, Decimal]]:
    selector = f'{name}{{{a.MODE.prometheus}=~".+"}}'
    last = _values(source.at(url, f"last_over_time({selector}[{length}])", period.end))
    # What was counted before: also where Prometheus was away for hours when the day began.
    before = _values(source.at(url, f"last_over_time({selector}[1d])", period.start))
    again = _values(source.at(url, f"resets({selector}[{length}]) > 0", period.end))
    return [
        (dict(key), period.end, _walked(url, name, dict(key), period) if key in again else value - before.get(key, 0))
        for key, value in last.items()
    ]


def _walked(url: str, name: str, labels: dict[str, str], period: Period) -> Decimal:
    """Add up a counter that began anew under the same labels, sample by sample."""
    matchers = ",".join(f"{label}={json.dumps(text)}" for label, text in labels.items())
    total, before = Decimal(0), Decimal(0)
    for one in source.samples(url, f"{name}{{{matchers}}}", Period(period.start - _DAY, period.end)):
        value = Decimal(one.value)
        if one.time > period.start:
            total += value - before if value >= before else value
        before = value
    return total


def _lasts(url: str, name: str, period: Period, length: str) -> list[tuple[dict[str, str], int, Decimal]]:
    selector = f'{name}{{{a.MODE.prometheus}=~".+"}}'
    last = _values(source.at(url, f"last_over_time({selector}[{length}])", period.end))
    when = _values(source.at(url, f"max_over_time(timestamp({selector})[{length}:1m])", period.end))
    return [(dict(key), int(when.get(key, 0) * 1000), value) for key, value in last.items()]


def _worst(url: str, name: str, period: Period, length: str) -> list[tuple[dict[str, str], int, Decimal]]:
    selector = f'{name}{{{a.MODE.prometheus}=~".+"}}'
    found = _values(source.at(url, f"max_over_time({selector}[{length}])", period.end))
    return [(dict(key), period.end, value) for key, value in found.items()]


def _values(found: list[source.Sample]) -> dict[_Key, Decimal]:
    """Return the finite values by labels, of which the name is none."""
    return {
        frozenset((label, text) for label, text in one.labels.items() if label != "__name__"): Decimal(one.value)
        for one in found
        if Decimal(one.value).is_finite()
    }


_READ: Final[dict[Statistic, Callable[[str, str, Period, str], list[tuple[dict[str, str], int, Decimal]]]]] = {
    "total": _totals,
    "last": _lasts,
    "max": _worst,
}
