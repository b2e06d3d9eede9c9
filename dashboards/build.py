"""From builders to the JSON that Grafana loads; the files are committed and a test compares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from . import _bands as bands
from . import _counted as counted
from . import _recorded as recorded
from .boards import (
    backtest,
    execution,
    host,
    market_data,
    overview,
    pipeline,
    plumbing,
    portfolio,
    resilience,
    service,
    strategy,
    venues,
)

if TYPE_CHECKING:
    from ._board import Board

FOLDER: Final = Path(__file__).parent / "json"
#: What Prometheus records for the boards.
RULES: Final = Path(__file__).parents[1] / "alerts" / "rules" / "boards.yaml"
#: What is usual, likewise.
BANDS: Final = RULES.with_name("bands.yaml")
_MODULES: Final = (
    overview,
    portfolio,
    execution,
    market_data,
    venues,
    strategy,
    backtest,
    resilience,
    service,
    plumbing,
    host,
    pipeline,
)
#: Every board, by its uid, which is also its file name.
BOARDS: Final[dict[str, Board]] = {module.BOARD.uid: module.BOARD for module in _MODULES}


def text(board: Board) -> str:
    """Return a board as the JSON text that Grafana loads."""
    return json.dumps(board.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def render(uid: str) -> str:
    """Return the JSON text of a shipped board."""
    return text(BOARDS[uid])


def write(folder: Path = FOLDER) -> list[Path]:
    """Write every board and return the files; a board that is no more goes."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{uid}.json" for uid in BOARDS]
    for gone in set(folder.glob("*.json")) - set(paths):
        gone.unlink()
    for path in paths:
        path.write_text(render(path.stem), encoding="utf-8")
    return paths


def rules() -> str:
    """Return the file of the rules that record what the boards read."""
    return recorded.rules() + counted.rules()


def write_rules() -> list[Path]:
    """Write the rules that record what the boards read, and return their files."""
    RULES.write_text(rules(), encoding="utf-8")
    BANDS.write_text(bands.rules(), encoding="utf-8")
    return [RULES, BANDS]
