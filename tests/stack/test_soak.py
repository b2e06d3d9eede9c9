"""A bot that trades on and on holds no more than before: counted in objects and rows, since memory is noisy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(300)]

_SOAK = Path(__file__).parents[2] / "benchmarks" / "soak.py"


def test_what_a_bot_holds_does_not_grow_with_what_it_did(servers: dict[str, Path]) -> None:
    assert servers
    command = [sys.executable, str(_SOAK), "--hours", "0.015", "--rate", "6000", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=290, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)

    orders = (found["calls"]["last"] - found["calls"]["settled"]) / 9
    assert orders > 10_000
    for what in ("objects", "rows"):
        grown = found[what]["last"] - found[what]["settled"]
        assert found[what]["last"] > 10_000, f"{what}: nothing is looked at"
        assert grown < 0.1 * orders, f"{grown} {what} more after {orders:.0f} orders"
    for server in ("collector", "prometheus"):
        assert 10 < found[f"{server}_mib"]["last"] < 500
