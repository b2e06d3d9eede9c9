from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_trading.errors import StackError
from otel_trading.stack.ports import Ports
from otel_trading.stack.state import Service, State

if TYPE_CHECKING:
    from pathlib import Path


def test_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    service = Service("prometheus", "3.15.0", "http://127.0.0.1:1", "http://127.0.0.1:1/-/ready", "now", 12, "34")
    state = State("native", Ports.free(), "1s", 60, [service])
    state.save(tmp_path)
    assert State.load(tmp_path) == state
    state.remove(tmp_path)
    assert State.load(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"services": [], "ports": {"no": 1}, "kind": "native"}'])
def test_an_unreadable_state_says_what_to_do(tmp_path: Path, text: str) -> None:
    State.path(tmp_path).write_text(text)
    with pytest.raises(StackError, match=r"state\.json is not what `otel-trading up` wrote .* remove it, then"):
        State.load(tmp_path)
