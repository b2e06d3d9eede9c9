"""What bots record is what the real Prometheus holds: names, labels, buckets, ends, restarts, traces and logs."""

from __future__ import annotations

import json
import math
import os
import signal
from typing import TYPE_CHECKING

import pytest

from bot_support import bot, environment, running, series
from otel_trading import semconv
from otel_trading.sdk.resource import PROMOTED
from otel_trading.semconv import Kind, Level
from otel_trading.semconv.prometheus import label_name
from stack_support import prometheus_query, wait_until

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

DAY = "day-otlp"
_OF_EVERY_SERIES = {"__name__", "job", "instance", "le"} | {label_name(name) for name in PROMOTED}


@pytest.fixture(scope="module")
def day(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Generator[list[dict[str, str]]]:
    """The labels of every series in Prometheus while a bot that had a whole day of trading still runs."""
    body = "from otel_trading.testing import day_of_trading; day_of_trading(seed=1)"
    folder = tmp_path_factory.mktemp("day")
    with running(folder, DAY, body, environment(stack, OTEL_TRADING_MODE="paper")):
        # The first is the day's last word; the second is recorded by the first export, so sent by the second.
        last = {semconv.sdk.ATTRIBUTE_OVERFLOWS.series[0], semconv.sdk.EXPORT_DURATION.series[0]}
        wait_until(lambda: last <= {one["__name__"] for one in series(stack, DAY)}, 20, "the day and its export")
        yield [one for one in series(stack, DAY) if one["__name__"] != "target_info"]


def test_every_metric_of_the_convention_is_in_prometheus_and_no_other(day: list[dict[str, str]]) -> None:
    held = {one["__name__"] for one in day}

    assert held == {name for metric in semconv.ALL for name in metric.series}


def test_every_label_in_prometheus_is_known_and_the_required_ones_are_there(day: list[dict[str, str]]) -> None:
    for one in day:
        metric = semconv.BY_SERIES[one["__name__"]]
        allowed = {attribute.prometheus for attribute in metric.attributes}
        required = {use.attribute.prometheus for use in metric.uses if use.level is Level.REQUIRED}

        assert set(one) - _OF_EVERY_SERIES <= allowed, f"{metric} has labels that nobody declared: {one}"
        assert required <= set(one), f"{metric} lacks {required - set(one)}: {one}"
        assert {"job", "instance", "service_name"} <= set(one)


def test_closed_attributes_have_only_their_declared_values(day: list[dict[str, str]]) -> None:
    closed = {one.prometheus: set(one.values) for metric in semconv.ALL for one in metric.attributes if one.values}
    seen = {label: {one[label] for one in day if label in one} for label in closed}

    assert {label: values - closed[label] for label, values in seen.items() if values - closed[label]} == {}
    assert {label for label, values in seen.items() if not values} <= {"trading_instrument_type"}


def test_buckets_in_prometheus_are_the_declared_boundaries(day: list[dict[str, str]]) -> None:
    for metric in semconv.ALL:
        if metric.kind is Kind.HISTOGRAM:
            held = {float(one["le"]) for one in day if one["__name__"] == f"{metric.prometheus}_bucket"}

            assert held == {*metric.boundaries, math.inf}, metric


def test_a_day_is_counted_exactly(stack: Stack, day: list[dict[str, str]]) -> None:
    assert day
    query = (
        f'sum by (__name__) ({{__name__=~"trading_execution_fills_total|trading_trade_closures_total",job="{DAY}"}})'
    )
    held = {row["metric"]["__name__"]: float(row["value"][1]) for row in prometheus_query(stack, query)}

    # Five orders in two parts each, a contract in three fills, and one fill without a usable price.
    assert held == {"trading_execution_fills_total": 14, "trading_trade_closures_total": 3}


def test_a_closed_position_is_gone_with_the_next_export(stack: Stack, tmp_path: Path) -> None:
    fill = "meter.order_filled(symbol='A', side='{}', price=10, quantity=1, currency='USD', venue='v')"
    body = f"{fill.format('buy')}\nprint('ready', flush=True)\nsys.stdin.readline()\n{fill.format('sell')}"
    held = 'trading_position_quantity{service_name="closer"}'
    with running(tmp_path, "closer", body, environment(stack)) as process:
        wait_until(lambda: prometheus_query(stack, held), 10, "the position")
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        # Prometheus would show the last value for five minutes; a stale marker ends it with the export.
        wait_until(lambda: not prometheus_query(stack, held), 5, "the end of the position's series")
        assert prometheus_query(stack, 'trading_execution_fills_total{service_name="closer"}'), "counters never end"


_EXITS = {
    "return": "",
    "sys-exit": "raise SystemExit(3)",
    "uncaught": "raise RuntimeError('the bot broke')",
    "sigterm": "import os, signal; os.kill(os.getpid(), signal.SIGTERM); time.sleep(30)",
}
_CODES = {"return": 0, "sys-exit": 3, "uncaught": 1, "sigterm": 128 + signal.SIGTERM}


@pytest.mark.parametrize("how", _EXITS)
def test_an_exit_leaves_the_last_interval_and_a_clean_one_says_so(stack: Stack, tmp_path: Path, how: str) -> None:
    service = f"exit-{how}"
    text = (
        "import time\nfrom otel_trading import meter\nmeter.strategy_state(state='running', strategy='s')\n"
        f"meter.signal_emitted(type='buy', strategy='s')\n{_EXITS[how]}\n"
    )
    # An hour between exports: whatever arrives left at the exit.
    code, _, err = bot(tmp_path, service, text, environment(stack, OTEL_METRIC_EXPORT_INTERVAL="3600000"))

    assert code == _CODES[how], err
    assert ("RuntimeError: the bot broke" in err) == (how == "uncaught")
    status = f'trading_strategy_status{{service_name="{service}"}} == 1'
    (held,) = wait_until(lambda: prometheus_query(stack, status), 10, "the last export")
    assert held["metric"]["trading_strategy_state"] == ("running" if how == "uncaught" else "stopped")
    running_still = f'trading_sdk_running{{service_name="{service}"}}'
    assert [row["value"][1] for row in prometheus_query(stack, running_still)] == ["1" if how == "uncaught" else "0"]
    (signals,) = prometheus_query(stack, f'trading_signal_emissions_total{{service_name="{service}"}}')
    assert signals["value"][1] == "1"


def test_a_restarted_bot_continues_its_series(stack: Stack, tmp_path: Path) -> None:
    text = "from otel_trading import meter\nmeter.signal_emitted(type='buy', strategy='s')\n"
    counted = 'sum(increase(trading_signal_emissions_total{service_name="restarted"}[1m])) > 1.5'
    for _ in range(2):
        assert bot(tmp_path, "restarted", text, environment(stack))[0] == 0
        wait_until(
            lambda: prometheus_query(stack, 'trading_signal_emissions_total{service_name="restarted"}'), 10, "it"
        )

    wait_until(lambda: prometheus_query(stack, counted), 10, "both runs in one series")
    assert len({one["instance"] for one in series(stack, "restarted")}) == 1


def test_two_accounts_of_one_bot_are_two_instances(stack: Stack, tmp_path: Path) -> None:
    text = "from otel_trading import meter\nmeter.signal_emitted(type='buy', strategy='s')\n"
    for account in ("acct-a", "acct-b"):
        assert bot(tmp_path, "two", text, environment(stack, OTEL_TRADING_ACCOUNT=account))[0] == 0

    wait_until(lambda: len({one["instance"] for one in series(stack, "two")}) == 2, 10, "two instances")


def test_a_worker_does_not_write_into_the_bots_series(stack: Stack, tmp_path: Path) -> None:
    text = (
        "import multiprocessing\nfrom otel_trading import meter\n"
        "def work(): meter.signal_emitted(type='buy', strategy='s')\n"
        "if __name__ == '__main__':\n    work()\n"
        "    for how in ('fork', 'spawn'):\n"
        "        process = multiprocessing.get_context(how).Process(target=work)\n"
        "        process.start(); process.join(15); assert process.exitcode == 0\n"
    )
    code, _, err = bot(tmp_path, "workers", text, environment(stack, OTEL_METRIC_EXPORT_INTERVAL="3600000"))

    assert code == 0, err
    assert err.count("otel-trading: on:") == 1, err
    query = 'trading_signal_emissions_total{service_name="workers"}'
    held = wait_until(lambda: len(prometheus_query(stack, query)) >= 3 and prometheus_query(stack, query), 10, "all")
    assert sorted(row["value"][1] for row in held) == ["1", "1", "1"]
    assert len({row["metric"]["instance"][:36] for row in held}) == 1


def _lines(stack: Stack, kind: str, needle: str) -> list[str]:
    file = stack.home / "data" / "collector" / kind / f"{kind}.jsonl"
    return [line for line in (file.read_text().splitlines() if file.exists() else ()) if needle in line]


def test_traces_logs_and_http_calls_leave_with_the_metrics(stack: Stack, tmp_path: Path) -> None:
    text = (
        "import logging, requests\nfrom opentelemetry import trace\n"
        "with trace.get_tracer('mine').start_as_current_span('decide') as span:\n"
        "    logging.getLogger('mine').warning('needle in the log')\n"
        f"    requests.get({stack.urls['prometheus'] + '/-/healthy'!r}, timeout=5)\n"
        "    print(format(span.get_span_context().trace_id, '032x'))\n"
    )
    code, out, err = bot(tmp_path, "three-signals", text, environment(stack))

    assert code == 0, err
    assert "needle in the log" in err, "the app's own warning stays on the terminal"
    trace_id = out.strip()
    (spans,) = wait_until(lambda: _lines(stack, "traces", trace_id), 10, "the span")
    assert {"decide", "GET"} <= set(_names(json.loads(spans)))
    (logged,) = wait_until(lambda: _lines(stack, "logs", "needle in the log"), 10, "the log record")
    assert trace_id in logged
    calls = 'http_client_request_duration_seconds_count{service_name="three-signals"}'
    (row,) = wait_until(lambda: prometheus_query(stack, calls), 10, "the call's duration")
    assert row["value"][1] == "1"


def _names(batch: dict[str, list[dict[str, list[dict[str, list[dict[str, str]]]]]]]) -> list[str]:
    return [
        span["name"]
        for resource in batch["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def test_a_killed_bot_is_not_said_to_be_stopped(stack: Stack, tmp_path: Path) -> None:
    body = "meter.strategy_state(state='running', strategy='s')"
    with running(tmp_path, "killed-bot", body, environment(stack)) as process:
        query = 'trading_strategy_status{service_name="killed-bot",trading_strategy_state="running"} == 1'
        wait_until(lambda: prometheus_query(stack, query), 10, "the running state")
        os.kill(process.pid, signal.SIGKILL)
        process.wait(5)

    assert prometheus_query(stack, query), "nobody was left to say that it stopped: an alert on age has to see it"
    assert prometheus_query(stack, 'trading_sdk_running{service_name="killed-bot"} == 1')


def test_a_clean_end_ends_the_heartbeat_at_once_and_is_the_last_word(stack: Stack, tmp_path: Path) -> None:
    beating = 'trading_sdk_heartbeat_time_seconds{service_name="ending"}'
    with running(tmp_path, "ending", "", environment(stack)):
        wait_until(lambda: prometheus_query(stack, beating), 10, "the heartbeat of a bot that records nothing")

    wait_until(lambda: prometheus_query(stack, 'trading_sdk_running{service_name="ending"} == 0'), 5, "its last word")
    assert not prometheus_query(stack, beating), "a death would leave it for five minutes"
