"""Upgrade: the documented commands, on a stack that an older version has left; and the way back."""

from __future__ import annotations

import json
import re
import shlex
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from otel_trading import __version__
from otel_trading.cli import cli
from otel_trading.errors import StackError
from otel_trading.stack import Ports, Stack, down, find, launches, silences, status, up
from otel_trading.stack._files import shipped
from otel_trading.stack.state import State
from stack_support import metric, post, prometheus_query, quiet, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]

_OLD = {"prometheus": "3.14.0", "alertmanager": "0.34.0", "collector": "0.160.0"}


def _documented(title: str) -> list[list[str]]:
    """The commands of ours in a block of the guide."""
    text = shipped("collector/README.md").read_text(encoding="utf-8")
    (block,) = re.findall(rf"<!-- {title} -->\n```sh\n(.*?)```", text, re.DOTALL)
    lines = (shlex.split(line, comments=True) for line in block.splitlines())
    return [words[1:] for words in lines if words[:1] == ["otel-trading"]]


def _do(words: list[str], home: Path, *more: str) -> None:
    done = CliRunner().invoke(cli, [*words, "--home", str(home), *more])
    assert done.exit_code == 0, (words, done.output, done.exception)


def _ports() -> list[str]:
    return [word for name, port in vars(Ports.free()).items() for word in ("--port", f"{name}={port}")]


def _start(home: Path, **said: str) -> Stack:
    return up(home=home, kind="native", ports=Ports.free(), evaluation_interval="1s", settings=said, progress=quiet())


def _pids(home: Path) -> dict[str, int | None]:
    return {one.service: one.pid for one in status(home=home)}


def _make_older(home: Path) -> None:
    """Leave the home as an older version would have: its state, its servers, its configuration."""
    state = json.loads(State.path(home).read_text())
    del state["version"]  # the first ones noted none
    for service in state["services"]:
        service["version"] = _OLD.get(service["name"], "0.0.9")
        del service["launch"]
    State.path(home).write_text(json.dumps(state))
    noted = home / "data" / "versions" / "versions.json"
    noted.write_text(json.dumps({"otel-trading": "0.0.9", **_OLD}))
    config = home / "config"
    (config / "alerts" / "rules" / "retired.yaml").write_text("groups: []\n")
    prometheus = config / "collector" / "prometheus.yaml"
    prometheus.write_text(
        prometheus.read_text().replace("out_of_order_time_window: 24h", "out_of_order_time_window: 1h")
    )


@contextmanager
def _bot(stack: Stack) -> Iterator[list[int]]:
    """Send one total after the other; those that the Collector took are in the list."""
    url, begun, taken, ended = f"{stack.otlp_endpoint}/v1/metrics", time.time_ns(), [0], threading.Event()

    def _run() -> None:
        while not ended.wait(0.05):
            # The Collector is being replaced: as the SDK does, try again.
            with suppress(OSError):
                post(url, metric("worker", "events", taken[-1] + 1, begun), timeout=5)
                taken.append(taken[-1] + 1)

    thread = threading.Thread(target=_run)
    thread.start()
    try:
        yield taken
    finally:
        ended.set()
        thread.join(10)


def _held(stack: Stack) -> list[float]:
    found = prometheus_query(stack, '{job="worker",__name__=~"events.*"}[1h]')
    return [float(value) for one in found for _, value in one["values"]]


@pytest.mark.seed("S2-37", "S4-23")
def test_the_documented_upgrade_keeps_data_silences_and_every_sample_meanwhile(
    stack_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    staging = tmp_path / "staging"
    first = _start(stack_home, retention_time="90d")
    kept = silences.add(
        first.urls["alertmanager"], {"venue": "kraken"}, lasting=timedelta(hours=2), why="kept", author="test"
    )
    _make_older(stack_home)
    before = _pids(stack_home)
    # backup here; restore, up, status, doctor and down in staging; up, status, doctor here
    here_first, *there, up_here, status_here, doctor_here = _documented("upgrade")
    assert [words[0] for words in there] == ["restore", "up", "status", "doctor", "down"]
    try:
        with _bot(first) as taken:
            wait_until(lambda: _held(first), 20, "the first sample")
            _do(here_first, stack_home)
            for words in there:
                _do(words, staging, *([*_ports(), "--native", "--interval", "1s"] if words[0] == "up" else []))
            _do(up_here, stack_home)
            _do(status_here, stack_home)
            _do(doctor_here, stack_home)
            upgraded = len(taken)
            wait_until(lambda: len(taken) > upgraded + 5, 10, "samples after the upgrade")
        wait_until(lambda: taken[-1] in _held(first), 20, "the last sample")
    finally:
        down(home=staging)

    assert _held(first) == sorted(_held(first))
    assert set(taken[1:]) <= set(_held(first))
    after = _pids(stack_home)
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())
    assert {one.id for one in silences.current(first.urls["alertmanager"])} == {kept.id}
    folder = stack_home / "config"
    assert not (folder / "alerts" / "rules" / "retired.yaml").exists()
    assert "out_of_order_time_window: 24h" in (folder / "collector" / "prometheus.yaml").read_text()
    settings = next(one.settings for one in status(home=stack_home) if one.service == "prometheus")
    assert settings["retention_time"] == "90d"
    assert up(home=stack_home, progress=quiet()).started is False


