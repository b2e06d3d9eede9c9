"""alerts/OPERATIONS.md: each trouble is provoked on a real stack, and each command shows there what the guide says."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot_support import environment, running
from guide_support import missing, sections
from otel_trading.stack import Ports, default_home, down, find, loopback, status
from stack_support import prometheus_query, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from guide_support import Step
    from otel_trading.stack import Stack

    #: Yields where each command of its section is given, once it is in that trouble.
    Troubled = Generator["Place", None, None]

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(300)]

GUIDE = sections("alerts/OPERATIONS.md")
_INTERVAL = 0.5
_BOT = "from otel_trading import meter\nmeter.signal_emitted(type='buy', strategy='s', symbol='A', venue='v')\n"


@dataclass(frozen=True)
class Place:
    """A user's machine: a home of its own, a folder with a bot, and what stands in the shell's environment."""

    folder: Path
    variables: dict[str, str]

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )

    def with_(self, **variables: str) -> Place:
        return replace(self, variables={**self.variables, **variables})

    @property
    def home(self) -> Path:
        return Path(self.variables["XDG_DATA_HOME"]) / "otel-trading"

    @property
    def stack(self) -> Stack:
        return find(home=self.home)

    @contextmanager
    def bot(self, body: str, **variables: str) -> Iterator[Any]:
        with running(self.folder, "my_bot", body, {**self.variables, **variables}) as process:
            yield process

    def end(self, service: str) -> None:
        (pid,) = [one.pid for one in status(home=self.home) if one.service == service]
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: {one.service: one.state for one in status(home=self.home)}[service] == "down", 5, service)

    def until(self, promql: str) -> None:
        wait_until(partial(prometheus_query, self.stack, promql), 30, promql)


def _place(folder: Path) -> Place:
    """Grafana's stand-in is installed as a tarball of the real one is: `bin/grafana` beside `conf/defaults.ini`."""
    (folder / "grafana" / "conf").mkdir(parents=True)
    (folder / "grafana" / "conf" / "defaults.ini").touch()
    (folder / "grafana" / "bin").mkdir()
    grafana = folder / "grafana" / "bin" / "grafana"
    stand_in = (Path(__file__).parent / "grafana_stand_in.py").read_text(encoding="utf-8")
    grafana.write_text(f"#!{sys.executable}\n{stand_in}", encoding="utf-8")
    grafana.chmod(0o755)
    (folder / "my_bot.py").write_text(_BOT)
    path = os.pathsep.join([str(grafana.parent), sysconfig.get_path("scripts"), os.environ["PATH"]])
    return Place(
        folder,
        environment(
            None,
            XDG_DATA_HOME=str(folder / "data"),
            PATH=path,
            DOCKER_HOST="tcp://127.0.0.1:1",  # a daemon of this machine is none of ours
            OTEL_METRIC_EXPORT_INTERVAL=f"{_INTERVAL * 1000:.0f}",
            NO_COLOR="1",
        ),
    )


def _free_ports() -> str:
    return " ".join(f"--port {name}={number}" for name, number in vars(Ports.free()).items())


