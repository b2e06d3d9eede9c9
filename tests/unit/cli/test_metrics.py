"""`otel-trading metrics`: the convention, for people and programs."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from otel_trading import semconv
from otel_trading.cli import cli


def _metrics(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["metrics", *arguments])


def test_json_is_the_whole_convention() -> None:
    rows = json.loads(_metrics("--json").stdout)

    assert [row["name"] for row in rows] == [metric.name for metric in semconv.ALL]
    for row, metric in zip(rows, semconv.ALL, strict=True):
        assert (row["prometheus"], row["series"], row["unit"]) == (
            metric.prometheus,
            list(metric.series),
            str(metric.unit),
        )
        assert row["attributes"] == {use.attribute.name: use.level.value for use in metric.uses}
        assert row["boundaries"] == list(metric.boundaries)


@pytest.mark.parametrize("pattern", ["trading.order.", "trading_order_"])
def test_a_pattern_finds_by_either_name(pattern: str) -> None:
    found = {row["name"] for row in json.loads(_metrics("--json", pattern).stdout)}

    assert found
    assert found == {metric.name for metric in semconv.ALL if metric.name.startswith("trading.order.")}


def test_a_pattern_that_finds_nothing_is_a_finding() -> None:
    done = _metrics("nothing-like-this")

    assert done.exit_code == 1
    assert done.stderr == "No metric contains 'nothing-like-this'. All of them: otel-trading metrics\n"


def test_the_table_for_people_is_never_wrapped_within_a_name() -> None:
    done = _metrics()

    assert done.exit_code == 0
    assert all(metric.name in done.stdout and metric.prometheus in done.stdout for metric in semconv.ALL)


def test_markdown_is_the_reference() -> None:
    done = _metrics("--markdown")

    assert done.exit_code == 0
    assert all(f"### {metric.name}\n" in done.stdout for metric in semconv.ALL)
