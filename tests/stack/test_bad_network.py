"""What stands between Collector and Prometheus is silent, or refuses for a while; and a queue whose file is spoilt."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from otel_trading.stack import Ports, health, launches, loopback, status, up
from stack_support import metric, post, prometheus_query, quiet, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(300)]

_POINTS = 5
_PAGE = 4096


class _Between(ThreadingHTTPServer):
    """Brings requests to Prometheus, or answers in its place, or takes them and says nothing."""

    daemon_threads = True

    def __init__(self, prometheus: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.prometheus, self.answer, self.met = prometheus, 200, 0
        self.over = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        between = self.server
        assert isinstance(between, _Between)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if between.answer == 200:
            kept = {name: self.headers[name] for name in ("Content-Type", "Content-Encoding") if self.headers[name]}
            loopback.ask(f"{between.prometheus}{self.path}", 20, body=body, headers=kept)
        else:
            between.met += 1
        if between.answer == 0:
            between.over.wait(60)
            self.close_connection = True
            return
        self.send_response(between.answer)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class calls it so
        del format, args


def _kill(running: Stack, service: str) -> None:
    (pid,) = [one.pid for one in status(home=running.home) if one.service == service]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    state = {one.service: one for one in status(home=running.home)}[service]
    wait_until(lambda: not health.answers(state.url), 10, f"the end of {service}")


@contextmanager
def _between(running: Stack, servers: dict[str, Path]) -> Iterator[_Between]:
    """Start the Collector anew, with something between it and Prometheus."""
    _kill(running, "collector")
    plan = launches.plan(running.home, running.ports, servers, "1s", None)
    (launch,) = [one for one in plan if one.name == "collector"]
    with _Between(running.urls["prometheus"]) as between:
        thread = threading.Thread(target=between.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{between.server_port}"
        environment = {**launch.environment, "STACK_PROMETHEUS_URL": url}
        log = subprocess.DEVNULL
        process = subprocess.Popen(launch.command, env=environment, stdout=log, stderr=log)
        try:
            wait_until(lambda: health.answers(launch.health), 20, "the Collector")
            yield between
        finally:
            between.over.set()
            process.kill()
            process.wait(10)
            between.shutdown()
            thread.join(10)


def _held(running: Stack, name: str) -> bool:
    query = f'count_over_time(net_total{{service_name="{name}"}}[10m]) >= {_POINTS}'
    return bool(prometheus_query(running, query))


def test_nothing_is_lost_to_silence_nor_to_refusals_for_a_while(stack_home: Path, servers: dict[str, Path]) -> None:
    running = up(home=stack_home, kind="native", ports=Ports.free(), evaluation_interval="1s", progress=quiet())
    labels = {"threshold_scope": "local"}
    low = {"record": "trading:threshold:canary_age_seconds", "expr": "vector(5)", "labels": labels}
    groups = [{"name": "mine", "interval": "1s", "rules": [low]}]
    (running.home / "config" / "my-rules" / "low.yaml").write_text(json.dumps({"groups": groups}))
    loopback.reload(running.urls["prometheus"], "Prometheus")
    with _between(running, servers) as between:
        for answer in (0, 429, 503):
            name, between.answer, between.met = f"net-{answer}", answer, 0
            for value in range(1, _POINTS + 1):
                assert post(f"{running.otlp_endpoint}/v1/metrics", metric(name, "net", value)) == 200
            wait_until(lambda: between.met, 20, f"{answer} to be met")
            broken = 'ALERTS{alertname="TelemetryPathBroken"}'
            wait_until(partial(prometheus_query, running, broken), 60, f"the alert on {answer}")
            between.answer = 200
            between.over.set()
            wait_until(partial(_held, running, name), 60, f"all of {name}")
            between.over.clear()
            wait_until(partial(prometheus_query, running, f"absent({broken})"), 60, "the end of the alert")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda held: b"\xff" * len(held),
        lambda held: held[: 2 * _PAGE] + b"\xff" * (len(held) - 2 * _PAGE),
        lambda held: held[: 2 * _PAGE],
    ],
    ids=["all of it", "behind its head", "cut off"],
)
def test_a_spoilt_queue_costs_what_was_in_it_and_no_more(stack_home: Path, spoil: Callable[[bytes], bytes]) -> None:
    running = up(home=stack_home, kind="native", ports=Ports.free(), evaluation_interval="1s", progress=quiet())
    _kill(running, "collector")
    files = [path for path in (running.home / "data" / "collector" / "queue").iterdir() if path.is_file()]
    assert files
    for path in files:
        path.write_bytes(spoil(path.read_bytes()))
    up(home=running.home, progress=quiet())
    assert post(f"{running.otlp_endpoint}/v1/metrics", metric("after", "net", 1)) == 200
    wait_until(lambda: prometheus_query(running, 'net_total{service_name="after"}'), 20, "what came afterwards")
    assert len(list(files[0].parent.glob("*.spoilt-*"))) == len(files)
    _kill(running, "collector")
    up(home=running.home, progress=quiet())  # a sound one stays
    assert len(list(files[0].parent.glob("*.spoilt-*"))) == len(files)
