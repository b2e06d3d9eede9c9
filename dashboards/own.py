"""For panels and boards of your own: `otel_trading.dashboards.own`, with the look and the queries of the shipped ones.

`house` builds panels (`lines`, `events`, `number`, `bars`, `timeline`, `heat`, `rows`), `promql` writes queries from
metrics of `otel_trading.semconv`; `house.query` also takes PromQL as it is. `SHIPPED` holds our boards by their uid.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from otel_trading.errors import ConfigError

from . import _house as house
from . import _promql as promql
from ._board import Board
from .build import BOARDS as SHIPPED
from .build import text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["SHIPPED", "Board", "appended", "house", "promql", "save"]


def appended(board: Board, row: str, *panels: Callable[[], house.Panel], uid: str, title: str) -> Board:
    """Return a board with one more row at its end, under an address of its own: ours is renewed by every `up`.

    Args:
        board: One of `SHIPPED`, or one of yours.
        row: Title of the row; if the board has it already, the panels join it.
        panels: Functions that return a panel each.
        uid: Address of the new board.
        title: Its name in the list.
    """
    rows = {**board.rows, row: (*board.rows.get(row, ()), *panels)}
    return replace(board, uid=uid, title=title, rows=rows)


def save(board: Board, folder: Path) -> Path:
    """Write a board as the JSON that Grafana provisions and return its file, `<uid>.json`.

    Args:
        board: The board.
        folder: `config/my-boards` in the stack's home, or a folder in it, which becomes a folder of Grafana.

    Raises:
        ConfigError: Its uid cannot be used, or it is the uid of a shipped board.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", board.uid):
        message = f"The uid of a board is at most 40 letters, digits, - and _, got {board.uid!r}. Choose another."
        raise ConfigError(message)
    if board.uid in SHIPPED:
        message = f"{board.uid} is a shipped board, and Grafana takes a uid once. Give yours another: appended(uid=...)"
        raise ConfigError(message)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{board.uid}.json"
    file.write_text(text(board), encoding="utf-8")
    return file
