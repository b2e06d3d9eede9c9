"""Judges what a rule records: a free name, or a number of one of our thresholds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from otel_trading import thresholds
from otel_trading.check._finding import alternatives, meant
from otel_trading.check.expressions import Complaint
from otel_trading.check.names import IDENTITY, SCOPE, THRESHOLDS, VALUES
from otel_trading.semconv import BY_SERIES
from otel_trading.semconv import attributes as a
from otel_trading.thresholds import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otel_trading.thresholds import Threshold

__all__ = ["record"]

_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_RESERVED: Final = re.compile(r"trading:threshold(_in_force)?:.*")
_VECTOR: Final = re.compile(r"\s*(?:vector\s*\(\s*)?([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*\)?\s*")
#: The label that says of which one, by scope.
_WHOSE: Final = {Scope.STRATEGY: a.STRATEGY.prometheus, Scope.ACCOUNT: a.ACCOUNT.prometheus}


def record(name: str, expression: str, labels: Mapping[str, str], *, shipped: bool) -> Iterator[Complaint]:
    """Yield what is wrong with a recording rule apart from its expression.

    Args:
        name: What it records.
        expression: Its PromQL.
        labels: What it adds.
        shipped: Whether it is one of ours, which compute the winners.
    """
    if not _NAME.fullmatch(name):
        text = f"{name!r} is no name of a series; allowed are letters, digits, _ and :, like team:my_orders:rate5m"
        yield Complaint("record", text, "record")
    elif name in BY_SERIES:
        text = f"{name} is what bots send; record under a name of your own, like team:my_orders:rate5m"
        yield Complaint("record", text, "record")
    elif name in THRESHOLDS:
        yield from _threshold(THRESHOLDS[name], expression, labels, shipped=shipped)
    elif _RESERVED.fullmatch(name) and not (shipped and name in {each.in_force for each in thresholds.ALL}):
        yield _unknown(name)
    yield from _values(labels)


def _unknown(name: str) -> Complaint:
    allowed = {each.name for each in thresholds.ALL}
    got = name.rpartition(":")[2]
    if got in allowed:
        text = f"{name} is computed by the shipped rules; set trading:threshold:{got} with a {SCOPE} instead"
    else:
        text = (
            f"there is no threshold {got}{meant(got, allowed)}; allowed are {alternatives(allowed)}: "
            "take one of them, or a name that does not begin with trading:threshold:"
        )
    return Complaint("unknown-threshold", text, "record")


def _threshold(
    threshold: Threshold, expression: str, labels: Mapping[str, str], *, shipped: bool
) -> Iterator[Complaint]:
    yield from _scope(threshold, labels, shipped=shipped)
    needed = [threshold.key] if threshold.key else []
    needed += [a.CURRENCY] if threshold.per == "account" else []
    for key in (attribute.prometheus for attribute in needed if attribute.prometheus not in labels):
        text = f"the label {key} is missing, by which {threshold.record} differs; add it"
        yield Complaint("missing-label", text, "labels")
    number = _VECTOR.fullmatch(expression)
    low, high = threshold.allowed
    if number and not low <= float(number[1]) <= high:
        text = f"{number[1]} is out of range for {threshold.record}; allowed is {low:g} to {high:g}: {threshold.brief}"
        yield Complaint("threshold-range", text.rstrip("."), "expr")


def _scope(threshold: Threshold, labels: Mapping[str, str], *, shipped: bool) -> Iterator[Complaint]:
    scope = labels.get(SCOPE)
    allowed = {Scope.DEFAULT.value} if shipped else {one.value for one in threshold.scopes}
    if scope not in allowed:
        got = f"{SCOPE} {scope!r}" if scope else f"no label {SCOPE}"
        text = f"{threshold.record} has {got}{meant(scope or '', allowed)}; allowed are {alternatives(allowed)}"
        yield Complaint("threshold-scope", f"{text}: say whose number it is", "labels")
        return
    whose = _WHOSE.get(Scope(scope))
    if whose and whose not in labels:
        text = f"{SCOPE} is {scope!r} but the label {whose} is missing; add it, to say which {scope}"
        yield Complaint("missing-label", text, "labels")


def _values(labels: Mapping[str, str]) -> Iterator[Complaint]:
    for label, value in labels.items():
        allowed = VALUES.get(label, ())
        if allowed and value not in allowed and "{{" not in value:
            text = f"{label} is never {value!r}{meant(value, allowed)}; allowed are {', '.join(allowed)}"
            yield Complaint("unknown-value", f"{text}: take one of them", label)
        if label.startswith("trading_") and label not in VALUES:
            text = f"there is no label {label}{meant(label, {*VALUES, *IDENTITY})}"
            yield Complaint("unknown-label", f"{text}; correct it, or use a prefix of your own", label)
