"""Any part of the line is killed at any moment, under load: what was acknowledged is in Prometheus."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(400)]

_KILLS = Path(__file__).parents[2] / "benchmarks" / "kills.py"


def test_what_was_acknowledged_survives_the_death_of_any_part(servers: dict[str, Path]) -> None:
    assert servers
    command = [sys.executable, str(_KILLS), "--rounds", "10", "--seed", "7", "--bots", "2", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=380, check=False)
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)

    assert {one["victim"] for one in result["rounds"]} >= {"app", "collector", "prometheus", "alertmanager"}
    assert min(one["acknowledged"] for one in result["rounds"]) > 0
    for harm in ("lost", "wrong", "never_sent"):
        assert [one for one in result["rounds"] if one[harm]] == [], harm
    assert (result["counters_wrong"], result["silence_kept"], result["told"]) == (0, True, 1)
    # What a killed bot had not yet sent: an export interval of half a second, and what sending took on a busy machine.
    assert max(one["in_flight"] for one in result["rounds"]) < 20
