"""From builders to the JSON that Grafana loads; the files are committed and a test compares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import overview

FOLDER: Final = Path(__file__).parent / "json"
#: Every board, by its uid, which is also its file name.
BOARDS: Final = {overview.UID: overview.build}


def render(uid: str) -> str:
    """Return the JSON text of a board."""
    return json.dumps(BOARDS[uid](), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def write(folder: Path = FOLDER) -> list[Path]:
    """Write every board and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{uid}.json" for uid in BOARDS]
    for path in paths:
        path.write_text(render(path.stem), encoding="utf-8")
    return paths
