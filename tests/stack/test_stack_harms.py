"""The alerts on what carries alerts: each part of it is harmed on one real stack, and the word comes out."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from alert_support import endpoints, secret
from expose_support import ELSEWHERE
from otel_trading.stack import Expose, Ports, authority, down, launches, loopback, notifying, renewal, status, up
from otel_trading.stack.webhook import alert_lines
from proof_support import HARMS, RULES, faults_in_text
from stack_support import json_lines, prometheus_query, quiet, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from alert_support import Endpoints
    from otel_trading.stack import Stack
    from otel_trading.stack.launches import Launch

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(300)]

_REFUSED, _PULSE = "/refused", "/pulse"
_PATIENCE: Final = 90.0
#: What such a stack says besides, and is right about.
_TOO: Final = {"StackDown", "TelemetryPathBroken", "RuleFailing"}


@dataclass(frozen=True)
class Harmed:
    """A stack that has been through all of it, and the notifications of what fired."""

    running: Stack
    services: Endpoints
    told: list[dict[str, Any]]


@pytest.fixture(scope="module")
def harmed(servers: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harmed]:
    """Two receivers outside: one that refuses all, and a dead-man's switch."""
    home = tmp_path_factory.mktemp("harmed")
    with endpoints() as services:
        services.answer(_REFUSED, *[500] * 10_000)
        secret(home, "webhook_url", f"{services.url}{_REFUSED}")
        secret(home, "watchdog_url", f"{services.url}{_PULSE}")
        running = up(
            home=home, kind="native", ports=Ports.free(), evaluation_interval="1s", speedup=120, progress=quiet()
        )
        try:
            pulse = services.take(_PULSE, timeout=_PATIENCE).body
            _take_a_threshold_away(running)
            _restart_the_collector_again_and_again(running, servers)
            _end_alertmanager_for_a_while(running)
            _spoil_the_queue(running)
            _expose_with_a_certificate_that_ends_and_end_the_gate(running)
            _fill_the_disk_for_a_while(running)
            _until_told(running, *HARMS.keys() - {"Watchdog"})
            yield Harmed(running, services, [*_told(running), *map(json.loads, alert_lines(pulse, ""))])
        finally:
            down(home=home)


def _told(running: Stack) -> list[dict[str, Any]]:
    return [one for one in json_lines(running.alerts_file) if one["status"] == "firing"]


def _until_told(running: Stack, *alerts: str, after: int = 0) -> None:
    def names() -> set[str]:
        return {one["labels"]["alertname"] for one in _told(running)[after:]}

    for alert in alerts:
        wait_until(partial(lambda name: name in names(), alert), _PATIENCE, f"{alert} to be told")


def _until_there(running: Stack, promql: str) -> None:
    wait_until(lambda: prometheus_query(running, promql), _PATIENCE, promql)


def _pid(running: Stack, service: str) -> int:
    pid = next(one.pid for one in status(home=running.home) if one.service == service)
    assert pid is not None
    return pid


def _end(running: Stack, service: str, sign: signal.Signals) -> None:
    os.kill(_pid(running, service), sign)

    def ended() -> bool:
        return {one.service: one.state for one in status(home=running.home)}[service] == "down"

    wait_until(ended, 20, f"the end of {service}")


def _add_rules(running: Stack, name: str, interval: str, *rules: dict[str, Any]) -> None:
    groups = [{"name": name, "interval": interval, "rules": rules}]
    (running.home / "config" / "my-rules" / f"{name}.yaml").write_text(json.dumps({"groups": groups}))
    renewal.reload_rules(running.home)


def _take_a_threshold_away(running: Stack) -> None:
    file = running.home / "config" / "alerts" / "thresholds.yaml"
    document = yaml.safe_load(file.read_text())
    del document["groups"][0]["rules"][0]
    file.write_text(yaml.safe_dump(document))
    renewal.reload_rules(running.home)


def _restart_the_collector_again_and_again(running: Stack, servers: dict[str, Path]) -> None:
    """As a supervisor does; at first with the address of one that takes no metrics, then of none, with no room left."""
    plan = launches.plan(running.home, running.ports, servers, "1s", None)
    (launch,) = [one for one in plan if one.name == "collector"]
    wrong = {**launch.environment, "STACK_PROMETHEUS_URL": running.urls["alertmanager"]}
    age, deadline = "otelcol_process_uptime_seconds_total", time.monotonic() + _PATIENCE
    _end(running, "collector", signal.SIGKILL)
    with _run(launch, wrong):
        _until_there(running, 'ALERTS{alertname="CollectorExportFailing",alertstate="firing"}')
    nobody = {**launch.environment, "STACK_PROMETHEUS_URL": "http://127.0.0.1:1"}
    with _run(launch, nobody) as pid, _no_room(pid, running.home / "data" / "collector" / "queue"):
        _until_told(running, "CollectorQueueFailing")
    while not any(one["labels"]["alertname"] == "CollectorRestarting" for one in _told(running)):
        assert time.monotonic() < deadline, "the restarts were not told"
        with _run(launch, launch.environment):
            _until_there(running, f"{age} > 0.9 and timestamp({age}) > {time.time():f}")
    _until_told(running, "ThresholdMissing", "CollectorExportFailing")
    up(home=running.home, progress=quiet())
    _until_there(running, "absent(ALERTS{alertname='ThresholdMissing'})")  # `up` writes what is shipped, and it is read


