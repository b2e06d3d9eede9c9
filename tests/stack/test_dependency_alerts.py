"""A Redis and a PostgreSQL that die, hang, fill up, refuse: told through the whole path, and again when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dependency_support import named, postgresql, redis
from otel_trading.stack import Ports, Stack, up
from proof_support import DEPENDENCIES, RULES, faults_in_text
from stack_support import json_lines, quiet, wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(480)]


def _told(running: Stack) -> set[tuple[str, str, str]]:
    """Return alert, subject and status of every notification so far."""
    labels = [(line["labels"], line["status"]) for line in json_lines(running.alerts_file)]
    return {(one["alertname"], one.get("receiver") or one.get("instance", ""), status) for one, status in labels}


def _wait(running: Stack, alert: str, subject: str, status: str = "firing") -> None:
    wait_until(lambda: (alert, subject, status) in _told(running), 90, f"{status} {alert} of {subject}")


def test_what_befalls_a_dependency_is_told(stack_home: Path) -> None:
    with redis("--maxmemory", "10mb") as cache, postgresql("-c", "max_connections=10") as database:
        at, of = f"127.0.0.1:{cache.port}", f"127.0.0.1:{database.port}"
        named(stack_home, "redis", f"redis://{at}")
        named(stack_home, "postgresql", f"postgresql://otel:wrong@{of}")
        running = up(
            home=stack_home, kind="native", ports=Ports.free(), evaluation_interval="1s", speedup=120, progress=quiet()
        )
        _wait(running, "DependencyDown", "postgresql")

        named(stack_home, "postgresql", f"postgresql://otel:{database.password}@{of}")
        up(home=stack_home, progress=quiet())
        _wait(running, "DependencyDown", "postgresql", "resolved")
        assert {one[0] for one in _told(running)} <= {"DependencyDown", "Watchdog"}

        cache.say("SETRANGE filler 8500000 x")
        _wait(running, "RedisMemoryHigh", at)
        with database.connections(7):
            _wait(running, "PostgresConnectionsHigh", of)
        cache.say("DEL filler")
        _wait(running, "RedisMemoryHigh", at, "resolved")
        _wait(running, "PostgresConnectionsHigh", of, "resolved")
        # One that hangs answers as little as one that is gone.
        cache.freeze()
        _wait(running, "DependencyDown", "redis")
        cache.thaw()
        _wait(running, "DependencyDown", "redis", "resolved")
    _wait(running, "DependencyDown", "postgresql")
    told = json_lines(running.alerts_file)
    told = [one for one in told if one["labels"]["alertname"] in DEPENDENCIES]
    assert {one["labels"]["alertname"]: one["receiver"] for one in told} == DEPENDENCIES
    rules = {rule["alert"]: rule for rule in RULES}
    assert [faults_in_text(rules[one["labels"]["alertname"]], one["annotations"]) for one in told] == [[]] * len(told)
