"""What tests of the boards need: every query of a board, as Grafana sends it to Prometheus."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ALL", "BOARDS", "asked", "expressions", "needs_dependency", "panels", "variables"]

BOARDS: Final = sorted((Path(__file__).parents[2] / "dashboards" / "json").glob("*.json"))
#: What Grafana puts in for All.
ALL: Final = ".*"
_VARIABLE: Final = re.compile(r"\$\{(?P<braced>\w+)(?::(?P<format>\w+))?\}|\$(?P<bare>\w+)")
#: Of lodash's and Grafana's `escapeRegex`, and of the Prometheus plug-in's `prometheusSpecialRegexEscape` (9.4 to 12).
_REGEX: Final = re.compile(r"[\\^$*+?.()|\[\]{}/]")
_SPECIAL: Final = re.compile(r"[$^*{}\[\]'+?.()|]")
_OF_GRAFANA: Final = {"__rate_interval": "1m", "__range": "5m", "__interval": "1m"}


def panels(*boards: Path) -> dict[str, dict[str, Any]]:
    """Return the panels of some boards, by default of all, by title."""
    read = [json.loads(board.read_text(encoding="utf-8")) for board in boards or BOARDS]
    flat = [inner for board in read for panel in board["panels"] for inner in [panel, *panel.get("panels", ())]]
    return {panel["title"]: panel for panel in flat if panel["type"] != "row"}


def needs_dependency(expression: str) -> bool:
    """Whether a query shows a Redis or PostgreSQL: tests/stack/test_dependencies.py asks it of real ones."""
    return bool(re.search(r"\b(redis|postgresql|otelcol_scraper)_", expression))


def expressions() -> list[str]:
    """Return every query of every panel and annotation of every board, each once."""
    read = [json.loads(board.read_text(encoding="utf-8")) for board in BOARDS]
    found = [target["expr"] for board in BOARDS for panel in panels(board).values() for target in panel["targets"]]
    notes = [note["expr"] for board in read for note in board["annotations"]["list"] if "expr" in note]
    return list(dict.fromkeys(found + notes))


def variables() -> dict[str, str]:
    """Return the name of the variable by the query that fills it: `label_values(...)`."""
    read = [json.loads(board.read_text(encoding="utf-8")) for board in BOARDS]
    listed = [one for board in read for one in board["templating"]["list"]]
    return {one["query"]["query"]: one["name"] for one in listed if one["type"] == "query"}


def asked(query: str, chosen: Mapping[str, str | list[str]] | None = None, mode: str = "live") -> str:
    """Return the query as Grafana sends it.

    Args:
        query: Expression of a panel, or `label_values(...)`.
        chosen: What the reader chose, by variable: a value or several; what is not named stands on All.
        mode: The mode chosen.
    """
    values: Mapping[str, str | list[str]] = {**(chosen or {}), "mode": mode}

    def value(found: re.Match[str]) -> str:
        name = found["braced"] or found["bare"]
        if name in _OF_GRAFANA:
            return _OF_GRAFANA[name]
        if name not in values:
            return ALL
        if name == "mode":
            return mode
        picked = values[name]
        parts = [picked] if isinstance(picked, str) else picked
        escape = _as_regex if found["format"] == "regex" else _as_prometheus
        escaped = [escape(part) for part in parts]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"

    return _VARIABLE.sub(value, query)


def _as_regex(text: str) -> str:
    """`${symbol:regex}`: escaped once."""
    return _REGEX.sub(r"\\\g<0>", text)


def _as_prometheus(text: str) -> str:
    """`$symbol`: escaped for a regex and once more for the quotes around it, except the quotes themselves."""
    return _SPECIAL.sub(r"\\\\\g<0>", text.replace("\\", "\\\\\\\\"))
