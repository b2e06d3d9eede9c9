"""Boards of one's own: the example of the README runs in a checkout and in what a wheel installs."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Final

import pytest

from otel_trading.errors import ConfigError

ROOT: Final = Path(__file__).parents[2]
(EXAMPLE,) = re.findall(
    r"```python\n(from pathlib.*?)```", (ROOT / "dashboards" / "README.md").read_text("utf-8"), re.DOTALL
)
#: The SDK advises a format that no Grafana before 12 reads.
ADVICE: Final = "ignore:Prefer using dashboardv2:DeprecationWarning"
pytestmark = pytest.mark.filterwarnings(ADVICE)


@pytest.fixture
def own() -> Any:
    return importlib.import_module("dashboards.own")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a wheel of this checkout installs."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder / "dist")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (file,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        archive.extractall(folder / "installed")
    assert len(names) == len(set(names)), "a file is in the wheel twice"
    return folder / "installed"


@pytest.mark.seed("S1-35", "S3-52")
@pytest.mark.parametrize("place", ["checkout", "wheel"])
def test_the_example_makes_boards_that_the_check_passes(
    place: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    root = ROOT if place == "checkout" else request.getfixturevalue("wheel")
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONWARNINGS": ADVICE}
    lines = "import sys, otel_trading.dashboards.own\nprint(otel_trading.__file__, 'dashboards' in sys.modules)\n"
    (tmp_path / "mine.py").write_text(EXAMPLE + lines, encoding="utf-8")
    run: dict[str, Any] = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True, "timeout": 60}
    done = subprocess.run([sys.executable, "mine.py"], check=False, **run)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(root / "otel_trading" / "__init__.py"), "False"], "another name was taken"

    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.json"))
    assert files == ["my-boards/desk-overview.json", "my-boards/desk/desk-requests.json"]
    overview = json.loads((tmp_path / files[0]).read_text())
    assert [panel["title"] for panel in overview["panels"]][-3:] == ["Mine", "Cancels per second", "Request rate"]
    cli = "from otel_trading.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", cli, "check", "my-boards"], check=False, **run)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    assert "2 files" in done.stderr


def test_the_builders_do_not_know_their_own_name() -> None:
    """It is `dashboards` here and `otel_trading.dashboards` in a wheel."""
    named = {
        file.name
        for file in (ROOT / "dashboards").rglob("*.py")
        if re.search(r"(?m)^\s*(from|import) dashboards\b", file.read_text("utf-8"))
    }
    assert named == set(), "import relatively: from . import, from .. import"


def test_a_row_that_is_there_is_joined_and_ours_stays_as_it_is(own: Any) -> None:
    ours = own.SHIPPED["otel-trading-host"]
    row = next(iter(ours.rows))
    panel = ours.rows[row][0]
    mine = own.appended(ours, row, panel, uid="mine", title="Mine")
    assert mine.rows[row] == (*ours.rows[row], panel)
    assert ours is own.SHIPPED["otel-trading-host"]
    assert len(ours.rows[row]) == len(mine.rows[row]) - 1
    ids = [each["id"] for each in json.loads(importlib.import_module("dashboards.build").text(mine))["panels"]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("uid", "words"),
    [("otel-trading-host", "is a shipped board"), ("a b", "got 'a b'"), ("", "got ''"), ("x" * 41, "at most 40")],
)
def test_an_address_that_grafana_would_refuse_is_refused_here(own: Any, uid: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=words):
        own.save(own.Board(uid, "Mine", "Mine.", {}), tmp_path)
    assert list(tmp_path.iterdir()) == []
