"""Reads PromQL: which series an expression selects, by which labels, and what stands around each of them.

A thin layer over `promql-parser`, which follows Prometheus' own grammar. It knows neither flags nor durations that are
computed, so where promtool is built, that has the last word about syntax.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import promql_parser

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PLACEHOLDER", "RATES", "Aggregation", "Matcher", "Query", "Selector", "read"]

#: Functions that read a series as a counter.
RATES: Final = frozenset({"rate", "irate", "increase", "resets"})
#: What asks only whether there is a series, or how many.
_EXISTENCE: Final = {"absent", "absent_over_time", "present_over_time", "count_over_time", "timestamp"}
_COUNTING: Final = {"group", "count"}
#: Whose right side leaves no label and no value behind.
_ASKING: Final = {"and", "unless"}
#: Aggregations that choose or count series and mix no values.
_NOT_MIXING: Final = {"topk", "bottomk", "limitk", "limit_ratio", "group", "count", "count_values"}
#: Stands for a Grafana variable where a name or a label is expected.
PLACEHOLDER: Final = "grafana_variable"
_STRING_OR_VARIABLE: Final = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)|\$\{(?P<braced>\w+)[^}]*\}|\$(?P<bare>\w+)"""
)
_NUMBER_NEXT: Final = re.compile(r"(?:topk|bottomk|limitk|quantile)\s*(?:by\s*\([^)]*\)\s*)?\($")
_OPERATORS: Final = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


@dataclass(frozen=True)
class Aggregation:
    """`sum by (...)` and its like.

    Attributes:
        operator: `sum`, `max`, ...
        labels: The labels named; none at all when it has neither `by` nor `without`.
        without: Whether the named labels are dropped instead of kept.
    """

    operator: str
    labels: frozenset[str]
    without: bool

    def mixes(self, label: str) -> bool:
        """Whether values that differ in the label become one value."""
        return self.operator not in _NOT_MIXING and (label in self.labels) is self.without


@dataclass(frozen=True)
class Matcher:
    """`label="value"`, where the operator is one of `=`, `!=`, `=~` and `!~`."""

    label: str
    operator: str
    value: str


@dataclass(frozen=True)
class Selector:
    """One selected series, and the path from the whole expression down to it.

    Attributes:
        name: Series name, or an empty string when only labels select.
        matchers: Its matchers, without the one on the name.
        functions: Names of the functions around it, outermost first.
        aggregations: The aggregations around it, outermost first.
    """

    name: str
    matchers: tuple[Matcher, ...]
    functions: tuple[str, ...]
    aggregations: tuple[Aggregation, ...]

    @property
    def counted(self) -> bool:
        """Whether a function around it makes sense of a counter."""
        around = {aggregation.operator for aggregation in self.aggregations}
        return bool((RATES | _EXISTENCE) & set(self.functions) or _COUNTING & around)

    def value(self, label: str) -> str | None:
        """Return what an `=` matcher fixes the label to, or None."""
        return next((m.value for m in self.matchers if m.label == label and m.operator == "="), None)

    def mixes(self, label: str) -> bool:
        """Whether an aggregation around it makes one value of values that differ in the label.

        A label fixed by `=` differs nowhere.
        """
        return self.value(label) is None and any(around.mixes(label) for around in self.aggregations)


@dataclass(frozen=True)
class Query:
    """What an expression says.

    Attributes:
        selectors: Every series selected, in reading order.
        labels: Every label named: in matchers, `by`, `without`, `on`, `ignoring`, `group_left`, `label_replace` ...
        made: Labels that the expression itself creates (`label_replace`, `label_join`, `count_values`).
        brought: Labels that a series gets from another one (`group_left`, `group_right`).
    """

    selectors: tuple[Selector, ...]
    labels: frozenset[str]
    made: frozenset[str]
    brought: frozenset[str]


def read(expression: str) -> Query:
    """Read one expression; Grafana's variables stand for five minutes, a name or a number, whatever fits.

    Raises:
        ValueError: Prometheus would refuse the expression too.
    """
    tree = _parse(expression)
    selectors = tuple(_selectors(tree, (), ()))
    nodes: list[Any] = []
    promql_parser.walk(tree, nodes.append)
    labels = {matcher.label for selector in selectors for matcher in selector.matchers}
    labels.update(label for node in nodes for label in _named(node))
    made = frozenset(label for node in nodes for label in _made(node))
    return Query(selectors, frozenset(labels), made, frozenset(label for node in nodes for label in _brought(node)))


