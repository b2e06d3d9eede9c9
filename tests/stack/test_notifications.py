"""From what a bot says through `meter` to the delivered notification, through every real server."""

from __future__ import annotations

import json
import time
import urllib.request
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from bot_support import bot, environment, prometheus_get, running
from stack_support import json_lines, prometheus_query, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

_LOSS = """
import logging
meter.defaults(venue='kraken', strategy='momentum', account='acct-1', currency='USD')
meter.risk_limit(name='daily_loss', limit=500, strategy='momentum')
meter.order_filled(symbol='BTC/USD', side='buy', price=60_000, quantity=0.1, client_id='1')
meter.order_filled(symbol='BTC/USD', side='sell', price=54_000, quantity=0.1, client_id='2')
"""


def _delivered(stack: Stack, service: str) -> list[dict[str, Any]]:
    return [alert for alert in json_lines(stack.alerts_file) if alert["labels"].get("service_name") == service]


@pytest.mark.seed("S2-17", "S3-41")
def test_a_losing_fill_becomes_a_notification_within_seconds(
    stack: Stack, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with running(tmp_path, "loser", _LOSS, environment(stack)):
        begun = time.monotonic()
        (alert, *others) = wait_until(lambda: _delivered(stack, "loser"), 30, "the notification of the loss")
        record_property("seconds_from_fill_to_notification", round(time.monotonic() - begun, 2))

    assert (
        alert["labels"].items()
        >= {
            "alertname": "DailyLossLimitBreached",
            "severity": "critical",
            "team": "trading",
            "service_name": "loser",
            "trading_account_id": "acct-1",
            "trading_strategy_name": "momentum",
            "trading_currency_code": "USD",
        }.items()
    )
    assert alert["status"] == "firing"
    assert "is -600 USD; the limit is a loss of 500 USD" in alert["annotations"]["description"]
    assert {other["labels"]["alertname"] for other in others} <= {"DailyLossLimitBreached"}


def test_a_loss_in_paper_mode_notifies_nobody(stack: Stack, tmp_path: Path) -> None:
    with running(tmp_path, "paper-loser", _LOSS, environment(stack, OTEL_TRADING_MODE="paper")):
        pnl = 'trading_portfolio_session_pnl{service_name="paper-loser"} < -500'
        wait_until(lambda: prometheus_query(stack, pnl), 10, "the loss in Prometheus")
        for _ in range(3):
            before = _last_evaluation(stack)
            wait_until(partial(_evaluated_since, stack, before), 10, "an evaluation of the rule")
        assert prometheus_query(stack, 'ALERTS{service_name="paper-loser",severity="critical"}') == []

    assert _delivered(stack, "paper-loser") == []


def _evaluated_since(stack: Stack, before: str) -> bool:
    return _last_evaluation(stack) != before


def _last_evaluation(stack: Stack) -> str:
    groups = prometheus_get(stack, "rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"] if rule["name"] == "DailyLossLimitBreached"]
    return str(rules[0]["lastEvaluation"])


@contextmanager
def _rule(stack: Stack, name: str, expression: str) -> Iterator[None]:
    """Add a rule as a user does: a file in `my-rules`, then a reload."""
    file = stack.home / "config" / "my-rules" / f"{name}.yaml"
    alert = {"alert": name, "expr": expression, "labels": {"severity": "warning", "team": "trading"}}
    file.write_text(json.dumps({"groups": [{"name": name, "interval": "1s", "rules": [alert]}]}))
    try:
        _reload(stack)
        yield
    finally:
        file.unlink()
        _reload(stack)


def _reload(stack: Stack) -> None:
    request = urllib.request.Request(f"{stack.urls['prometheus']}/-/reload", method="POST")
    with urllib.request.urlopen(request, timeout=10) as response:
        assert response.status == 200


def test_the_first_rejection_ever_pages(stack: Stack, tmp_path: Path) -> None:
    text = "from otel_trading import meter\nmeter.order_rejected(reason='stale', symbol='A', side='buy', venue='v')\n"
    counted = 'increase(trading_order_rejections_total{service_name="first-reject"}[5m]) > 0'
    with _rule(stack, "FirstRejection", counted):
        code, _, err = bot(tmp_path, "first-reject", text, environment(stack))
        assert code == 0, err
        (alert,) = wait_until(lambda: _delivered(stack, "first-reject"), 30, "a notification of the first rejection")

    assert alert["labels"]["alertname"] == "FirstRejection"
    raw = prometheus_get(stack, "query", query='trading_order_rejections_total{service_name="first-reject"}')
    assert raw["result"][0]["value"][1] == "1", "the counter never moved: only its creation makes the increase"
