"""Services that refuse, vanish or come back, and Alertmanager itself: a page is late then, and never lost."""

from __future__ import annotations

import json
import os
import signal
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from alert_support import Alertmanager, Endpoints, endpoints, secret, wait_for
from otel_trading import stack
from otel_trading.stack import health
from otel_trading.stack.ports import Ports
from stack_support import post, quiet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.stack

_PAGE = {"alertname": "DailyLossLimitBreached", "severity": "critical", "team": "trading"}
_SLACK = "/slack"
_CHANNELS = {
    "slack_url": (_SLACK, "{url}/slack"),
    "discord_url": ("/discord/x", "{url}/discord/x"),
    "pagerduty_key": ("/enqueue", f"{'a' * 32} {{url}}/enqueue"),
    "telegram_token": (
        "/bot123456:AAF-abcdefghijklmnopqrstuvwxyz_01234/sendMessage",
        "123456:AAF-abcdefghijklmnopqrstuvwxyz_01234 -100 {url}",
    ),
    "webhook_url": ("/mine", "{url}/mine"),
    "sms_url": ("/sms", "{url}/sms +4915112345678"),
}


@pytest.fixture
def services() -> Iterator[Endpoints]:
    with endpoints() as served:
        yield served


@contextmanager
def _running(binary: Path, home: Path, services: Endpoints) -> Iterator[Alertmanager]:
    """Rounds of a second: what is a minute for a page in production."""
    alertmanager = Alertmanager(binary, home, f"{services.url}/file")
    alertmanager.render(edit=(("group_interval: 5s", "group_interval: 1s"),))
    alertmanager.start()
    try:
        yield alertmanager
    finally:
        alertmanager.stop()


@pytest.mark.parametrize("status", [429, 500])
def test_a_service_that_refuses_for_a_while_is_told_afterwards(
    alertmanager_binary: Path, services: Endpoints, tmp_path: Path, status: int
) -> None:
    for name, (path, text) in _CHANNELS.items():
        secret(tmp_path, name, text.format(url=services.url))
        services.answer(path, status, status)
    services.answer("/file", status, status)
    with _running(alertmanager_binary, tmp_path, services) as alertmanager:
        alertmanager.fire({**_PAGE, "service_name": "bot"})
        paths = ["/file", *(path for path, _ in _CHANNELS.values())]
        for path in paths:
            services.take(path, timeout=30)
            assert services.refused(path), f"{path} never refused"
        # And once only, although others of them were still being tried.
        services.take_none(paths, seconds=3)


def test_an_unreachable_service_holds_no_other_up(
    alertmanager_binary: Path, services: Endpoints, tmp_path: Path
) -> None:
    nobody = Ports.free().webhook
    secret(tmp_path, "slack_url", f"http://127.0.0.1:{nobody}/slack")
    secret(tmp_path, "webhook_url", f"{services.url}/mine")
    with _running(alertmanager_binary, tmp_path, services) as alertmanager:
        alertmanager.fire({**_PAGE, "service_name": "bot"})
        assert services.take("/mine").body["status"] == services.take("/file").body["status"] == "firing"
        alertmanager.fire({**_PAGE, "service_name": "bot"}, ended=True)
        assert services.take("/mine", timeout=20).body["status"] == "resolved"
        assert services.take("/file").body["status"] == "resolved"
        assert "connection refused" in alertmanager.log.read_text()


def test_a_service_that_was_away_is_told_when_it_is_back(
    alertmanager_binary: Path, services: Endpoints, tmp_path: Path
) -> None:
    port = Ports.free().webhook
    secret(tmp_path, "slack_url", f"http://127.0.0.1:{port}{_SLACK}")
    with _running(alertmanager_binary, tmp_path, services) as alertmanager:
        alertmanager.fire({**_PAGE, "service_name": "bot"})
        services.take("/file")
        wait_for(lambda: "connection refused" in alertmanager.log.read_text(), "a failed attempt")
        with endpoints(port) as back:
            assert "bot" in back.take(_SLACK, timeout=30).body["attachments"][0]["title"]


def test_a_secret_that_vanishes_stops_one_channel_until_it_is_back(
    alertmanager_binary: Path, services: Endpoints, tmp_path: Path
) -> None:
    secret(tmp_path, "slack_url", f"{services.url}{_SLACK}")
    with _running(alertmanager_binary, tmp_path, services) as alertmanager:
        copy = tmp_path / "secrets" / "alertmanager" / "trading" / "slack_url"
        text = copy.read_text()
        copy.unlink()
        alertmanager.fire({**_PAGE, "service_name": "bot"})
        services.take("/file")
        wait_for(lambda: "no such file" in alertmanager.log.read_text(), "a complaint about the file")
        assert services.waiting(_SLACK) == 0
        copy.write_text(text)
        services.take(_SLACK, timeout=30)


def test_a_restart_repeats_nothing_and_loses_nothing(
    alertmanager_binary: Path, services: Endpoints, tmp_path: Path
) -> None:
    secret(tmp_path, "slack_url", f"{services.url}{_SLACK}")
    with _running(alertmanager_binary, tmp_path, services) as alertmanager:
        alertmanager.fire({**_PAGE, "service_name": "told"})
        services.take(_SLACK)
        services.take("/file")
        services.answer(_SLACK, *[500] * 1000)
        alertmanager.fire({**_PAGE, "service_name": "untold"})
        assert services.take("/file").body["groupLabels"]["service_name"] == "untold"
        wait_for(lambda: alertmanager.sent("webhook") == 2, "Alertmanager to know that the file was told")
        alertmanager.stop()
        services.answer(_SLACK)
        alertmanager.start()
        # Prometheus says again what fires; what was told is known from the disk.
        for name in ("told", "untold"):
            alertmanager.fire({**_PAGE, "service_name": name})
        assert "untold" in services.take(_SLACK, timeout=30).body["attachments"][0]["title"]
        services.take_none([_SLACK, "/file"], seconds=3)


def _rule(home: Path, prometheus: str) -> None:
    """Add an alert that fires, as a user does."""
    alert = {"alert": "Fires", "expr": "vector(1)", "labels": {"severity": "critical", "team": "trading"}}
    rules = {"groups": [{"name": "mine", "interval": "1s", "rules": [alert]}]}
    (home / "config" / "my-rules" / "mine.yaml").write_text(json.dumps(rules))
    assert post(f"{prometheus}/-/reload", b"") == 200


def test_a_page_outlives_the_alertmanager_that_failed_to_send_it(stack_home: Path, services: Endpoints) -> None:
    """The whole stack: Prometheus says it again to the Alertmanager that `up` brings back."""
    secret(stack_home, "slack_url", f"{services.url}{_SLACK}")
    services.answer(_SLACK, *[500] * 1000)
    start = partial(
        stack.up,
        home=stack_home,
        kind="native",
        ports=stack.Ports.free(),
        evaluation_interval="1s",
        progress=quiet(),
    )
    _rule(stack_home, start().urls["prometheus"])
    wait_for(lambda: services.attempts(_SLACK), "an attempt to tell it", 30)
    (before,) = [one for one in stack.status(home=stack_home) if one.service == "alertmanager"]
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    wait_for(lambda: not health.answers(f"{before.url}/-/ready"), "its end")
    services.answer(_SLACK)
    assert start().started
    assert "Fires" in services.take(_SLACK, timeout=40).body["attachments"][0]["title"]
