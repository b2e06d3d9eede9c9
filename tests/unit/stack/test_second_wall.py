"""The Collector's wall against secrets is the SDK's: the same patterns, on every place of every signal."""

from __future__ import annotations

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
