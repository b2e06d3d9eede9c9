"""Rendering: what is shipped is renewed, what is the user's stays."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from otel_trading.errors import StackError
from otel_trading.stack import config, launches
from otel_trading.stack._files import shipped
from otel_trading.stack.ports import Ports

if TYPE_CHECKING:
    from otel_trading.stack.state import Kind


def _render(home: Path, interval: str | None = None) -> Path:
    return config.render(home, ports=Ports.free(), kind="native", interval=interval)


def test_what_is_no_longer_shipped_goes_and_what_is_the_users_stays(tmp_path: Path) -> None:
    folder = _render(tmp_path)
    stale = folder / "alerts" / "rules" / "retired.yaml"
    own = [folder / "my-rules" / "a.yaml", folder / "bots" / "b.yaml", folder / "my-boards" / "c.json"]
    own += [tmp_path / "secrets" / "alerts" / "slack_url"]
    for file in (stale, *own):
        file.write_text("https://hooks.example/mine")
    password = config.password_file(tmp_path).read_text()
    _render(tmp_path)
    assert not stale.exists()
    assert [file.read_text() for file in own] == ["https://hooks.example/mine"] * 4
    assert config.password_file(tmp_path).read_text() == password


def test_what_stays_the_same_is_left_alone_for_those_who_watch_it(tmp_path: Path) -> None:
    ports = Ports.free()
    targets = config.render(tmp_path, ports=ports, kind="native") / "collector" / "targets"
    before = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in (targets, *targets.iterdir())}
    config.render(tmp_path, ports=ports, kind="native")
    assert {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in (targets, *targets.iterdir())} == before
    assert not list(tmp_path.glob("tmp*"))


def test_the_layout_is_that_of_the_repository(tmp_path: Path) -> None:
    folder = _render(tmp_path)
    for name in ("collector/config.yaml", "collector/prometheus.yaml", "alerts/alertmanager.yaml"):
        assert (folder / name).read_text() == shipped(name).read_text()


def test_secrets_are_for_this_user_only(tmp_path: Path) -> None:
    _render(tmp_path)
    password = config.password_file(tmp_path)
    assert password.stat().st_mode & 0o777 == 0o600
    assert password.parent.stat().st_mode & 0o777 == 0o700


def test_hurrying_leaves_no_slow_interval_between_event_and_notification(tmp_path: Path) -> None:
    folder = _render(tmp_path, interval="2s")
    alerts = folder / "alerts"
    files = [folder / "collector" / "prometheus.yaml", alerts / "thresholds.yaml", *(alerts / "rules").iterdir()]
    intervals = re.findall(r"(?m)^\s*\w*interval: (\S+)", "".join(file.read_text() for file in files))
    assert set(intervals) == {"2s"}
    routing = (alerts / "alertmanager.yaml").read_text()
    assert set(re.findall(r"group_wait: (\S+)", routing)) == {"2s"}
    assert set(re.findall(r"group_interval: (\S+)", routing)) == {"5s"}


def test_a_home_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("in the way")
    with pytest.raises(StackError, match=r"Cannot write the stack's home .* choose another: --home PATH"):
        _render(tmp_path)


def test_a_backend_takes_traces_and_logs_only_when_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STACK_BACKEND_ENDPOINT", "STACK_TRACES_EXPORTER", "STACK_LOGS_EXPORTER"):
        monkeypatch.delenv(name, raising=False)
    assert config.backend_variables() == {}
    monkeypatch.setenv("STACK_BACKEND_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("STACK_LOGS_EXPORTER", "file/logs")
    assert config.backend_variables() == {
        "STACK_TRACES_EXPORTER": "otlp_http/backend",
        "STACK_LOGS_EXPORTER": "file/logs",
    }


def test_a_missing_shipped_file_is_named() -> None:
    with pytest.raises(StackError, match=r"lacks its file nowhere\.yaml"):
        shipped("nowhere.yaml")


@pytest.mark.seed("S3-46")
def test_one_call_writes_configuration_rules_and_boards(tmp_path: Path) -> None:
    folder = _render(tmp_path)
    for room in ("collector/prometheus.yaml", "collector/config.yaml", "alerts/rules", "dashboards/json"):
        assert _texts(folder / room) == _texts(shipped(room))
    assert {"otel-trading-overview.json", "otel-trading-service.json"} <= set(_texts(folder / "dashboards" / "json"))


def _texts(room: Path) -> dict[str, str]:
    files = [room] if room.is_file() else sorted(room.iterdir())
    return {file.name: file.read_text() for file in files}


@pytest.mark.seed("S0-36")
@pytest.mark.parametrize("kind", ["native", "docker"])
def test_grafana_finds_its_data_source_and_every_board_by_itself(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = config.render(tmp_path, ports=Ports(), kind=kind)
    settings = _of_compose(folder) if kind == "docker" else _of_native(tmp_path, monkeypatch)
    provisioning = Path(settings["GF_PATHS_PROVISIONING"])

    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert (source["url"], source["isDefault"]) == ("$STACK_PROMETHEUS_URL", True)
    assert settings["STACK_PROMETHEUS_URL"].startswith("http://")
    ours, mine = yaml.safe_load((provisioning / "dashboards" / "otel-trading.yaml").read_text())["providers"]
    assert ours["folder"] == "otel-trading"
    assert "folder" not in mine, "Grafana makes no folders of folders where one is named"
    boards = [json.loads(file.read_text()) for file in _place(ours, settings).glob("*.json")]
    assert len({board["uid"] for board in boards}) == len(boards) == len(_texts(shipped("dashboards/json")))
    assert _place(mine, settings) == folder / "my-boards"
    assert list((folder / "my-boards").iterdir()) == []


def _place(provider: dict[str, Any], settings: dict[str, str]) -> Path:
    return Path(settings[provider["options"]["path"].removeprefix("$")])


def _of_native(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    grafana = home / "grafana"
    for file in (grafana / "bin" / "grafana", grafana / "conf" / "defaults.ini"):
        file.parent.mkdir(parents=True)
        file.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(grafana / "bin"))
    launch = launches._grafana(home, Ports())
    assert launch is not None
    return dict(launch.environment)


def _of_compose(folder: Path) -> dict[str, str]:
    """What the container is told, with the places on this machine that it sees there."""
    grafana = yaml.safe_load((folder / "compose.yaml").read_text())["services"]["grafana"]
    mounts = [volume.split(":")[:2] for volume in grafana["volumes"] if volume.startswith("./")]
    settings = {name: str(value) for name, value in grafana["environment"].items()}
    for here, there in mounts:
        settings = {name: value.replace(there, str(folder / here)) for name, value in settings.items()}
    return settings
