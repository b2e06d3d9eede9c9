"""Prometheus is away at a rate and the Collector dies meanwhile: everything is replayed, once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(300)]

_REPLAY = Path(__file__).parents[2] / "benchmarks" / "replay.py"


def test_an_outage_of_prometheus_is_replayed_in_full(servers: dict[str, Path]) -> None:
    assert servers
    command = [sys.executable, str(_REPLAY), "--minutes", "0.75", "--rate", "2000", "--bots", "2", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)

    assert result["acknowledged"] > 45 * 1000  # half of what a quiet machine sends
    assert result["queue_bytes"] > 10**6
    assert result["held"] == result["acknowledged"]
    assert [result[harm] for harm in ("lost", "wrong", "duplicated", "counters_wrong")] == [0, 0, 0, 0]
