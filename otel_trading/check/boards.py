"""Judges the JSON of a Grafana board: every Prometheus expression in its panels, annotations and variables."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from otel_trading.check._finding import Finding
from otel_trading.check.expressions import complaints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.check.names import Names

__all__ = ["Expression", "check", "expressions", "is_board"]

_LABEL_VALUES: Final = re.compile(r"\s*label_values\s*\(\s*(?:(?P<of>.+?)\s*,\s*)?(?P<label>\w+)\s*\)\s*", re.DOTALL)
_QUERY_RESULT: Final = re.compile(r"\s*query_result\s*\((?P<of>.+)\)\s*", re.DOTALL)


class Expression(NamedTuple):
    """PromQL in a board.

    Attributes:
        where: The panel, annotation or variable.
        promql: What Prometheus will be asked, but for variables.
        written: How it stands in the file.
        listing: Whether it only lists values of a label, which may be those of all series.
    """

    where: str
    promql: str
    written: str
    listing: bool = False


def is_board(loaded: Any) -> bool:
    """Whether a JSON file wants to be a board, bare or as Grafana's API returns it."""
    return bool({"panels", "dashboard", "schemaVersion", "elements"} & _dict(loaded).keys())


def check(file: str, text: str, loaded: Any, names: Names) -> list[Finding]:
    """Return what is wrong with a board.

    Args:
        file: Its name in the findings.
        text: What is in it.
        loaded: The same, loaded.
        names: What all rules record.
    """
    board = _dict(_dict(loaded).get("dashboard", loaded))
    if not isinstance(board.get("panels"), list):
        got = "a board of schema v2" if "elements" in board else "no list of panels"
        words = f"this is no board that can be read, got {got}; export it from Grafana as classic JSON"
        return [Finding(file, 1, "", "shape", words)]
    found: list[Finding] = []
    begin = 0
    for each in expressions(board):
        begin, line = _place(text, each.written, begin)
        found += [
            Finding(file, line, each.where, one.kind, one.text)
            for one in complaints(each.promql, names)
            if not (each.listing and one.kind == "unnamed")
        ]
    return sorted(set(found))


def expressions(board: dict[str, Any]) -> list[Expression]:
    """Return every Prometheus expression of a board, where it stands and what is asked."""
    return [*_of_panels(board), *_of_annotations(board), *_of_variables(board)]


def _of_panels(board: dict[str, Any]) -> Iterator[Expression]:
    for panel in _dicts(board.get("panels")):
        yield from _of_panels(panel)  # a row that is closed holds its panels
        for target in _dicts(panel.get("targets")):
            expression = target.get("expr")
            if isinstance(expression, str) and expression.strip() and _of_prometheus(target, panel):
                yield Expression(f"panel {str(panel.get('title', panel.get('id')))!r}", expression, expression)


def _of_annotations(board: dict[str, Any]) -> Iterator[Expression]:
    for note in _dicts(_dict(board.get("annotations")).get("list")):
        expression = note.get("expr")
        if isinstance(expression, str) and expression.strip() and _of_prometheus(note, {}):
            yield Expression(f"annotation {note.get('name')!r}", expression, expression)


def _of_variables(board: dict[str, Any]) -> Iterator[Expression]:
    for variable in _dicts(_dict(board.get("templating")).get("list")):
        query = variable.get("query")
        query = _dict(query).get("query", query)
        if variable.get("type") != "query" or not isinstance(query, str) or not _of_prometheus(variable, {}):
            continue
        asked = _asked(query)
        if asked:
            yield Expression(f"variable {variable.get('name')!r}", asked, query, listing=True)


def _asked(query: str) -> str:
    """Return a variable's query as PromQL, empty when it names no series."""
    values, result = _LABEL_VALUES.fullmatch(query), _QUERY_RESULT.fullmatch(query)
    if values:
        return f"count by ({values['label']}) ({values['of']})" if values["of"] else ""
    return result["of"] if result else ""


def _of_prometheus(target: dict[str, Any], panel: dict[str, Any]) -> bool:
    for source in (target.get("datasource"), panel.get("datasource")):
        kind = _dict(source).get("type")
        if kind and source != {"type": "datasource", "uid": "-- Mixed --"}:
            return bool(kind == "prometheus")
    return True


def _place(text: str, expression: str, begin: int) -> tuple[int, int]:
    """Return where to search next, and the line of an expression as JSON writes it."""
    forms = (json.dumps(expression, ensure_ascii=ascii_only) for ascii_only in (False, True))
    found = next((at for form in forms for at in (text.find(form, begin), text.find(form)) if at >= 0), None)
    return (begin, 1) if found is None else (found + 1, text.count("\n", 0, found) + 1)


def _dicts(value: Any) -> list[dict[str, Any]]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [_dict(item) for item in items if isinstance(item, dict)]


def _dict(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
