"""`otel-trading backup` of a stack that runs, and `restore` in another home: all of it is there again."""

from __future__ import annotations

import io
import json
import os
import signal
import stat
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from alert_support import endpoints, secret
from otel_trading.cli import cli
from otel_trading.errors import ConfigError, StackError
from otel_trading.stack import Ports, backup, down, silences, status, up
from stack_support import metric, post, prometheus_query, quiet, wait_until

if TYPE_CHECKING:
    from otel_trading.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]

_SLACK, _MINE = "/slack", Path("config", "my-rules", "thresholds.yaml")
_PAGE = {"alertname": "Told", "severity": "critical", "team": "trading", "service_name": "bot"}


def _cli(command: str, *arguments: object, home: Path) -> Result:
    return CliRunner().invoke(cli, [command, *map(str, arguments), "--home", str(home)])


def _done(command: str, *arguments: object, home: Path) -> dict[str, Any]:
    done = _cli(command, *arguments, "--json", home=home)
    assert done.exit_code == 0, (done.output, done.exception)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _samples(stack: Stack) -> dict[str, Any]:
    found = prometheus_query(stack, '{job="kept"}[1h]')
    return {json.dumps(one["metric"], sort_keys=True): one["values"] for one in found}


def _tell(stack: Stack) -> None:
    assert post(f"{stack.urls['alertmanager']}/api/v2/alerts", [{"labels": _PAGE}]) == 200


def _start(home: Path, **said: str) -> Stack:
    return up(home=home, kind="native", ports=Ports.free(), evaluation_interval="1s", settings=said, progress=quiet())


@pytest.mark.seed("S2-36", "S3-59")
def test_what_a_stack_stored_comes_back_in_another_home(stack_home: Path, tmp_path: Path) -> None:
    other, file = tmp_path / "other", tmp_path / "kept.tar"
    with endpoints() as services:
        try:
            secret(stack_home, "slack_url", f"{services.url}{_SLACK}")
            first = _start(stack_home, retention_time="90d")
            _done("alerts", "--set", "order_rejection_ratio=0.05", "--why", "kept", home=stack_home)
            begun = time.time_ns()
            for number in range(1, 21):
                post(f"{first.otlp_endpoint}/v1/metrics", metric("kept", "events", number, begun))
            wait_until(lambda: max((len(one) for one in _samples(first).values()), default=0) > 19, 20, "the samples")
            _tell(first)
            services.take(_SLACK, timeout=20)
            made = _done("silence", "--venue", "kraken", "--for", "2h", "--why", "kept", home=stack_home)

            said = _done("backup", file, home=stack_home)
            before = _samples(first)
            assert {one.state for one in status(home=stack_home)} == {"healthy"}
            down(home=stack_home)
            assert said["channels"] == ["slack"]
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert services.url.encode() not in file.read_bytes()  # the channel's secret

            secret(other, "slack_url", f"{services.url}{_SLACK}")
            assert _done("restore", file, home=other)["replaced"] is None
            second = _start(other)
            kept = next(one.settings for one in status(home=other) if one.service == "prometheus")
            assert kept["retention_time"] == "90d"  # or restored history would be deleted
            assert _samples(second) == before
            assert [(one.id, one.why) for one in silences.current(second.urls["alertmanager"])] == [
                (made["id"], "kept")
            ]
            assert (other / _MINE).read_text() == (stack_home / _MINE).read_text()
            mine = "trading:threshold:order_rejection_ratio == 0.05"
            wait_until(lambda: prometheus_query(second, mine), 20, "the own threshold")
            _tell(second)
            services.take_none([_SLACK], seconds=7)  # it was told before: longer than a group's round
        finally:
            down(home=other)


