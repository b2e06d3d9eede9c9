"""A bot that keeps its portfolio as the README says and is killed at any moment finds a whole file."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from unit_support import losses

from otel_trading import meter, trackers

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
KEEP = next(block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "restore_portfolio" in block)
BOT = """
import sys
for number in range(int(sys.argv[1]), 1_000_000):
    meter.order_filled(symbol="A", side="buy", price=10, quantity=1, currency="USD", execution_id=f"e{number}")
    print(number, flush=True)
    save()
"""


def test_killed_at_any_moment_it_goes_on_where_it_was(tmp_path: Path, production: CapturingMeter) -> None:
    state, begin = tmp_path / "portfolio.json", 0
    for fills in (3, 8, 21):
        bot = subprocess.Popen(
            [sys.executable, "-c", KEEP + BOT, str(begin)],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OTEL_TRADING_STRICT": "0"},
        )
        assert bot.stdout is not None
        reported = [int(bot.stdout.readline()) for _ in range(fills)]
        bot.kill()  # somewhere in or around a save
        bot.communicate(timeout=30)
        trackers.set_default(None)

        assert meter.restore_portfolio(snapshot=state.read_bytes()) is True
        held = production.value("trading.position.quantity")
        assert reported[-1] <= held  # the one that was reported last may not be in it, those before are
        assert len(json.loads(state.read_bytes())["executions"]) == held
        begin = int(held)
    assert losses(production) == {}
