"""The Collector's wall against secrets is the SDK's: the same patterns, on every place of every signal."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from otel_trading import _secrets

CONFIG: Final[dict[str, Any]] = yaml.safe_load((Path(__file__).parents[3] / "collector/config.yaml").read_text("utf-8"))
WALL: Final = CONFIG["processors"]["transform/secrets"]


def _quoted(pattern: str) -> str:
    """As OTTL writes a text, in a file in which a dollar begins a variable."""
    return '"' + pattern.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$") + '"'


ALL_MASKED: Final = "|".join(pattern for _, pattern in _secrets.MASKED)
GROUPS: Final = "".join(f"$${number}" for number in range(1, len(_secrets.MASKED) + 1))
REPLACED: Final = (
    f'{_quoted(_secrets.LEFT_OUT)}, "$$1")',
    f'{_quoted(ALL_MASKED)}, "{GROUPS}{_secrets.MASK}")',
)


@pytest.mark.parametrize(
    ("signal", "places"),
    [
        ("metric", ["resource", "datapoint"]),
        ("trace", ["resource", "span", "spanevent", "span"]),
        ("log", ["resource", "log", "log"]),
    ],
)
def test_every_place_of_a_signal_is_behind_the_wall(signal: str, places: list[str]) -> None:
    assert [group["context"] for group in WALL[f"{signal}_statements"]] == places
    assert "transform/secrets" in CONFIG["service"]["pipelines"][f"{signal}s"]["processors"]


def test_attributes_lose_what_the_sdk_takes_from_them() -> None:
    assert WALL["metric_statements"][0]["statements"] == [
        f"delete_matching_keys(attributes, {_quoted(_secrets.NAMES)})",
        'delete_key(attributes, "url.query")',
        'delete_key(attributes, "process.command_args")',
        *(f'replace_all_patterns(attributes, "value", {replaced}' for replaced in REPLACED),
    ]
    own = [group["statements"] for signal in WALL if signal != "error_mode" for group in WALL[signal]]
    assert own.count(own[0]) == 7, "the same for every place that has attributes"


def test_texts_lose_what_the_sdk_takes_from_them() -> None:
    assert WALL["trace_statements"][-1]["statements"] == [
        f"replace_pattern({place}, {replaced}" for place in ("name", "status.message") for replaced in REPLACED
    ]
    assert WALL["log_statements"][-1]["statements"] == [
        *(f"replace_pattern(body, {replaced} where IsString(body)" for replaced in REPLACED),
        *(f'replace_all_patterns(body, "value", {replaced} where IsMap(body)' for replaced in REPLACED),
    ]
