"""A pytest plugin that writes which test proves which ids: `pytest --collect-only -p collect_seeds --seeds FILE`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seeds", type=Path, required=True)


def pytest_collection_finish(session: pytest.Session) -> None:
    found = {
        item.nodeid: [one for mark in item.iter_markers("seed") for one in mark.args]
        for item in session.items
        if item.get_closest_marker("seed") is not None
    }
    session.config.getoption("--seeds").write_text(json.dumps(found))
