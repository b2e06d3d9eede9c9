"""Judges one PromQL expression by the convention: what it names, and whether what it computes means anything."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from otel_trading.check import promql
from otel_trading.check._finding import alternatives, meant
from otel_trading.check.names import IDENTITY, SCOPE, THRESHOLDS, VALUES
from otel_trading.semconv import BY_SERIES, Kind, find
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.check.names import Names
    from otel_trading.check.promql import Matcher, Query, Selector
    from otel_trading.semconv import Metric

__all__ = ["Complaint", "complaints"]

_OURS: Final = re.compile(r"trading[_:]|[a-z_]+:trading_")
_CUMULATIVE: Final = {Kind.COUNTER, Kind.HISTOGRAM}
#: These are of backtests by their name.
_SIMULATED: Final = "trading.backtest."
_MODE: Final = a.MODE.prometheus
_CURRENCY: Final = a.CURRENCY.prometheus
#: How like one of ours a foreign name has to be to count as a slip of the pen.
_SLIP: Final = 0.9
_PLAIN: Final = re.compile(r"[\w|-]*")
_LISTING: Final = "all of them: otel-trading metrics"


@dataclass(frozen=True)
class Complaint:
    """What is wrong with an expression.

    Attributes:
        kind: A stable word for programs.
        text: The sentence.
        word: The name that it is about, to find its line.
    """

    kind: str
    text: str
    word: str


def complaints(expression: str, names: Names, *, counter: bool = False, recorded: bool = False) -> list[Complaint]:
    """Return what is wrong with an expression of a rule or a board, in reading order.

    Args:
        expression: PromQL; Grafana's variables are understood.
        names: What rules record.
        counter: Whether the result may be a counter, as a recording rule makes that renames one.
        recorded: Whether the result is recorded: then modes may stand side by side, each under its own label.
    """
    try:
        query = promql.read(expression)
    except ValueError as error:
        text = f"this is no PromQL: {error}, got {_short(expression)}; allowed is what Prometheus evaluates: correct it"
        return [Complaint("syntax", text, "")]
    found = [complaint for selector in query.selectors for complaint in _about(selector, query, names)]
    found += _labels(query, names)
    apart = {selector.name for selector in query.selectors if recorded and _side_by_side(selector)}
    return [
        one
        for one in dict.fromkeys(found)
        if not (counter and one.kind == "bare-counter") and not (one.kind == "mode" and one.word in apart)
    ]


def _side_by_side(selector: Selector) -> bool:
    """Whether modes are asked for by name and none is added to another."""
    return any(matcher.label == _MODE for matcher in selector.matchers) and not selector.mixes(_MODE)


def _short(expression: str) -> str:
    line = " ".join(expression.split())
    return repr(line if len(line) <= 100 else f"{line[:97]}...")  # noqa: PLR2004  as long as a line


def _about(selector: Selector, query: Query, names: Names) -> Iterator[Complaint]:
    metric = BY_SERIES.get(selector.name)
    if metric is None:
        yield from _undeclared(selector, names)
        return
    yield from _own_labels(selector, metric, query)
    for matcher in selector.matchers:
        yield from _values(matcher)
    if selector.value(_MODE) is None and not metric.name.startswith(_SIMULATED):
        text = (
            f"{selector.name} is not limited to one mode, so that a backtest counts as live; "
            f'write {selector.name}{{{_MODE}="live"}}'
        )
        yield Complaint("mode", text, selector.name)
    yield from _kind(selector, metric)
    yield from _mixed(selector, metric)


def _undeclared(selector: Selector, names: Names) -> Iterator[Complaint]:
    name = selector.name
    if not name:
        text = "a selector without a name reads every series there is; put the name of one series before the braces"
        yield Complaint("unnamed", text, "")
    elif name in THRESHOLDS and selector.value(SCOPE) is None:
        text = (
            f"{name} without its scope mixes defaults with overrides; "
            f"read {THRESHOLDS[name].in_force}, which is the one that holds"
        )
        yield Complaint("threshold-scope", text, name)
    elif not names.knows(name) and promql.PLACEHOLDER not in name and _refused(name, names):
        yield Complaint("unknown-series", f"there is no series {name}{_suggested(name, names)}; {_LISTING}", name)


def _refused(name: str, names: Names) -> bool:
    slip = difflib.get_close_matches(name, BY_SERIES, n=1, cutoff=_SLIP)
    return names.strict or bool(_OURS.match(name)) or bool(slip)


def _suggested(name: str, names: Names) -> str:
    metric = find(name)
    if metric is not None:
        return f" (did you mean {' or '.join(metric.series)}?)"
    return meant(name, {*BY_SERIES, *names.recorded})


def _own_labels(selector: Selector, metric: Metric, query: Query) -> Iterator[Complaint]:
    named = {matcher.label for matcher in selector.matchers}
    named |= {label for around in selector.aggregations if not around.without for label in around.labels}
    own = {attribute.prometheus for attribute in metric.attributes}
    for label in sorted(named - own - IDENTITY - query.made - query.brought - {promql.PLACEHOLDER}):
        guess = meant(label, own | IDENTITY) if label not in VALUES else ""
        text = f"{selector.name} has no label {label}{guess}; it has {alternatives(own)}: take one of them or none"
        yield Complaint("unknown-label", text, label)


def _values(matcher: Matcher) -> Iterator[Complaint]:
    allowed = VALUES.get(matcher.label, ())
    for value in _strange(matcher, allowed) if allowed and "$" not in matcher.value else ():
        guess = meant(value, allowed)
        text = f"{matcher.label} is never {value!r}{guess}; allowed are {', '.join(allowed)}: take one of them"
        yield Complaint("unknown-value", text, matcher.label)


def _strange(matcher: Matcher, allowed: tuple[str, ...]) -> list[str]:
    """Return what can match no value; the empty value matches series without the label."""
    if "~" not in matcher.operator:
        return [matcher.value] if matcher.value not in {"", *allowed} else []
    if _PLAIN.fullmatch(matcher.value):
        return [value for value in matcher.value.split("|") if value not in {"", *allowed}]
    return [] if any(_matches(matcher.value, value) for value in ("", *allowed)) else [matcher.value]


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:  # Go's syntax, which Prometheus itself has accepted
        return True


def _kind(selector: Selector, metric: Metric) -> Iterator[Complaint]:
    rates = promql.RATES & set(selector.functions)
    if metric.kind in _CUMULATIVE and not selector.counted:
        text = (
            f"{selector.name} is a {metric.kind.data}: it only grows and starts again with the process, "
            f"so that its value says nothing; use rate({selector.name}[5m]) or increase"
        )
        yield Complaint("bare-counter", text, selector.name)
    if metric.kind not in _CUMULATIVE and rates:
        text = (
            f"{selector.name} is a gauge, and {min(rates)} takes each fall of it for a restart; "
            "use the value itself, delta or deriv"
        )
        yield Complaint("rate-over-gauge", text, selector.name)


def _mixed(selector: Selector, metric: Metric) -> Iterator[Complaint]:
    # A limit that counts orders or is a ratio has no currency.
    money = a.CURRENCY in metric.attributes and selector.value(a.LIMIT_UNIT.prometheus) in {None, "currency"}
    if money and selector.mixes(_CURRENCY):
        text = f"{selector.name} is added up over currencies; keep them apart: by ({_CURRENCY}, ...)"
        yield Complaint("currency", text, selector.name)
    if selector.name.endswith("_bucket") and metric.kind is Kind.HISTOGRAM and selector.mixes("le"):
        text = f"{selector.name} loses le, without which its buckets say nothing; keep it: by (le, ...)"
        yield Complaint("buckets", text, selector.name)


def _labels(query: Query, names: Names) -> Iterator[Complaint]:
    """Complain about labels of `on`, `ignoring`, `label_replace` and their like, which belong to no single series."""
    known = {*VALUES, *IDENTITY, *names.labels, *query.made, promql.PLACEHOLDER}
    ours = all(s.name in BY_SERIES or s.name in names.recorded for s in query.selectors if s.name)
    own = {label for selector in query.selectors if selector.name in BY_SERIES for label in _named(selector)}
    for label in sorted(query.labels - known - own):
        slip = difflib.get_close_matches(label, VALUES, n=1, cutoff=_SLIP)
        if ours or label.startswith("trading_") or slip:
            text = f"there is no label {label}{meant(label, known)}; all of them: otel-trading metrics --markdown"
            yield Complaint("unknown-label", text, label)


def _named(selector: Selector) -> Iterator[str]:
    """Yield the labels that `_own_labels` has judged."""
    yield from (matcher.label for matcher in selector.matchers)
    yield from (label for around in selector.aggregations if not around.without for label in around.labels)
