"""promtool proves each recreated name of the five older systems, by the id of its row."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

import pytest
import yaml

FILES: Final = sorted(Path(__file__).parent.glob("compatibility.*.test.yaml"))
#: (id, file) of every case.
CASES: Final = {
    test["name"].split(":")[0]: file for file in FILES for test in yaml.safe_load(file.read_text())["tests"]
}
#: What an instrumentation or a receiver sends: the rule alone does not prove the row.
SENT_BY_OTHERS: Final = {"S1-01", "S1-02", "S1-07", "S2-08", "S3-11", "S3-12", "S3-16", "S3-18", "S3-19"}
ROWS: Final = [pytest.param(row, marks=[] if row in SENT_BY_OTHERS else [pytest.mark.seed(row)]) for row in CASES]


@pytest.mark.parametrize("row", ROWS)
def test_a_name_of_theirs_has_their_labels_and_values(promtool: Path, row: str) -> None:
    done = subprocess.run(
        [promtool, "test", "rules", "--debug", f"--run=^{row}:", CASES[row]],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{row}:" in done.stdout + done.stderr, "promtool ran no such case"
