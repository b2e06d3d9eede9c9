"""The template for a user's own rules: checked, and proven by promtool as we prove ours."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from otel_trading.check import files

ALERTS = Path(__file__).resolve().parents[2] / "alerts"
TEMPLATE = ALERTS / "my-rules.example.yaml"
SERIES = 'trading_order_active{trading_mode="live",job="bot",service_name="bot",trading_strategy_name="momentum"}'


@pytest.mark.seed("S0-20")
def test_the_template_passes_strictly(promtool: Path) -> None:
    shipped = [ALERTS / "thresholds.yaml", *(ALERTS / "rules").glob("*.yaml")]

    assert files.check([TEMPLATE], shipped=shipped, strict=True, promtool=promtool).findings == []


@pytest.mark.seed("S0-20")
@pytest.mark.parametrize(("orders", "at", "fires"), [(51, "6m", True), (50, "6m", False), (51, "4m", False)])
def test_the_alert_of_the_template_fires_as_it_says(
    promtool: Path, tmp_path: Path, orders: int, at: str, *, fires: bool
) -> None:
    labels = {"severity": "warning", "team": "trading", "job": "bot", "service_name": "bot"}
    texts = {
        "summary": "A strategy has many open orders.",
        "description": f"bot (strategy momentum) has {orders} orders open.",
        "action": (
            "Look at the order table of the venue, cancel what nobody wants any more, "
            "and stop the strategy if it goes on."
        ),
        "runbook_url": "https://your.wiki/trading/alerts#openordersmany",
    }
    expected = {"exp_labels": {**labels, "trading_strategy_name": "momentum"}, "exp_annotations": texts}
    test = {
        "interval": "15s",
        "input_series": [{"series": SERIES, "values": f"{orders}x100"}],
        "alert_rule_test": [
            {"eval_time": at, "alertname": "OpenOrdersMany", "exp_alerts": [expected] if fires else []}
        ],
    }
    file = tmp_path / "template.test.yaml"
    file.write_text(json.dumps({"rule_files": [str(TEMPLATE)], "evaluation_interval": "15s", "tests": [test]}))
    done = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
