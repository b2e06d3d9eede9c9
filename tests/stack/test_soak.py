"""A bot that trades on and on holds no more than before: counted in blocks, objects and rows, since memory is noisy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(600)]

_SOAK = Path(__file__).parents[2] / "benchmarks" / "soak.py"


def test_what_is_held_does_not_grow_with_what_was_done(servers: dict[str, Path]) -> None:
    assert servers
    command = [sys.executable, str(_SOAK), "--hours", "0.027", "--rate", "1500", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=580, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)

    orders = found["calls"]["grown"] / 9
    assert orders >= 1_000
    # What is kept of an order is a row, most often an object, and some blocks; exports move thousands of those.
    for what, most in {"rows": 0.4, "objects": 0.6, "blocks": 4}.items():
        grown = found[what]["grown"]
        assert found[what]["last"] > 10_000, f"{what}: nothing is looked at"
        assert grown < most * orders, f"{grown} {what} more after {orders:.0f} orders"
    # Go gives back late, some megabytes more or less; 15,000 orders that are kept would be many.
    for server in ("collector", "prometheus"):
        grown = found[f"{server}_mib"]["grown"]
        assert 10 < found[f"{server}_mib"]["last"] < 300, server
        assert grown < 100, f"{server} grew by {grown:.0f} MiB"
