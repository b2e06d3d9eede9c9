"""Retention and intervals: what may be said, where it ends up, and that it is neither lost nor half there."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
import yaml

from otel_trading.errors import ConfigError, StackError
from otel_trading.stack import Ports, config, settings, up
from otel_trading.stack._files import rule_files, shipped
from stack_support import quiet

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack.state import Kind

_FILE = "config/settings/prometheus.json"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("retention_time", "30"),
        ("retention_time", "d"),
        ("retention_time", ""),
        ("retention_time", "12h"),
        ("retention_time", "-1d"),
        ("retention_time", "1.5d"),
        ("retention_time", "30 d"),
        ("retention_time", "30d\n"),
        ("retention_time", "11y"),
        ("retention_time", "\u0663\u0660d"),
        ("retention_time", "0d"),
        ("retention_size", "10"),
        ("retention_size", "10gb"),
        ("retention_size", "10MB"),
        ("retention_size", "999999999999999TB"),
        ("scrape_interval", "31s"),
        ("scrape_interval", "500ms"),
        ("evaluation_interval", "2m"),
        ("evaluation_interval", "0s"),
    ],
)
def test_what_cannot_be_used_is_a_sentence_and_leaves_nothing(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=r"Allowed: a whole number with one of .* such as .*\. Correct it\."):
        up(home=tmp_path, kind="native", settings={name: text}, progress=quiet())
    assert [path.name for path in tmp_path.iterdir()] == ["up.lock"]


@pytest.mark.parametrize("kind", ["native", "docker"])
def test_servers_and_containers_read_what_was_said(tmp_path: Path, kind: Kind) -> None:
    said = {"retention_time": "30d", "retention_size": "50GB", "scrape_interval": "10s", "evaluation_interval": "30s"}
    with settings.remember(tmp_path, said):
        folder = config.render(tmp_path, ports=Ports.free(), kind=kind)
    document = yaml.safe_load((folder / "collector" / "prometheus.yaml").read_text())
    assert {one.name: one.read(document) for one in settings.ALL} == said


def test_the_defaults_are_those_of_the_shipped_file_and_are_allowed() -> None:
    document = yaml.safe_load(shipped("collector/prometheus.yaml").read_text())
    assert [one.default for one in settings.ALL] == [one.read(document) for one in settings.ALL]
    for one in settings.ALL:
        assert one.amount(one.default)


def test_the_slowest_scrape_still_gives_each_window_two_samples() -> None:
    windows = {text for file in rule_files() for text in re.findall(r"\[(\d+)s\]", file.read_text())}
    windows |= {f"{60 * int(text)}" for file in rule_files() for text in re.findall(r"\[(\d+)m\]", file.read_text())}
    scrape = next(one for one in settings.ALL if one.name == "scrape_interval")
    assert min(map(int, windows)) >= 2 * scrape.amount(scrape.most)


def test_nothing_is_read_later_than_it_is_kept() -> None:
    """Late samples are taken for so long, and would be deleted at once."""
    kept = next(one for one in settings.ALL if one.name == "retention_time")
    document = yaml.safe_load(shipped("collector/prometheus.yaml").read_text())
    assert kept.amount(document["storage"]["tsdb"]["out_of_order_time_window"]) >= kept.amount(kept.least)


def test_a_stack_that_did_not_start_remembers_what_held_before(tmp_path: Path) -> None:
    with settings.remember(tmp_path, {"retention_time": "30d"}):
        pass
    with pytest.raises(ZeroDivisionError), settings.remember(tmp_path, {"retention_time": "2d"}):
        raise ZeroDivisionError
    assert settings.remembered(tmp_path) == {"retention_time": "30d"}


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"retention_time": "3"}', '{"retained": "3d"}', '{"retention_time": 3}']
)
def test_a_damaged_file_is_a_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / _FILE
    file.parent.mkdir(parents=True)
    file.write_text(text)
    with pytest.raises(StackError, match=r"is not what `otel-trading up` wrote .* Remove it, then say again"):
        up(home=tmp_path, kind="native", progress=quiet())


def test_less_history_is_said_aloud() -> None:
    (line,) = settings.said({"retention_time": "30d"}, {"retention_time": "2w", "retention_size": "20GB"})
    assert line == "Prometheus keeps 2w instead of 30d from now on, and deletes what is beyond."


def test_an_interval_that_would_change_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--scrape-interval would change nothing: this stack looks every 1s"):
        up(home=tmp_path, kind="native", evaluation_interval="1s", settings={"scrape_interval": "5s"}, progress=quiet())
    assert not (tmp_path / _FILE).exists()


def test_it_is_written_whole_and_readable(tmp_path: Path) -> None:
    with settings.remember(tmp_path, {"retention_time": "30d"}):
        pass
    assert json.loads((tmp_path / _FILE).read_text()) == {"retention_time": "30d"}
    assert [path.name for path in (tmp_path / _FILE).parent.iterdir()] == ["prometheus.json"]
