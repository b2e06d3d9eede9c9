"""The token for a Collector elsewhere: in the headers of what is exported, in no child's environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from otel_trading.errors import ConfigError
from otel_trading.sdk import readers, token

if TYPE_CHECKING:
    from pathlib import Path

_TOKEN = "t0ken-" + "x" * 40
_FILE = "OTEL_TRADING_OTLP_TOKEN_FILE"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "bot_token"
    made.write_text(f"{_TOKEN}\nan-older-one\n")
    made.chmod(0o600)
    monkeypatch.setenv(_FILE, str(made))
    for name in [name for name in os.environ if name.startswith("OTEL_EXPORTER_OTLP")]:
        monkeypatch.delenv(name)
    return made


def test_what_is_built_sends_it_and_the_environment_forgets_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert file.exists()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "tenant=desk")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "tenant=metrics")
    before = dict(os.environ)
    with token.in_headers():
        assert os.environ["OTEL_EXPORTER_OTLP_HEADERS"] == f"tenant=desk,authorization=Bearer%20{_TOKEN}"
        assert os.environ["OTEL_EXPORTER_OTLP_METRICS_HEADERS"] == f"tenant=metrics,authorization=Bearer%20{_TOKEN}"
    assert dict(os.environ) == before


def test_nothing_is_left_when_building_fails(file: Path) -> None:
    assert file.exists()
    before = dict(os.environ)
    with pytest.raises(RuntimeError), token.in_headers():
        raise RuntimeError
    assert dict(os.environ) == before


def test_without_a_file_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_FILE, "")
    before = dict(os.environ)
    with token.in_headers():
        assert dict(os.environ) == before
    token.check()


def test_a_worker_that_may_not_read_it_any_more_has_it(file: Path) -> None:
    token.check()
    file.unlink()
    with token.in_headers():
        assert _TOKEN in os.environ["OTEL_EXPORTER_OTLP_HEADERS"]


@pytest.mark.parametrize("content", ["", "\n", "Bearer abc\n", "a,b=c", "abc\x00", "tök\n"])
def test_a_file_that_holds_something_else_ends_the_start(file: Path, content: str) -> None:
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=f"{_FILE}: .*bot_token holds no token"):
        token.check()


def test_a_missing_or_open_file_ends_the_start(file: Path) -> None:
    file.chmod(0o644)
    with pytest.raises(ConfigError, match=r"can be read by other users .*chmod 600"):
        token.check()
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="it is not text"):
        token.check()
    file.unlink()
    with pytest.raises(ConfigError, match="No such file"):
        token.check()


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"])
def test_it_does_not_travel_in_clear(file: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert file.exists()
    for good in ("https://192.0.2.1:4318", "http://localhost:4318", "http://127.0.0.1:4318", "http://[::1]:4318"):
        monkeypatch.setenv(name, good)
        readers.check_standard()
        token.check()
    monkeypatch.setenv(name, "http://192.0.2.1:4318")
    with pytest.raises(ConfigError, match=f"{name} is 'http://192.0.2.1:4318', where the token .* in clear"):
        token.check()
