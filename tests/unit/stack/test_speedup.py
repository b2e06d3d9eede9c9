"""Rules in a hurry: their durations and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from otel_trading.errors import StackError
from otel_trading.stack import config, launches, up
from otel_trading.stack.ports import Ports
from otel_trading.stack.speedup import lookback, speed_up
from otel_trading.stack.state import State

SHIPPED = sorted((Path(__file__).parents[3] / "alerts" / "rules").glob("*.yaml"))


def expression(promql: str, times: float = 60) -> str:
    """Return what becomes of an expression."""
    rules = yaml.safe_load(speed_up(f"rules:\n  - record: a\n    expr: |\n      {promql}\n", times))
    return str(rules["rules"][0]["expr"]).strip()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("rate(x[10m])", "rate(x[10s])"),
        ("rate(x[1h30m])", "rate(x[90s])"),
        ("max_over_time(x[1d:1h])", "max_over_time(x[1440s:60s])"),
        ("max_over_time(x[1d:])", "max_over_time(x[1440s:])"),
        ("x offset 10m", "x offset 10s"),
        ("x offset -10m", "x offset -10s"),
        ("predict_linear(x[30m], 1h)", "predict_linear(x[30s], 60s)"),
        ("x > 3600", "x > 3600"),
        ("strategy:x:ratio_increase10m", "strategy:x:ratio_increase10m"),
        ("strategy:x:10m", "strategy:x:10m"),
        ("x{window=\"10m\", other='10m'}", "x{window=\"10m\", other='10m'}"),
        ('x{window="a \\"10m"}[10m]', 'x{window="a \\"10m"}[10s]'),
        ("x # 10m", "x # 10m"),
        ("1e3 > 0x5d", "1e3 > 0x5d"),
    ],
)
def test_only_durations_of_an_expression_are_divided(before: str, after: str) -> None:
    assert expression(before) == after


@pytest.mark.parametrize(
    ("before", "times", "after"),
    [
        ("5m", 60, "5s"),
        ("5m", 600, "5s"),
        ("3s", 60, "3s"),
        ("0s", 60, "0s"),
        ("7m", 50, "8400ms"),
        ("500ms", 2, "500ms"),
    ],
)
def test_nothing_becomes_shorter_than_five_seconds(before: str, times: float, after: str) -> None:
    assert expression(f"rate(x[{before}])", times) == f"rate(x[{after}])"


def test_waits_are_divided_and_texts_are_not() -> None:
    text = "Silent for: 10m, see [10m] and offset 10m."
    rule = {"alert": "A", "expr": "x > 1", "for": "10m", "keep_firing_for": "1h", "annotations": {"description": text}}
    (after,) = yaml.safe_load(speed_up(yaml.safe_dump([rule]), 60))
    assert after == {**rule, "for": "10s", "keep_firing_for": "60s"}


def _without_durations(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: re.sub(r"\d+(ms|[smhdwy])", "?", item)
            if key in {"expr", "for", "keep_firing_for"}
            else _without_durations(item)
            for key, item in value.items()
        }
    return [_without_durations(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_rules_keep_everything_else(file: Path) -> None:
    before, after = file.read_text(), speed_up(file.read_text(), 60)
    assert _without_durations(yaml.safe_load(after)) == _without_durations(yaml.safe_load(before))
    windows = [rule["expr"] for group in yaml.safe_load(after)["groups"] for rule in group["rules"]]
    assert not [found for expr in windows for found in re.findall(r"\[\d+[mhd][:\]]", expr)]


def test_a_stack_has_the_shipped_rules_unless_asked(tmp_path: Path) -> None:
    usual = config.render(tmp_path / "usual", ports=Ports.free(), kind="native", interval="1s")
    fast = config.render(tmp_path / "fast", ports=Ports.free(), kind="native", interval="1s", speedup=60)
    assert "for: 30s" in (usual / "alerts" / "rules" / "venue.yaml").read_text()
    assert "for: 30s" not in (fast / "alerts" / "rules" / "venue.yaml").read_text()


def test_what_is_no_longer_sent_is_gone_sooner_too(tmp_path: Path) -> None:
    assert [lookback(times) for times in (1, 10, 60, 1000)] == ["300s", "30s", "15s", "15s"]
    tools = dict.fromkeys(("alertmanager", "prometheus", "otelcol"), tmp_path)
    plan = launches.plan(tmp_path, Ports.free(), tools, "1s", None, speedup=10)
    (prometheus,) = [launch for launch in plan if launch.name == "prometheus"]
    assert "--query.lookback-delta=30s" in prometheus.command


def test_a_stack_is_not_taken_for_one_of_another_speed(tmp_path: Path) -> None:
    State("native", Ports.free(), "1s", 60).save(tmp_path)
    with pytest.raises(StackError, match=r"60 times as fast .* 1 times was asked for.*otel-trading down"):
        up(home=tmp_path, speedup=1)
