"""The stack in containers, by podman, with images made here: Grafana's is a stand-in, the other servers are real.

`otel-trading up --docker` runs as it is; `docker compose` is what `docker_by_podman.py` makes of it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import container_images
import pytest
from container_processes import confined

from bot_support import COMMAND, environment
from otel_trading.stack import Ports, config, docker, find, status
from otel_trading.stack.state import State
from stack_support import metric, post, prometheus_query, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.containers, pytest.mark.timeout(300)]

_SERVICES = {"webhook", "alertmanager", "prometheus", "collector", "canary", "grafana"}
_RULE = {
    "alert": "InContainers",
    "expr": 'max by (job) (up{job="bots"}) == 1',
    "labels": {"severity": "critical", "team": "platform"},
    "annotations": dict.fromkeys(("summary", "description", "action", "runbook_url"), "A bot on the host is scraped."),
}


@dataclass(frozen=True)
class Machine:
    """Where `docker` is podman, with images, containers and networks of its own."""

    podman: list[str]
    home: Path
    variables: dict[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(COMMAND), *arguments, "--home", str(self.home)]
        return subprocess.run(command, env=self.variables, capture_output=True, text=True, timeout=200, check=False)

    def up(self, *arguments: str) -> Stack:
        done = self.run("up", "--docker", "--interval", "1s", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return find(home=self.home)

    def asked(self, *arguments: str) -> str:
        done = subprocess.run([*self.podman, *arguments], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def containers(self) -> dict[str, dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.asked("inspect", *self.asked("ps", "--quiet").split()))
        return {one["Name"].rpartition("-")[2]: one for one in found}


@pytest.fixture(scope="module")
def machine(
    servers: dict[str, Path], compose_loader: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("machine")
    storage = [
        f"--root={folder / 'root'}",
        f"--runroot={folder / 'run'}",
        f"--network-config-dir={folder / 'networks'}",
    ]
    podman = ["podman", "--cgroup-manager=cgroupfs", *storage]
    tool = folder / "bin" / "docker"
    tool.parent.mkdir()
    tool.write_text(f"#!{sys.executable}\n{(Path(__file__).parent / 'docker_by_podman.py').read_text()}")
    tool.chmod(0o755)
    path = f"{tool.parent}{os.pathsep}{os.environ['PATH']}"
    variables = environment(None, PATH=path, PODMAN=json.dumps(podman), COMPOSE_LOADER=str(compose_loader))
    home = folder / "home"
    container_images.make(podman, _images(compose_loader, home), servers)
    made = Machine(podman, home, variables)
    try:
        yield made
    finally:
        made.run("down", "--volumes", "--yes")
        subprocess.run([*podman, "rm", "--all", "--force"], capture_output=True, timeout=60, check=False)
        subprocess.run([*podman, "rmi", "--all", "--force"], capture_output=True, timeout=60, check=False)
        shutil.rmtree(folder / "root", ignore_errors=True)


def _images(loader: Path, home: Path) -> dict[str, str]:
    folder = config.render(home, ports=Ports(), kind="docker")
    known = {**os.environ, **docker.variables(home, State("docker", Ports(), None))}
    read = subprocess.run([loader, folder / "compose.yaml"], env=known, capture_output=True, timeout=30, check=True)
    images = {name: service["image"] for name, service in json.loads(read.stdout)["services"].items()}
    return {name: container_images.full(image) for name, image in images.items()}


class _Bot(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        text = b"# TYPE mine gauge\nmine 1\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its parent's name
        del format, args


@contextmanager
def _bot(address: str) -> Iterator[int]:
    """A bot that is scraped, on the host, at the address that containers know as host.docker.internal."""
    with HTTPServer((address, 0), _Bot) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(5)


@pytest.fixture(scope="module")
def running(machine: Machine) -> Stack:
    rules = machine.home / "config" / "my-rules" / "mine.yaml"
    rules.write_text(json.dumps({"groups": [{"name": "mine", "interval": "1s", "rules": [_RULE]}]}))
    return machine.up(*(f"--port={name}={number}" for name, number in vars(Ports.free()).items()))


def test_every_container_is_healthy_and_a_canary_comes_through(machine: Machine, running: Stack) -> None:
    assert {one.service: one.state for one in status(home=running.home)} == dict.fromkeys(_SERVICES, "healthy")
    found = json.loads(machine.run("doctor", "--json").stdout)
    assert [(hop["name"], hop["state"]) for hop in found if hop["state"] == "broken"] == []
    assert found[-1]["state"] == "ok", "the boards are where Grafana reads them"


def test_no_process_has_root_a_capability_or_a_disk_to_write_on(machine: Machine, running: Stack) -> None:
    found = machine.containers()
    assert set(found) == set(running.urls) == _SERVICES
    for name, one in found.items():
        confined(one["State"]["Pid"], name, root=os.getuid() == 0 and name == "webhook")


@pytest.mark.seed("S2-34")
def test_an_alert_about_a_bot_on_the_host_reaches_the_file(machine: Machine, running: Stack) -> None:
    (network,) = json.loads(machine.asked("network", "inspect", *_networks(machine)))
    with _bot(network["subnets"][0]["gateway"]) as port:
        (running.bots / "bot.yaml").write_text(f"- targets: ['host.docker.internal:{port}']\n")
        told = wait_until(
            lambda: running.alerts_file.exists() and "InContainers" in running.alerts_file.read_text(), 60, "the alert"
        )
    assert told


def _networks(machine: Machine) -> list[str]:
    return [name for name in machine.asked("network", "ls", "--format={{.Name}}").split() if name != "podman"]


def test_what_was_stored_is_there_after_down_and_up(machine: Machine, running: Stack) -> None:
    post(f"{running.otlp_endpoint}/v1/metrics", metric("my_bot", "kept", 7))
    wait_until(lambda: prometheus_query(running, 'kept_total{service_name="my_bot"} == 7'), 30, "the sample")
    sent = time.time()
    assert machine.run("down").returncode == 0
    assert machine.asked("ps", "--quiet") == ""
    again = machine.up(*(f"--port={name}={number}" for name, number in vars(running.ports).items()))

    assert again.urls == running.urls
    assert prometheus_query(again, f'kept_total{{service_name="my_bot"}} @ {sent:.3f} == 7')


def test_the_log_of_a_container_is_shown(machine: Machine, running: Stack) -> None:
    assert running.kind == "docker"
    done = machine.run("logs", "collector", "--lines", "3")
    assert done.returncode == 0, done.stderr
    assert 1 <= len(done.stdout.splitlines()) <= 3
