"""Writes PromQL from semconv records, so that no panel spells a metric or a label.

Every selector obeys the board's variables, counters stand inside `rate` or `increase`, ratios divide sums, and a metric
that has a currency keeps it, whatever a panel groups by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from otel_trading.semconv import Attribute, Level
from otel_trading.semconv import attributes as a
from otel_trading.semconv.prometheus import label_name

from . import _counted as counted
from . import _recorded as recorded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otel_trading.semconv import Metric

Where = dict[Attribute, str]
By = tuple[Attribute | str, ...]
How = Literal["sum", "max", "min"]
#: Resource attributes that Prometheus promotes to labels of every series; OpenTelemetry's names, not ours.
ENVIRONMENT: Final = label_name("deployment.environment.name")
SERVICE: Final = label_name("service.name")
#: What Prometheus makes of the service's namespace and name; the thresholds carry it.
JOB: Final = "job"
#: Which variable filters which label. All is `.*`, which also matches series without the label.
FILTERS: Final[Mapping[str, str]] = {
    "environment": ENVIRONMENT,
    "service": SERVICE,
    "strategy": a.STRATEGY.prometheus,
    "venue": a.VENUE.prometheus,
    "symbol": a.SYMBOL.prometheus,
    "account": a.ACCOUNT.prometheus,
    "currency": a.CURRENCY.prometheus,
}
#: One mode at a time: paper money and real money never meet in a sum.
MODE: Final = f'{a.MODE.prometheus}="$mode"'
RANGE: Final = "$__range"
_SYMBOL_CHOSEN: Final = f"{a.MODE.prometheus}!~`${{symbol:regex}}`"
ANY: Final = ".+"
#: Who can reject what was sent; what our own checks or a client library denied stands in no request.
REFUSED: Final[Where] = {a.REJECT_SOURCE: "venue|broker"}
#: What failed carries `error.type`; what succeeded does not.
FAILED: Final[Where] = {a.ERROR_TYPE: ANY}
#: One step: what is recorded is a rate already, and its points do not overlap.
STEP: Final = "$__interval"
_OF_STEP: Final = rf"{recorded.STEPS}=~`.*\b{STEP}\b.*`"
_RATE: Final = "$__rate_interval"
_RESOURCE: Final = {ENVIRONMENT: True, SERVICE: True}


def chosen(name: str, *, or_none: bool = False) -> str:
    """Return what a label has to match for a variable: a regex between backticks, where quotes are only characters.

    `"$symbol"` would break at a value with a quote, because Grafana escapes regex characters and no quotes. With
    `:regex` it escapes for a regex alone, which is what stands between backticks.

    Args:
        name: Variable.
        or_none: Whether series without the label match too.
    """
    return f"`${{{name}:regex}}{'|' if or_none else ''}`"


def series(metric: Metric, part: str = "", where: Where | None = None) -> str:
    """Return the selector of a metric, narrowed by every variable that it can obey.

    Where a label is optional, a series without it stays: equity has no venue, and choosing one must not hide it.

    Args:
        metric: What to select.
        part: `bucket`, `sum` or `count` of a histogram.
        where: Attributes fixed to a value, to one of several (`a|b`), or to `ANY` where they only have to be there.
    """
    return f"{_name(metric, part)}{{{', '.join(_matchers(metric, where or {}))}}}"


def _name(metric: Metric, part: str) -> str:
    name = f"{metric.prometheus}_{part}" if part else metric.prometheus
    if name not in metric.series:
        message = f"{name} is not a series of {metric}. Use one of {metric.series}."
        raise ValueError(message)
    return name


def _matchers(metric: Metric, where: Where, *, of_symbols: bool = False) -> list[str]:
    always = {use.attribute.prometheus: use.level is Level.REQUIRED for use in metric.uses} | _RESOURCE
    if of_symbols and a.SYMBOL in metric.attributes:
        always[a.SYMBOL.prometheus] = True  # one that is chosen matches nothing that has none
    matchers = [MODE]
    matchers += [
        f"{label}=~{chosen(name, or_none=not always[label])}" for name, label in FILTERS.items() if label in always
    ]
    if a.CURRENCY_CONVERTED in metric.attributes and a.CURRENCY_CONVERTED not in where:
        matchers.append(f'{a.CURRENCY_CONVERTED.prometheus}!="true"')  # the same money once more, converted
    matchers += [
        f'{attribute.prometheus}{"=~" if value == ANY or "|" in value else "="}"{value}"'
        for attribute, value in where.items()
    ]
    return matchers


def matchers(metric: Metric, kept: By) -> list[str]:
    """Return what the variables ask of a series that is recorded of a metric, with these attributes left.

    Args:
        metric: Whose.
        kept: What else than strategy and resource.
    """
    left = {label if isinstance(label, str) else label.prometheus for label in (a.STRATEGY, *kept)} | set(_RESOURCE)
    always = {use.attribute.prometheus: use.level is Level.REQUIRED for use in metric.uses} | _RESOURCE
    own = (f"{label}=~{chosen(name, or_none=not always[label])}" for name, label in FILTERS.items() if label in left)
    return [MODE, *own]


def foreign(name: str, *matchers: str) -> str:
    """Return the selector of a series that OpenTelemetry's own conventions name, narrowed to the bots chosen.

    Args:
        name: As Prometheus holds it.
        matchers: Further ones, as PromQL writes them.
    """
    own = (f"{ENVIRONMENT}=~{chosen('environment', or_none=True)}", f"{SERVICE}=~{chosen('service')}")
    return f"{name}{{{', '.join((*own, *matchers))}}}"


def in_mode(expression: str, mode: str) -> str:
    """Return the expression for one mode, whichever is chosen."""
    return expression.replace(MODE, f'{a.MODE.prometheus}="{mode}"')


def group(metric: Metric, by: By) -> str:
    """Return the `by (...) ` clause; the currency joins by itself."""
    labels = [label if isinstance(label, str) else label.prometheus for label in by]
    if a.CURRENCY in metric.attributes:
        labels.append(a.CURRENCY.prometheus)
    return f"by ({', '.join(dict.fromkeys(labels))}) " if labels else ""


def now(metric: Metric, by: By = (), how: How = "sum", where: Where | None = None) -> str:
    """Return the present value of a state."""
    return f"{how} {group(metric, by)}({series(metric, where=where)})"


def number_of(metric: Metric, by: By = ()) -> str:
    """Return how many there were at each step, of a state whose sums are recorded."""
    return _total(metric, by, [_summed(metric, "", {}), _of_chosen(metric, "", {})])


def since(metric: Metric, by: By = ()) -> str:
    """Return the seconds since the moment that a metric holds as Unix time."""
    return f"time() - {now(metric, by, 'max')}"


def left(metric: Metric, by: By = ()) -> str:
    """Return the seconds until the moment that a metric holds as Unix time."""
    return f"{now(metric, by, 'min')} - time()"


def rate(metric: Metric, by: By = (), where: Where | None = None, part: str = "") -> str:
    """Return events per second."""
    return _total(metric, by, _rates(metric, part, by, where or {}))


def grown(metric: Metric, by: By = (), where: Where | None = None, *, part: str = "", window: str = RANGE) -> str:
    """Return how much a counter grew in a window, up to a factor: for quotients, where it cancels."""
    return _total(metric, by, _rates(metric, part, by, where or {}, window))


def _total(metric: Metric, by: By, parts: Iterable[str]) -> str:
    return f"sum {group(metric, by)}({' or '.join(parts)})"


def _rates(metric: Metric, part: str, by: By, where: Where, window: str = "") -> list[str]:
    """Return the rates to be added up: what rules recorded, or the series themselves where they have to be read."""
    over = window or _RATE
    if not recorded.holds(metric, part, (*by, *where)):
        return [f"rate({series(metric, part, where)}[{over}])"]
    summed = _summed(metric, part, where)
    shown = f"sum_over_time({summed}[{window}])" if window else f"avg_over_time({summed}[{STEP}])"
    if a.SYMBOL not in metric.attributes:
        return [shown]
    return [shown, f"rate({_of_chosen(metric, part, where)}[{over}])"]


def _summed(metric: Metric, part: str, where: Where) -> str:
    """Return the selector of what rules recorded, which is all there is to read while Symbol is on All."""
    matchers = (*_matchers(metric, where, of_symbols=True), _OF_STEP)
    return f"{recorded.name(metric, part)}{{{', '.join(matchers)}}}"


def _of_chosen(metric: Metric, part: str, where: Where) -> str:
    """Return the selector of the series themselves, where symbols are chosen.

    `$symbol` on All is `.*`, which every mode matches: then nothing is left to read here.
    """
    return f"{_name(metric, part)}{{{', '.join((*_matchers(metric, where), _SYMBOL_CHOSEN))}}}"


def per_minute(metric: Metric, by: By = (), where: Where | None = None, part: str = "") -> str:
    """Return events per minute, which means the same at every zoom; a count per bar would not."""
    return f"60 * {rate(metric, by, where, part)}"


def increase(metric: Metric, by: By = ()) -> str:
    """Return how much a counter grew in the time shown, to the step; where symbols are chosen from its own series."""
    count = f"{counted.name(metric)}{{{', '.join((*_matchers(metric, {}, of_symbols=True), _OF_STEP))}}}"
    most = f"max_over_time({count}[{RANGE}])"
    parts = [f"({most} - last_over_time({count}[{counted.BEFORE}] offset {RANGE}))", most]
    if a.SYMBOL in metric.attributes:
        parts.append(f"increase({_of_chosen(metric, '', {})}[{RANGE}])")
    return _total(metric, by, parts)


def or_zero(expression: str, carrier: str) -> str:
    """Return the expression, and zero where only the carrier has a series: no error yet is 0, not silence."""
    return f"({expression} or 0 * {carrier})"


def ratio(part: str, whole: str) -> str:
    """Return the share of `part` in `whole`, which are sums over the same labels; no part yet is 0."""
    return f"{or_zero(part, whole)} / ({whole} > 0)"


def quantile(share: float, metric: Metric, by: By = (), window: str = "") -> str:
    """Return a quantile of a histogram, by default of each step."""
    return f"histogram_quantile({share}, {_total(metric, ('le', *by), _rates(metric, 'bucket', by, {}, window))})"


def buckets(metric: Metric) -> str:
    """Return the events per second and bucket, for a heatmap."""
    return rate(metric, ("le",), part="bucket")


def mean(metric: Metric, by: By = (), where: Where | None = None) -> str:
    """Return the mean of a histogram."""
    return f"{rate(metric, by, where, 'sum')} / ({rate(metric, by, where, 'count')} > 0)"


def signed_mean(metric: Metric, sign: Attribute, values: tuple[str, str], by: By, window: str) -> str:
    """Return the mean of a magnitude whose sign is an attribute, also when a side is missing.

    Args:
        metric: Histogram of the magnitude.
        sign: Attribute that tells the sign.
        values: Its value for what adds, and its value for what subtracts.
        by: Attributes to keep.
        window: Range of the mean.
    """
    added, taken = (_rates(metric, "sum", by, {sign: value}, window) for value in values)
    signed = _total(metric, by, (*added, *(f"- {each}" for each in taken)))
    return f"{signed} / ({grown(metric, by, part='count', window=window)} > 0)"


def state(metric: Metric, attribute: Attribute, worst_first: Iterable[str], by: By) -> str:
    """Return the place of the current state in `worst_first`: the worst wins where several processes differ."""
    return " or ".join(
        f"({now(metric, by, 'max', {attribute: value})} == 1) * {place}" for place, value in enumerate(worst_first)
    )


def legend(*attributes: Attribute | str) -> str:
    """Return a legend of label values."""
    labels = (label if isinstance(label, str) else label.prometheus for label in attributes)
    return " ".join(f"{{{{{label}}}}}" for label in labels)


def threshold(name: str, of: str, by: By = ()) -> str:
    """Return the strictest threshold in force of those that alerts compare with; only live bots have them.

    Args:
        name: What follows `trading:threshold_in_force:`.
        of: Expression by `JOB` and `by` of what is compared: only what is in it counts, so the variables hold here.
        by: Attributes to keep.
    """
    labels = ", ".join(label if isinstance(label, str) else label.prometheus for label in by)
    grouped = f"by ({labels}) " if labels else ""
    same = ", ".join(filter(None, (JOB, labels)))
    return f"min {grouped}(trading:threshold_in_force:{name} and on ({same}) {of})"