def _parse(expression: str) -> Any:
    try:
        return promql_parser.parse(_without_variables(expression, PLACEHOLDER))
    except ValueError:
        as_number = _without_variables(expression, "1")
        if as_number == _without_variables(expression, PLACEHOLDER):
            raise
        return promql_parser.parse(as_number)


def _without_variables(expression: str, name: str) -> str:
    def replaced(found: re.Match[str]) -> str:
        if found["string"]:
            return found["string"]
        variable = found["braced"] or found["bare"]
        if variable.startswith("__"):
            return "300" if variable.endswith(("_s", "_ms")) else "5m"
        before = expression[: found.start()].rstrip()
        if before.endswith(("[", ":", "offset")):
            return "5m"
        return "1" if _NUMBER_NEXT.search(before) else name

    return _STRING_OR_VARIABLE.sub(replaced, expression)


def _selectors(node: Any, functions: tuple[str, ...], around: tuple[Aggregation, ...]) -> Iterator[Selector]:
    if isinstance(node, promql_parser.VectorSelector):
        yield _selector(node, functions, around)
        return
    if isinstance(node, promql_parser.Call):
        functions = (*functions, node.func.name)
    if isinstance(node, promql_parser.AggregateExpr):
        around = (*around, _aggregation(node))
    alone = _not_aggregated(node)
    for place, child in enumerate(_children(node)):
        yield from _selectors(child, functions, () if place == alone else around)


def _not_aggregated(node: Any) -> int | None:
    """Return the side of an operator that is not aggregated with the other, by its place.

    It only says whether that one counts, or has one sample for many of that one's and brings the labels named.
    """
    if not isinstance(node, promql_parser.BinaryExpr):
        return None
    if str(node.op) in _ASKING:
        return 1
    card = str(node.modifier.card) if node.modifier is not None else ""
    return 1 if card.endswith("ManyToOne") else 0 if card.endswith("OneToMany") else None


def _children(node: Any) -> tuple[Any, ...]:
    if isinstance(node, promql_parser.Call):
        return tuple(node.args)
    if isinstance(node, promql_parser.BinaryExpr):
        return (node.lhs, node.rhs)
    if isinstance(node, promql_parser.MatrixSelector):
        return (node.vector_selector,)
    return tuple(part for part in (getattr(node, "expr", None), getattr(node, "param", None)) if part is not None)


def _selector(node: Any, functions: tuple[str, ...], around: tuple[Aggregation, ...]) -> Selector:
    if node.matchers.or_matchers:  # of other databases that speak PromQL
        message = "unexpected 'or' between label matchers, expected ','"
        raise ValueError(message)
    matchers = [Matcher(m.name, _OPERATORS[str(m.op).rpartition(".")[2]], m.value) for m in node.matchers.matchers]
    named = next((m.value for m in matchers if m.label == "__name__" and m.operator == "="), "")
    others = tuple(matcher for matcher in matchers if matcher.label != "__name__")
    return Selector(node.name or named, others, functions, around)


def _aggregation(node: Any) -> Aggregation:
    if node.modifier is None:
        return Aggregation(str(node.op), frozenset(), without=False)
    without = node.modifier.type == promql_parser.AggModifierType.Without
    return Aggregation(str(node.op), frozenset(node.modifier.labels), without=without)


def _named(node: Any) -> Iterator[str]:
    modifier = getattr(node, "modifier", None)
    if isinstance(node, promql_parser.AggregateExpr) and modifier is not None:
        yield from modifier.labels
    if isinstance(node, promql_parser.BinaryExpr) and modifier is not None:
        yield from modifier.matching.labels if modifier.matching is not None else ()
        yield from _brought(node)
    if isinstance(node, promql_parser.Call) and node.func.name == "label_replace":
        yield node.args[3].val
    if isinstance(node, promql_parser.Call) and node.func.name == "label_join":
        yield from (argument.val for argument in node.args[3:])


def _brought(node: Any) -> tuple[str, ...]:
    modifier = getattr(node, "modifier", None)
    return tuple(modifier.group_labels or ()) if isinstance(node, promql_parser.BinaryExpr) and modifier else ()


def _made(node: Any) -> Iterator[str]:
    if isinstance(node, promql_parser.Call) and node.func.name in {"label_replace", "label_join"}:
        yield node.args[1].val
    if isinstance(node, promql_parser.AggregateExpr) and isinstance(node.param, promql_parser.StringLiteral):
        yield node.param.val
