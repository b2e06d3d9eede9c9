from __future__ import annotations

import io

import pytest
from rich.console import Console

from otel_trading.stack.progress import Progress


def _progress(*, terminal: bool) -> tuple[Progress, io.StringIO]:
    written = io.StringIO()
    return Progress(Console(file=written, force_terminal=terminal, width=120)), written


def test_without_a_terminal_one_line_per_state_change() -> None:
    progress, written = _progress(terminal=False)
    with progress.step("building [x]", 90):
        progress.say("meanwhile")
    assert written.getvalue().splitlines() == [
        "building [x], about 90 s ...",
        "meanwhile",
        "building [x]: done in 0 s",
    ]


def test_on_a_terminal_a_bar_with_the_estimate() -> None:
    progress, written = _progress(terminal=True)
    with progress.step("building", 90):
        pass
    assert "of about 90 s" in written.getvalue()
    assert "building: done in 0 s" in written.getvalue()


def test_a_failed_step_is_not_called_done() -> None:
    progress, written = _progress(terminal=False)
    with pytest.raises(ValueError, match="broke"), progress.step("building", 90):
        raise ValueError("broke")  # noqa: EM101  any error will do
    assert "done" not in written.getvalue()
