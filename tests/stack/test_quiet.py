"""What must not be told: a day without trouble, what a larger alert explains, and what somebody has silenced."""

from __future__ import annotations

import json
import time
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import quiet_day

from bot_support import bot, environment, running
from otel_trading.demo.scenarios import Scenario, thresholds
from otel_trading.demo.scenarios.player import notifications
from otel_trading.stack import Ports, loopback, up
from stack_support import prometheus_query, quiet, wait_until

if TYPE_CHECKING:
    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

#: Seconds to wait for what must not come: a round of Alertmanager's `group_interval` and one more.
SETTLE = 8.0


def test_nothing_fires_on_a_quiet_trading_day(stack_home: Path, tmp_path: Path) -> None:
    # A stack of its own: on a shared one, what others raised would still be there.
    own = up(
        home=stack_home, kind="native", ports=Ports.free(), evaluation_interval="1s", speedup=120, progress=quiet()
    )
    # The day is so short that a feed that is silent for three seconds would be stale in the session.
    day = Scenario(alert="quiet-day", play=lambda _cause: None, thresholds={"market_data_age_seconds": 3})
    wait_until(lambda: prometheus_query(own, 'ALERTS{alertname="Watchdog"}'), 20, "the first evaluation")
    wait_until(lambda: not _alerts(own, 'ALERTS{alertname!="Watchdog"}'), 60, "the quiet after the start")
    begun = time.monotonic()
    with thresholds.in_force(own, [day]):
        code, said, err = bot(tmp_path, "quiet-day", Path(quiet_day.__file__).read_text(), environment(own))

    assert (code, said) == (0, "the day is over\n"), err
    assert "dropped" not in err
    (orders,) = prometheus_query(own, 'sum(trading_order_requests_total{service_name="quiet-day"})')
    assert float(orders["value"][1]) > 50
    window = f"[{time.monotonic() - begun:.0f}s]"
    assert _alerts(own, f'count_over_time(ALERTS{{alertname!="Watchdog",alertstate="firing"}}{window})') == []
    # What one group of rules records another may read a second too early, when a bot sends for the first time.
    pending = f'count_over_time(ALERTS{{alertname!="Watchdog",alertstate="pending"}}{window}) > 1'
    assert _alerts(own, pending) == []


def _alerts(running_stack: Stack, query: str) -> list[str]:
    """Return what a query finds, said in a way that a failing test shows whole."""
    return [f"{row['metric']} {row['value'][1]}" for row in prometheus_query(running_stack, query)]


_OFFLINE = """
import logging
meter.defaults(venue='offline-exchange', strategy='s')
meter.market_data_received(source='exchange', kind='quote', symbol='A', connection='public')
meter.connection_changed(name='public', state='disconnected')
"""


def test_a_lost_connection_is_told_and_not_the_feeds_that_it_carried(fast_stack: Stack, tmp_path: Path) -> None:
    bots = Scenario(alert="s", play=lambda _cause: None, thresholds={"market_data_age_seconds": 4})
    with (
        thresholds.in_force(fast_stack, [bots]),
        running(tmp_path, "offline-bot", _OFFLINE, environment(fast_stack)),
    ):
        wait_until(lambda: _states(fast_stack, "offline-bot").get("MarketDataStale"), 40, "the feed's alert")
        wait_until(lambda: _states(fast_stack, "offline-bot")["MarketDataStale"] == "suppressed", 10, "its inhibition")
        time.sleep(SETTLE)
        told = {one.alert for one in notifications(fast_stack.alerts_file, "offline-bot")}

    assert told == {"VenueConnectionLost"}


_HALTED = "meter.kill_switch_changed(scope='account', state='halted', account='a', venue='v', strategy='s')"


def test_what_is_silenced_is_told_only_once_the_silence_ends(fast_stack: Stack, tmp_path: Path) -> None:
    silence = _silence(fast_stack, service_name="silenced-bot")
    with running(tmp_path, "silenced-bot", _HALTED, environment(fast_stack)):
        wait_until(lambda: _states(fast_stack, "silenced-bot").get("KillSwitchActive"), 30, "the alert")
        time.sleep(SETTLE)
        assert _states(fast_stack, "silenced-bot") == {"KillSwitchActive": "suppressed"}
        assert notifications(fast_stack.alerts_file, "silenced-bot") == []

        _expire(fast_stack, silence)
        (told,) = wait_until(lambda: notifications(fast_stack.alerts_file, "silenced-bot"), 30, "the notification")
        assert (told.alert, told.status) == ("KillSwitchActive", "firing")


def _states(running_stack: Stack, service: str) -> dict[str, str]:
    """Return the state of each alert of a bot in Alertmanager: active or suppressed."""
    url = f"{running_stack.urls['alertmanager']}/api/v2/alerts?filter=service_name%3D{service}"
    return {one["labels"]["alertname"]: one["status"]["state"] for one in json.loads(loopback.ask(url, 10))}


def _silence(running_stack: Stack, **labels: str) -> str:
    now = datetime.now(timezone.utc)
    body = {
        "matchers": [{"name": name, "value": value, "isRegex": False} for name, value in labels.items()],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(minutes=5)).isoformat(),
        "createdBy": "a test",
        "comment": "planned",
    }
    answer: dict[str, Any] = json.loads(_request(running_stack, "POST", "silences", json.dumps(body).encode()))
    return str(answer["silenceID"])


def _expire(running_stack: Stack, silence: str) -> None:
    _request(running_stack, "DELETE", f"silence/{silence}")


def _request(running_stack: Stack, method: str, path: str, data: bytes | None = None) -> bytes:
    url = f"{running_stack.urls['alertmanager']}/api/v2/{path}"
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=10) as response:
        return bytes(response.read())
