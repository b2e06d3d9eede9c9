"""What a user's type checker says about calls of `meter`: good ones pass, bad ones do not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
GOOD, BAD = HERE / "good.py", HERE / "bad.py"


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, check=False, capture_output=True, text=True, timeout=110
    )


def _mypy(path: Path) -> set[int]:
    done = _run("mypy", "--strict", "--no-error-summary", "--hide-error-context", str(path))
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    lines = [line.split(":") for line in done.stdout.splitlines() if ": error:" in line]
    assert all(line[0] == str(path.relative_to(ROOT)) or line[0] == str(path) for line in lines), done.stdout
    return {int(line[1]) for line in lines}


def _pyright(path: Path) -> set[int]:
    done = _run("pyright", "--outputjson", "--pythonpath", sys.executable, str(path))
    report = json.loads(done.stdout)
    found = [entry for entry in report["generalDiagnostics"] if entry["severity"] == "error"]
    return {entry["range"]["start"]["line"] + 1 for entry in found}


CHECKERS = {"mypy": _mypy, "pyright": _pyright}


# pyright fetches itself when it is first called, so it comes with the extra `dev` and runs in CI.
@pytest.fixture(params=["mypy", pytest.param("pyright", marks=pytest.mark.slow)])
def check(request: pytest.FixtureRequest) -> Callable[[Path], set[int]]:
    """A type checker: which lines of a file it refuses."""
    return CHECKERS[str(request.param)]


def test_calls_as_a_bot_writes_them_are_accepted(check: Callable[[Path], set[int]]) -> None:
    assert check(GOOD) == set()


def test_every_wrong_call_is_refused_and_nothing_else(check: Callable[[Path], set[int]]) -> None:
    lines = BAD.read_text(encoding="utf-8").splitlines()
    refused = {number for number, line in enumerate(lines, 1) if line.endswith("# refused")}

    assert len(refused) > 20
    assert check(BAD) == refused


def test_the_package_says_that_it_is_typed() -> None:
    import otel_trading  # noqa: PLC0415  the installed one

    assert (Path(otel_trading.__file__).parent / "py.typed").is_file()