def test_a_restore_keeps_what_it_replaces_and_never_touches_a_stack_that_runs(stack_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "kept.tar"
    running = _start(stack_home)
    post(f"{running.otlp_endpoint}/v1/metrics", metric("kept", "events", 1))
    wait_until(lambda: _samples(running), 20, "a sample")
    _done("backup", file, home=stack_home)
    refused = _cli("restore", file, home=stack_home)
    assert isinstance(refused.exception, StackError)
    assert "End it first: otel-trading down" in str(refused.exception)

    prometheus = next(one.pid for one in status(home=stack_home) if one.service == "prometheus")
    assert prometheus is not None
    os.kill(prometheus, signal.SIGKILL)
    down(home=stack_home)
    (stack_home / "data" / "prometheus" / "wal" / "00000000").write_bytes(b"\0" * 99)
    replaced = Path(_done("restore", file, home=stack_home)["replaced"])
    assert (replaced / "data" / "prometheus" / "wal" / "00000000").read_bytes() == b"\0" * 99
    again = up(home=stack_home, kind="native", ports=running.ports, evaluation_interval="1s", progress=quiet())
    assert _samples(again)


def _copy(file: Path, to: Path, *, drop: str = "", add: str = "", flip: bool = False) -> Path:
    """Write the backup again, changed."""
    with tarfile.open(file) as source, tarfile.open(to, "w") as target:
        for entry in source:
            data = source.extractfile(entry)
            assert data is not None
            content = data.read()
            if flip and entry.name.startswith("data/prometheus/wal/0"):
                content = b"\1" + content[1:]
            if entry.name != drop:
                target.addfile(entry, io.BytesIO(content))
        if add:
            entry = tarfile.TarInfo(add)
            entry.size = 1
            target.addfile(entry, io.BytesIO(b"x"))
    return to


def test_a_backup_that_is_not_whole_changes_nothing(stack_home: Path, tmp_path: Path) -> None:
    wal = stack_home / "data" / "prometheus" / "wal" / "00000000"
    wal.parent.mkdir(parents=True)
    wal.write_bytes(b"a" * 40_000)
    file, other = tmp_path / "kept.tar", tmp_path / "other"
    _done("backup", file, home=stack_home)
    short = tmp_path / "short.tar"
    short.write_bytes(file.read_bytes()[:20_000])
    nothing = tmp_path / "nothing.tar"
    nothing.write_bytes(b"")
    bad = [
        short,
        nothing,
        _copy(file, tmp_path / "1.tar", flip=True),
        _copy(file, tmp_path / "2.tar", drop="data/prometheus/wal/00000000"),
        _copy(file, tmp_path / "3.tar", drop="manifest.json"),
        _copy(file, tmp_path / "4.tar", add="data/prometheus/../../../escaped"),
        _copy(file, tmp_path / "5.tar", add=str(tmp_path / "escaped")),
        _copy(file, tmp_path / "6.tar", add="config/alerts/alertmanager.yaml"),
    ]
    for one in bad:
        refused = _cli("restore", one, home=other)
        assert isinstance(refused.exception, ConfigError), one
        assert "Nothing was changed" in str(refused.exception)
        assert [path.name for path in other.iterdir()] == ["up.lock"]
    assert not list(tmp_path.rglob("escaped"))
    _done("restore", file, home=other)
    assert (other / "data" / "prometheus" / "wal" / "00000000").read_bytes() == wal.read_bytes()


@pytest.mark.parametrize("home", ["", "missing"])
def test_a_home_where_nothing_is_stored_is_a_sentence(tmp_path: Path, home: str) -> None:
    refused = _cli("backup", tmp_path / "file.tar", home=tmp_path / home)
    assert isinstance(refused.exception, StackError)
    assert "No stack has stored anything in" in str(refused.exception)
    assert not (tmp_path / "file.tar").exists()


def test_a_file_that_cannot_be_written_is_a_sentence(stack_home: Path, tmp_path: Path) -> None:
    (stack_home / "data" / "prometheus").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    refused = _cli("backup", tmp_path / "file" / "below.tar", home=stack_home)
    assert isinstance(refused.exception, StackError)
    assert "cannot be written" in str(refused.exception)


def test_what_prometheus_merged_meanwhile_is_copied_as_it_is_then(
    stack_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (stack_home / "data" / "prometheus" / (letter * 26) for letter in "ab")
    for block in (old, stack_home / "data" / "prometheus" / "wal"):
        block.mkdir(parents=True)
        (block / "meta.json").write_text("{}")
    copy = backup._add

    def _merges(tar: tarfile.TarFile, path: Path, name: str) -> tuple[str, int]:
        if old.exists() and path.parent == old:
            old.rename(new)
        return copy(tar, path, name)

    monkeypatch.setattr(backup, "_add", _merges)
    _done("backup", tmp_path / "file.tar", home=stack_home)
    with tarfile.open(tmp_path / "file.tar") as made:
        assert made.getnames() == [f"data/prometheus/{name}/meta.json" for name in ("wal", new.name)] + [
            "manifest.json"
        ]