def test_only_what_was_started_in_another_way_is_replaced(stack_home: Path) -> None:
    _start(stack_home)
    before = _pids(stack_home)
    state = State.load(stack_home)
    assert state is not None
    state.services = [
        replace(one, version="0.34.0", launch="") if one.name == "alertmanager" else one for one in state.services
    ]
    state.save(stack_home)
    up(home=stack_home, progress=quiet())
    after = _pids(stack_home)
    assert {name for name in after if after[name] != before[name]} == {"alertmanager"}


def test_an_upgrade_that_is_refused_leaves_what_runs(stack_home: Path) -> None:
    _start(stack_home)
    _make_older(stack_home)
    before = _pids(stack_home)
    (stack_home / "config" / "my-rules" / "mine.yaml").write_text("groups: [")
    with pytest.raises(StackError, match=r"is refused by promtool"):
        up(home=stack_home, progress=quiet())
    assert _pids(stack_home) == before
    assert {one.state for one in status(home=stack_home)} == {"healthy"}
    noted = json.loads((stack_home / "data" / "versions" / "versions.json").read_text())
    assert noted["prometheus"] == _OLD["prometheus"]  # nothing newer has written: going back is free


def test_a_successor_that_does_not_start_ends_no_other_and_the_next_up_goes_on(
    stack_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _start(stack_home)
    _make_older(stack_home)
    plan = launches.plan

    def _broken(*args: Any, **kwargs: Any) -> list[launches.Launch]:
        return [
            replace(one, command=[*one.command, "--no-such-flag"]) if one.name == "prometheus" else one
            for one in plan(*args, **kwargs)
        ]

    with monkeypatch.context() as patched:
        patched.setattr(launches, "plan", _broken)
        with pytest.raises(StackError, match=r"(?s)prometheus ended right after its start.*no-such-flag"):
            up(home=stack_home, progress=quiet())
    assert {one.service for one in status(home=stack_home) if one.state == "healthy"} >= {"collector", "alertmanager"}
    again = up(home=stack_home, progress=quiet())
    assert again.started
    assert {(one.service, one.state) for one in status(home=stack_home)} >= {("prometheus", "healthy")}


@pytest.mark.seed("S2-37")
def test_an_older_version_refuses_what_a_newer_one_wrote_until_a_backup_is_restored(
    stack_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    running = _start(stack_home)
    post(f"{running.otlp_endpoint}/v1/metrics", metric("worker", "events", 1))
    wait_until(lambda: _held(running), 20, "a sample")
    _do(["backup", "before.tar"], stack_home)
    down_first, restore, up_last = _documented("back")
    _do(down_first, stack_home)
    noted = stack_home / "data" / "versions" / "versions.json"
    noted.write_text(json.dumps({"otel-trading": "9.9.0", "prometheus": "99.0.0"}))

    refused = CliRunner().invoke(cli, [*up_last, "--native", "--home", str(stack_home)])
    assert isinstance(refused.exception, StackError)
    assert re.search(r"written by prometheus 99\.0\.0;.*Install otel-trading 9\.9\.0 again, or", str(refused.exception))
    assert status(home=stack_home) == []
    _do(restore, stack_home)
    _do(up_last, stack_home, *_ports(), "--native")
    assert _held(find(home=stack_home))[-1] == 1


def test_a_backup_that_newer_servers_wrote_is_not_restored(stack_home: Path, tmp_path: Path) -> None:
    (stack_home / "data" / "prometheus").mkdir(parents=True)
    noted = stack_home / "data" / "versions" / "versions.json"
    noted.parent.mkdir()
    noted.write_text(json.dumps({"alertmanager": "1.0.0"}))
    _do(["backup", str(tmp_path / "newer.tar")], stack_home)
    other = tmp_path / "other"
    refused = CliRunner().invoke(cli, ["restore", str(tmp_path / "newer.tar"), "--home", str(other)])
    assert "written by alertmanager 1.0.0" in str(refused.exception)
    assert [path.name for path in other.iterdir()] == ["up.lock"]


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_damaged_note_of_versions_is_a_sentence(stack_home: Path, text: str) -> None:
    noted = stack_home / "data" / "versions" / "versions.json"
    noted.parent.mkdir(parents=True)
    noted.write_text(text)
    with pytest.raises(StackError, match=r"versions\.json is not what `otel-trading up` wrote .* Remove it, then"):
        up(home=stack_home, kind="native", progress=quiet())


def test_a_stack_that_a_newer_version_started_is_not_driven(stack_home: Path) -> None:
    stack_home.mkdir()
    state = {"kind": "native", "ports": {}, "services": [{"name": "prometheus", "wheel": "new"}], "version": "9.9.0"}
    State.path(stack_home).write_text(json.dumps(state))
    with pytest.raises(StackError, match=rf"started by otel-trading 9\.9\.0; this is {re.escape(__version__)}"):
        up(home=stack_home, progress=quiet())
    State.path(stack_home).unlink()
