"""`otel-trading query` and `logs` on the real stack: every kind of result, and a sentence where there is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from otel_trading.cli import cli
from otel_trading.errors import ConfigError, StackError
from stack_support import prometheus_query, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack


def _run(command: str, argument: str, home: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, [command, argument, "--home", str(home), *options])


@pytest.mark.parametrize(
    ("promql", "shown"),
    [
        ("1 + 1", "2\n"),
        ('"a\x1b[2J"', "a\N{REPLACEMENT CHARACTER}[2J\n"),
        ('label_replace(vector(7), "a", "x\x1b\\"", "", "")', '{a="x\\u001b\\""} 7\n'),
        ('last_over_time(vector(3)[3s:1s]) + 0 * up{job="prometheus"}', ""),
    ],
)
def test_each_kind_of_result_is_a_line(stack: Stack, promql: str, shown: str) -> None:
    done = _run("query", promql, stack.home)

    assert (done.exit_code, done.stdout) == ((0, shown) if shown else (1, done.stdout))
    assert shown or done.stdout.startswith("Nothing. Names of series: otel-trading metrics.")


def test_a_range_shows_its_values_and_json_is_prometheus_own(stack: Stack) -> None:
    wait_until(lambda: prometheus_query(stack, 'up{job="prometheus"} == 1'), 20, "a scrape")
    (line,) = _run("query", 'up{job="prometheus"}[1m]', stack.home).stdout.splitlines()
    assert line.startswith('up{instance="127.0.0.1:')
    assert set(line.split("} ")[1].split()) <= {"0", "1"}
    found = json.loads(_run("query", 'up{job="prometheus"}', stack.home, "--json").stdout)
    assert (found["resultType"], found["result"][0]["metric"]["job"]) == ("vector", "prometheus")


def test_a_native_histogram_is_its_count_and_sum(stack: Stack) -> None:
    name = "prometheus_http_request_duration_seconds"
    wait_until(lambda: prometheus_query(stack, f'{name}{{handler="/api/v1/query"}}'), 20, "a histogram")
    first = _run("query", f'{name}{{handler="/api/v1/query"}}', stack.home).stdout.splitlines()[0]
    assert "} count " in first
    assert " sum " in first


def test_what_prometheus_refuses_is_a_sentence(stack: Stack) -> None:
    done = _run("query", "sum(", stack.home)
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception).startswith("Prometheus refuses the expression: ")


def test_the_last_lines_of_a_server_are_shown(stack: Stack) -> None:
    log = stack.home / "logs" / "canary.log"
    with log.open("a", encoding="utf-8") as file:
        file.write("first\nmid\x1b[31mdle\nlast\n")
    done = _run("logs", "canary", stack.home, "--lines", "2")
    assert done.stdout == "mid\N{REPLACEMENT CHARACTER}[31mdle\nlast\n"
    assert json.loads(_run("logs", "canary", stack.home, "--lines", "1", "--json").stdout) == ["last"]


def test_a_server_that_is_not_there_is_named_with_those_that_are(stack: Stack, tmp_path: Path) -> None:
    wrong = _run("logs", "../../etc/passwd", stack.home)
    assert isinstance(wrong.exception, ConfigError)
    assert "allowed: alertmanager, canary, collector" in str(wrong.exception)
    never = _run("logs", "collector", tmp_path)
    assert isinstance(never.exception, StackError)
    assert str(never.exception).endswith("Start it: otel-trading up")
