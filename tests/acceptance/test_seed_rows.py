"""All 225 ids of the five older systems: proven by a test that is there, or open with the issue that closes them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
TEXT: Final = (Path(__file__).parent / "seed_rows.yaml").read_text(encoding="utf-8")
ROWS: Final[dict[str, dict[str, str]]] = yaml.safe_load(TEXT)
OPEN: Final = re.compile(r"issue [4-8]: .+\.")

pytestmark = pytest.mark.timeout(300)  # every test is collected: half a minute, on a busy machine several


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The ids that each test carries, slow ones included, as pytest itself collects them."""
    file = tmp_path_factory.mktemp("seeds") / "seeds.json"
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "", "-p", "collect_seeds"]
    paths = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [*command, f"--seeds={file}"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, list[str]] = json.loads(file.read_text())
    return found


def test_there_are_225_rows_each_once() -> None:
    written = re.findall(r"(?m)^(S\d-\d\d):", TEXT)

    assert len(written) == len(set(written)) == len(ROWS) == 225
    assert {system: sum(row.startswith(system) for row in ROWS) for system in ("S0", "S1", "S2", "S3", "S4")} == {
        "S0": 40,
        "S1": 57,
        "S2": 38,
        "S3": 65,
        "S4": 25,
    }


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_proven_or_open_with_its_issue_and_reason(row: str) -> None:
    assert len(ROWS[row]) == 1
    ((kind, text),) = ROWS[row].items()
    assert kind == "proof" or (kind == "open" and OPEN.fullmatch(text))


def test_every_proof_is_a_test_that_carries_the_id(marked: dict[str, list[str]]) -> None:
    carried = {(node.split("[")[0], row) for node, rows in marked.items() for row in rows}
    carried |= {(node, row) for node, rows in marked.items() for row in rows}
    missing = {row: says["proof"] for row, says in ROWS.items() if "proof" in says}

    assert {row: proof for row, proof in missing.items() if (proof, row) not in carried} == {}


def test_no_open_row_has_a_proof(marked: dict[str, list[str]]) -> None:
    proven = {row: node for node, rows in marked.items() for row in rows}

    assert {row: proven[row] for row, says in ROWS.items() if "open" in says and row in proven} == {}


def test_a_marker_names_known_ids_and_at_most_five(marked: dict[str, list[str]]) -> None:
    assert marked
    assert {node: rows for node, rows in marked.items() if set(rows) - set(ROWS) or len(rows) > 5} == {}