@contextmanager
def _run(launch: Launch, environment: dict[str, str]) -> Iterator[int]:
    process = subprocess.Popen(launch.command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait(10)


def _end_alertmanager_for_a_while(running: Stack) -> None:
    """Nobody can be told meanwhile, also not that a rule of the user takes longer than its interval."""
    _add_rules(running, "slow", "10ms", {"record": "slow", "expr": "max(max_over_time(vector(1)[500s:1ms]))"})
    _end(running, "alertmanager", signal.SIGTERM)
    for alert in ("AlertmanagerUnreachable", "RulesLate"):
        _until_there(running, f'ALERTS{{alertname="{alert}",alertstate="firing"}}')
    up(home=running.home, progress=quiet())
    _until_told(running, "AlertmanagerUnreachable", "RulesLate")
    (running.home / "config" / "my-rules" / "slow.yaml").unlink()


def _spoil_the_queue(running: Stack) -> None:
    _end(running, "collector", signal.SIGKILL)
    queue = running.home / "data" / "collector" / "queue"
    for file in queue.iterdir():
        file.write_bytes(b"\xff" * file.stat().st_size)
    up(home=running.home, progress=quiet())
    _until_told(running, "CollectorQueueSpoilt")
    for file in queue.glob("*.spoilt-*"):
        file.unlink()
    _until_there(running, "absent(ALERTS{alertname='CollectorQueueSpoilt'})")


def _expose_with_a_certificate_that_ends_and_end_the_gate(running: Stack) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(authority, "_SERVER_LIVES", timedelta(days=10))
        up(home=running.home, expose=Expose(ELSEWHERE), progress=quiet())
    _until_told(running, "CertificateEnding")
    _end(running, "gate", signal.SIGKILL)
    _until_told(running, "GateDown")
    up(home=running.home, progress=quiet())  # with another certificate, too
    for alert in ("GateDown", "CertificateEnding"):
        _until_there(running, f"absent(ALERTS{{alertname='{alert}'}})")


def _fill_the_disk_for_a_while(running: Stack) -> None:
    """No file of Prometheus may grow, so it sees nothing new, not even that; the canary's age says it."""
    low = {
        "record": "trading:threshold:canary_age_seconds",
        "expr": "vector(3)",
        "labels": {"threshold_scope": "local"},
    }
    _add_rules(running, "low", "1s", low)
    _until_there(running, f"{low['record']} == 3 unless on () ALERTS{{alertname='TelemetryPathBroken'}}")
    before = len(_told(running))
    with _no_room(_pid(running, "prometheus"), running.home / "data" / "prometheus" / "wal"):
        _until_told(running, "TelemetryPathBroken", after=before)
    _until_told(running, "PrometheusStorageFailing")


@contextmanager
def _no_room(pid: int, folder: Path) -> Iterator[None]:
    _, most = before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (max(file.stat().st_size for file in folder.iterdir()), most))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(("alert", "receiver"), HARMS.items())
def test_a_harm_is_told_at_the_right_receiver_and_in_full(harmed: Harmed, alert: str, receiver: str) -> None:
    (rule,) = [rule for rule in RULES if rule["alert"] == alert]
    told = [one for one in harmed.told if one["labels"]["alertname"] == alert]

    assert {one["receiver"] for one in told} == {receiver}
    for one in told:
        assert rule["labels"].items() <= one["labels"].items()
        assert faults_in_text(rule, one["annotations"]) == []


def test_nothing_else_is_told_and_nothing_twice(harmed: Harmed) -> None:
    assert {one["labels"]["alertname"] for one in harmed.told} <= HARMS.keys() | _TOO
    times = Counter(json.dumps([one["labels"], one["startsAt"]], sort_keys=True) for one in harmed.told)
    assert [one for one, count in times.items() if count > 1] == []


def test_the_outside_is_called_until_prometheus_is_gone(harmed: Harmed) -> None:
    """A dead-man's switch is called every minute; here with each round, so that silence shows sooner."""
    running, services = harmed.running, harmed.services
    config = notifying.config_file(running.home)
    config.write_text(config.read_text().replace("repeat_interval: 1m", "repeat_interval: 1s"))
    loopback.reload(running.urls["alertmanager"], "Alertmanager")
    for _ in range(services.waiting(_PULSE) + 1):
        pulse = services.take(_PULSE, timeout=20).body
        assert [one["labels"]["alertname"] for one in pulse["alerts"]] == ["Watchdog"]

    _end(running, "prometheus", signal.SIGKILL)
    alive = f"{running.urls['alertmanager']}/api/v2/alerts?filter=alertname%3DWatchdog"
    wait_until(lambda: json.loads(loopback.ask(alive)) == [], _PATIENCE, "the Watchdog to end")
    while services.waiting(_PULSE):
        services.take(_PULSE)
    services.take_none([_PULSE], seconds=6)  # longer than a round