@pytest.fixture(scope="module")
def place(servers: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    assert servers
    made = _place(tmp_path_factory.mktemp("place"))
    try:
        done = made.run(f"otel-trading up --native --interval 1s {_free_ports()}")
        assert done.returncode == 0, done.stdout
        assert "grafana" in made.stack.urls
        yield made.with_(OTEL_EXPORTER_OTLP_ENDPOINT=made.stack.otlp_endpoint)
    finally:
        down(home=made.home)


def _well(place: Place) -> Troubled:
    place.until("count(up == 1) == 3")
    yield place
    yield place


def _down(place: Place) -> Troubled:
    place.end("collector")
    yield place
    yield place
    yield place


def _target(place: Place) -> Troubled:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = place.stack.bots / "my_bot.yaml"
    file.write_text(f"- targets: ['127.0.0.1:{port}']\n")
    try:
        place.until('up{job="bots"} == 0')
        yield place
        yield place
    finally:
        file.unlink()
        wait_until(lambda: not prometheus_query(place.stack, 'up{job="bots"}'), 30, "the target to be forgotten")


def _silent(place: Place) -> Troubled:
    with place.bot("meter.signal_emitted(type='buy', strategy='s', symbol='A', venue='v')") as bot:
        place.until('trading_sdk_heartbeat_time_seconds{service_name="my_bot"}')
        bot.kill()
        bot.wait(10)
    place.until(f'time() - trading_sdk_heartbeat_time_seconds{{service_name="my_bot"}} > {7 * _INTERVAL}')
    yield place
    yield place


def _metric(place: Place) -> Troubled:
    off = {"OTEL_TRADING_DISABLED_METRICS": "trading.execution.*"}
    fill = "meter.order_filled(venue='v', symbol='A', side='buy', price={}, quantity=1, currency='USD')"
    with place.bot(f"{fill.format(5)}\n{fill.format(repr('five'))}", **off):
        place.until("trading_sdk_dropped_total > 0")
        for _ in range(3):
            yield place.with_(**off)


def _alert(place: Place) -> Troubled:
    assert place.run("otel-trading silence --venue kraken --for 1h --why maintenance").returncode == 0
    yield place
    place.until('ALERTS{alertname="Watchdog"}')
    yield place
    place.end("alertmanager")
    yield place
    yield place
    yield place


def _boards(place: Place) -> Troubled:
    yield place
    place.end("prometheus")
    yield place
    yield place


def _grafana(place: Place) -> Troubled:
    place.end("grafana")
    yield place
    yield place
    yield place


def _memory(place: Place) -> Troubled:
    emitted = "meter.signal_emitted(type='buy', strategy='s', symbol=f'S{number}', venue='v')"
    with place.bot(f"for number in range(200):\n    {emitted}", OTEL_TRADING_MAX_SERIES="50"):
        place.until("increase(trading_sdk_attribute_overflows_total[15m]) > 0")
        for _ in range(3):
            yield place


def _port(place: Place) -> Troubled:
    """With the usual numbers, of which another stack here may hold the first one already."""
    elsewhere = place.with_(XDG_DATA_HOME=str(place.folder / "elsewhere"))
    with socket.socket() as occupant:
        occupant.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            occupant.bind(("127.0.0.1", Ports().webhook))
            occupant.listen()
        yield elsewhere
    assert status(home=elsewhere.home) == []


def _thresholds(place: Place) -> Troubled:
    yield place
    place.until("trading:threshold:drawdown_ratio == 0.05")
    yield place


def _export(place: Place) -> Troubled:
    yield place
    assert len(list((place.folder / "boards-to-import").glob("*.json"))) >= 12


def _lighter(place: Place) -> Troubled:
    """A stack as it is shipped: the other one is hurried by --interval, which would win."""
    other = place.with_(XDG_DATA_HOME=str(place.folder / "lighter"))
    try:
        assert other.run(f"otel-trading up --native {_free_ports()}").returncode == 0
        yield other
        found = json.loads(loopback.ask(f"{other.stack.urls['prometheus']}/api/v1/status/config"))["data"]["yaml"]
        assert "scrape_interval: 30s" in found
    finally:
        down(home=other.home)


TROUBLES: dict[str, tuple[Callable[[Place], Troubled], tuple[str, ...]]] = {
    "Is all of it well?": (_well, ("S2-33",)),
    "A part of the stack is down": (_down, ("S2-35",)),
    "A target is down": (_target, ("S1-49", "S1-50", "S2-35")),
    "A bot shows no data": (_silent, ("S2-35", "S3-57")),
    "One metric is missing": (_metric, ("S3-57", "S4-24")),
    "No alert comes": (_alert, ("S1-49", "S1-50", "S2-35")),
    "Boards are stale or empty": (_boards, ("S3-57",)),
    "Grafana does not answer": (_grafana, ("S1-49", "S1-50")),
    "Memory or series grow": (_memory, ("S1-50", "S3-57", "S4-24")),
    "A port is taken": (_port, ()),
    "Too many alerts, or too few": (_thresholds, ("S2-38",)),
    "Boards for another Grafana": (_export, ("S2-38",)),
    "Lighter on the machine": (_lighter, ("S1-52",)),
}


def test_each_trouble_of_the_guide_is_provoked() -> None:
    assert list(TROUBLES) == list(GUIDE)
    assert default_home().name == "otel-trading"  # where the commands look, below XDG_DATA_HOME


@pytest.mark.parametrize(
    ("trouble", "steps"),
    [
        pytest.param(trouble, GUIDE[title], id=title, marks=[pytest.mark.seed(*rows)] if rows else [])
        for title, (trouble, rows) in TROUBLES.items()
    ],
)
def test_a_command_shows_what_the_guide_says(
    place: Place, trouble: Callable[[Place], Troubled], steps: list[Step]
) -> None:
    troubled = trouble(place)
    try:
        for step in steps:
            done = next(troubled).run(step.command)
            assert missing(step.shown, done.stdout) == [], done.stdout
            assert done.returncode in {0, 1, 3}, done.stdout
        assert next(troubled, None) is None, "the trouble has more steps than the guide"
    finally:
        troubled.close()
