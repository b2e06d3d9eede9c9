"""`up` gives a stack that runs its channels; what cannot be used changes nothing."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from alert_support import Endpoints, endpoints, secret
from otel_trading import stack
from otel_trading.errors import ConfigError
from otel_trading.stack import health, notifying
from stack_support import json_lines, post, quiet, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.stack

_PAGE = {"alertname": "DailyLossLimitBreached", "severity": "critical", "team": "trading"}


@pytest.fixture
def services() -> Iterator[Endpoints]:
    with endpoints() as served:
        yield served


def _up(home: Path, ports: stack.Ports) -> stack.Stack:
    return stack.up(home=home, kind="native", ports=ports, evaluation_interval="1s", progress=quiet())


def _page(running: stack.Stack, service: str) -> None:
    assert (
        post(f"{running.urls['alertmanager']}/api/v2/alerts", [{"labels": {**_PAGE, "service_name": service}}]) == 200
    )


def test_a_secret_is_in_force_after_the_next_up(stack_home: Path, services: Endpoints) -> None:
    ports = stack.Ports.free()
    running = _up(stack_home, ports)
    assert running.channels == []

    file = secret(stack_home, "slack_url", f"{services.url}/slack")
    secret(stack_home, "watchdog_url", f"{services.url}/ping")
    running = _up(stack_home, ports)
    assert (running.started, running.channels) == (False, ["slack", "watchdog"])
    _page(running, "one")
    assert "one" in services.take("/slack").body["attachments"][0]["title"]

    file.write_text("nonsense")
    before = notifying.current(stack_home)
    with pytest.raises(ConfigError, match=r"slack_url has no URL"):
        _up(stack_home, ports)
    assert notifying.current(stack_home) == before
    assert {one.state for one in stack.status(home=stack_home)} == {"healthy"}
    _page(running, "two")
    assert "two" in services.take("/slack").body["attachments"][0]["title"]

    file.unlink()
    assert _up(stack_home, ports).channels == ["watchdog"]
    _page(running, "three")
    # The file is told in every configuration.
    every = {"one", "two", "three"}
    wait_until(
        lambda: {line["labels"].get("service_name") for line in json_lines(running.alerts_file)} >= every,
        10,
        "the third page",
    )
    assert services.waiting("/slack") == 0
    # From Prometheus' own rule to the outside.
    pulse = services.take("/ping", timeout=30).body
    assert [alert["labels"]["alertname"] for alert in pulse["alerts"]] == ["Watchdog"]


def test_bringing_another_server_back_applies_a_secret_as_well(stack_home: Path, services: Endpoints) -> None:
    ports = stack.Ports.free()
    _up(stack_home, ports)
    (webhook,) = [one for one in stack.status(home=stack_home) if one.service == "webhook"]
    assert webhook.pid is not None
    os.kill(webhook.pid, signal.SIGKILL)
    wait_until(lambda: not health.answers(f"{webhook.url}/-/healthy"), 10, "its end")
    secret(stack_home, "slack_url", f"{services.url}/slack")
    running = _up(stack_home, ports)
    assert running.started
    _page(running, "one")
    assert "one" in services.take("/slack").body["attachments"][0]["title"]


def test_a_secret_that_cannot_be_used_is_told_before_anything_is_started(stack_home: Path) -> None:
    secret(stack_home, "pagerduty_key", "short")
    with pytest.raises(ConfigError, match=r"pagerduty_key has a key of 5 characters"):
        _up(stack_home, stack.Ports.free())
    assert stack.status(home=stack_home) == []
    assert not (stack_home / "config").exists()
