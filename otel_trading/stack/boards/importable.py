"""Boards for somebody else's Grafana: the format of its own export, which asks for the data source at import."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, cast

from otel_trading.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["export", "importable"]

#: Since when what our boards use is there.
_GRAFANA: Final = "9.4.0"
#: What Grafana brings along itself, such as annotations made by hand; nobody has to choose it.
_BUILT_IN: Final = re.compile(r"grafana|__expr__|-- .+ --")
_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")
_TITLES: Final = {"timeseries": "Time series", "bargauge": "Bar gauge", "piechart": "Pie chart"}


def export(files: list[Path], folder: Path) -> list[Path]:
    """Write boards as files for Grafana's *Import* and return them.

    Args:
        files: Boards as Grafana provisions them.
        folder: Where the new files go, under the same names.

    Raises:
        ConfigError: A file is not a board, or it would be overwritten.
    """
    made = {folder / file.name: importable(_board(file)) for file in files}
    if len(made) < len(files) or not made.keys().isdisjoint(files):
        message = f"Two boards would be one file in {folder}. Choose another folder, or export one board at a time."
        raise ConfigError(message)
    folder.mkdir(parents=True, exist_ok=True)
    for path, board in made.items():
        path.write_text(json.dumps(board, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return list(made)


def importable(board: dict[str, Any]) -> dict[str, Any]:
    """Return a board whose data sources are chosen when it is imported; its variable for that is no longer needed.

    Args:
        board: As Grafana provisions it.
    """
    board = json.loads(json.dumps(board))
    variables = board.get("templating", {}).get("list", [])
    chosen = {each["name"]: each["query"] for each in variables if each["type"] == "datasource"}
    inputs: dict[tuple[str, str], str] = {}
    for source in _sources(board):
        found = _VARIABLE.fullmatch(source["uid"])
        variable = (found[1] or found[2]) if found else ""
        kind = chosen.get(variable, source.get("type", ""))
        if kind and not _BUILT_IN.fullmatch(source["uid"]) and kind != "__expr__":
            # One choice for all variables of a type; sources named outright are chosen one by one.
            place = (kind, "" if variable in chosen else source["uid"])
            source.update(type=kind, uid=f"${{{inputs.setdefault(place, _input(kind, inputs))}}}")
    if variables:
        board["templating"]["list"] = [each for each in variables if each["name"] not in chosen]
    kinds = {name: kind for (kind, _), name in inputs.items()}
    return {
        **board,
        "__elements": {},
        "__inputs": [_asked(name, kind) for name, kind in kinds.items()],
        "__requires": _required(board, set(kinds.values())),
        "id": None,
    }


def _board(file: Path) -> dict[str, Any]:
    try:
        board: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{file} cannot be read as a board: {error}. Name a .json file as Grafana saves it."
        raise ConfigError(message) from error
    if not isinstance(board, dict) or not isinstance(board.get("panels"), list):
        message = f"{file} is not a board: it has no panels. Name a .json file as Grafana saves it."
        raise ConfigError(message)
    return cast("dict[str, Any]", board)


def _sources(part: Any) -> Iterator[dict[str, Any]]:
    """Yield every reference to a data source."""
    inner: Iterable[Any] = ()
    if isinstance(part, list):
        inner = cast("list[object]", part)
    elif isinstance(part, dict):
        known = cast("dict[str, Any]", part)
        source: Any = known.get("datasource")
        if isinstance(source, dict) and isinstance(cast("dict[str, Any]", source).get("uid"), str):
            yield cast("dict[str, Any]", source)
        inner = known.values()
    for each in inner:
        yield from _sources(each)


def _input(kind: str, inputs: dict[tuple[str, str], str]) -> str:
    name = f"DS_{kind.replace('-', '_').upper()}"
    same = sum(known == kind for known, _ in inputs)
    return f"{name}_{same + 1}" if same else name


def _asked(name: str, kind: str) -> dict[str, str]:
    title = kind.capitalize()
    return {
        "name": name,
        "label": title,
        "description": "",
        "type": "datasource",
        "pluginId": kind,
        "pluginName": title,
    }


def _required(board: dict[str, Any], kinds: set[str]) -> list[dict[str, str]]:
    panels = [inner for panel in board["panels"] for inner in (panel, *panel.get("panels", ()))]
    required = [("panel", kind, _TITLES.get(kind, kind.replace("-", " ").capitalize()), "") for kind in _kinds(panels)]
    required += [("datasource", kind, kind.capitalize(), "1.0.0") for kind in kinds]
    required.append(("grafana", "grafana", "Grafana", _GRAFANA))
    names = ("type", "id", "name", "version")
    return [dict(zip(names, each, strict=True)) for each in sorted(required, key=lambda each: each[1])]


def _kinds(panels: list[dict[str, Any]]) -> set[str]:
    return {panel["type"] for panel in panels} - {"row"}
