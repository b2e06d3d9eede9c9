"""The Collector's wall against secrets is the SDK's: the same patterns, on every place of every signal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from otel_trading import _secrets
from otel_trading.stack import second_wall

TEXT: Final = (Path(__file__).parents[3] / "collector/config.yaml").read_text("utf-8")
CONFIG: Final[dict[str, Any]] = yaml.safe_load(TEXT)


def test_the_wall_is_what_the_patterns_of_the_sdk_make_it() -> None:
    assert second_wall.render(TEXT) == TEXT, "run: python -m otel_trading.stack.second_wall"


def test_a_changed_pattern_changes_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_secrets, "LEFT_OUT", "(new)")
    assert second_wall.render(TEXT) != TEXT


@pytest.mark.parametrize(
    ("signal", "places"),
    [
        ("metric", ["resource", "datapoint"]),
        ("trace", ["resource", "span", "spanevent", "span"]),
        ("log", ["resource", "log", "log"]),
    ],
)
def test_every_place_of_a_signal_is_behind_the_wall(signal: str, places: list[str]) -> None:
    groups = CONFIG["processors"]["transform/secrets"][f"{signal}_statements"]

    assert [group["context"] for group in groups] == places
    assert all(group["statements"] for group in groups)
    assert "transform/secrets" in CONFIG["service"]["pipelines"][f"{signal}s"]["processors"]


def _deleted(signal: str, place: str) -> re.Pattern[str]:
    """The names that the wall deletes in a place."""
    groups = CONFIG["processors"]["transform/secrets"][f"{signal}_statements"]
    of_place = [one for group in groups if group["context"] == place for one in group["statements"]]
    (statement,) = (one for one in of_place if "_keys" in one)
    return re.compile(statement.split('"')[1].replace("$$", "$").replace("\\\\", "\\"))


@pytest.mark.parametrize("name", ["token", "quote_token", "sign", "otp", "bot_signal", "session_passed"])
def test_a_label_that_may_name_an_asset_stays_on_a_metric(name: str) -> None:
    assert not _deleted("metric", "datapoint").search(name)


@pytest.mark.parametrize("name", ["api_key", "access_token", "http.request.header.ok-access-sign", "password"])
def test_a_label_that_can_only_be_a_secret_does_not(name: str) -> None:
    assert _deleted("metric", "datapoint").search(name)


def test_elsewhere_a_token_goes() -> None:
    for signal, place in (("metric", "resource"), ("trace", "spanevent")):
        assert _deleted(signal, place).search("token")
