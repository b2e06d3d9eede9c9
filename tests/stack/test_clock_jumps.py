"""The clock of a bot is set while it trades: who says so, and what it costs that bot and the others."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest

from bot_support import assert_held, environment
from proof_support import CLOCKS, RULES, faults_in_text
from stack_support import json_lines, prometheus_query, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(300)]

_ALERT: Final = "BotClockWrong"
#: Seconds by which the clock of each bot is set, in the middle of something whose time is taken.
_STEPS: Final = {"hours-ahead": 7200.0, "hours-behind": -7200.0, "minutes-ahead": 90.0, "minutes-behind": -600.0}
_BOT = """
import sys, threading, time

right, right_ns, ahead = time.time, time.time_ns, 0.0
time.time = lambda: right() + ahead
time.time_ns = lambda: right_ns() + int(ahead * 10**9)

import otel_trading
from otel_trading import meter

otel_trading.configure()
over, turns = threading.Event(), 0

def turn():
    global turns
    with meter.iteration(period=1.0), meter.venue_call(operation="fetch_balance", venue="v"):
        meter.market_data_received(source="feed", kind="trade", symbol="S", venue_time=right(), venue="v")
    tick = meter.tick_to_trade(source="feed", received=time.time(), venue="v")
    order = meter.order_request(client_id=f"o{turns}", symbol="S", side="buy", type="limit", quantity=1, venue="v")
    with tick, order:
        meter.signal_emitted(type="buy", symbol="S")
    meter.order_filled(client_id=f"o{turns}", quantity=1)
    turns += 1

def trade():
    while not over.wait(0.1):
        turn()

turn()
thread = threading.Thread(target=trade)
thread.start()
print("trades", flush=True)
for line in sys.stdin:
    with meter.timed("decide"), meter.venue_call(operation="fetch_time", venue="v"):
        ahead = float(line)
over.set()
thread.join()
print(turns, flush=True)
"""


@contextmanager
def _trading(running: Stack, folder: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    script = folder / f"{name}.py"
    script.write_text(_BOT)
    variables = environment(running, OTEL_SERVICE_NAME=name, OTEL_TRACES_EXPORTER="none", OTEL_LOGS_EXPORTER="none")
    variables["OTEL_TRADING_MODE"] = "live"
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, script], env=variables, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "trades\n"
            yield process
        finally:
            process.kill()


def _set(process: subprocess.Popen[str], seconds: float) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{seconds}\n")
    process.stdin.flush()


def _told(running: Stack, name: str, status: str = "firing") -> list[dict[str, Any]]:
    alerts = [one for one in json_lines(running.alerts_file) if one["labels"].get("service_name") == name]
    return [one for one in alerts if one["status"] == status]


def _names(running: Stack, name: str, status: str = "firing") -> set[str]:
    return {one["labels"]["alertname"] for one in _told(running, name, status)}


def _is_told(running: Stack, name: str, status: str) -> bool:
    return _ALERT in _names(running, name, status)


def _ended(running: Stack, name: str, process: subprocess.Popen[str]) -> None:
    """End it: what Prometheus holds of it is what it did, to the last turn, and nothing took less than no time."""
    turns, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    # The last word of one that waits for its clock stands where the others end, up to a minute and a half from now.
    total = "sum(last_over_time(trading_signal_emissions_total{$}[1h]))"
    assert_held(running, name, {total: float(turns)}, timeout=120)
    mine = f'service_name="{name}"'
    assert prometheus_query(running, f'{{__name__=~".+_sum|.+_age.*",{mine}}} < 0') == []
    assert (
        prometheus_query(running, f"max_over_time(trading_tick_to_trade_duration_seconds_sum{{{mine}}}[1h]) > 60") == []
    )


def test_a_wrong_clock_is_told_and_costs_no_other_bot_anything(fast_stack: Stack, tmp_path: Path) -> None:
    begun = time.time()
    with ExitStack() as bots:
        names = ("clock-right", *_STEPS)
        trading = {name: bots.enter_context(_trading(fast_stack, tmp_path, name)) for name in names}
        for name in trading:
            seen = f'trading_sdk_heartbeat_time_seconds{{service_name="{name}"}}'
            wait_until(partial(prometheus_query, fast_stack, seen), 30, seen)
        set_at = time.monotonic()
        for name, step in _STEPS.items():
            _set(trading[name], step)
        for name in _STEPS:
            wait_until(partial(_is_told, fast_stack, name, "firing"), 60, f"{name} to be told")
        seconds = time.monotonic() - set_at
        for name in _STEPS:
            _set(trading[name], 0)
        for name in _STEPS:
            wait_until(partial(_is_told, fast_stack, name, "resolved"), 60, f"the end of {name} to be told")
        for name, process in trading.items():
            _ended(fast_stack, name, process)

    (rule,) = [rule for rule in RULES if rule["alert"] == _ALERT]
    for name in _STEPS:
        # Of a strategy whose points belong to another time it is also true that nobody hears of it.
        assert _names(fast_stack, name) <= {_ALERT, "TelemetryLost"}
        (told,) = [one for one in _told(fast_stack, name) if one["labels"]["alertname"] == _ALERT]
        assert told["receiver"] == CLOCKS[_ALERT]
        assert faults_in_text(rule, told["annotations"]) == []
    assert _told(fast_stack, "clock-right") == []
    assert _longest_gap(fast_stack, "clock-right", begun) < 5
    print(f"told after {seconds:.1f} s at the latest")  # noqa: T201  with -s


def _longest_gap(running: Stack, name: str, since: float) -> float:
    window = int(time.time() - since) + 1
    (one,) = prometheus_query(running, f'trading_sdk_heartbeat_time_seconds{{service_name="{name}"}}[{window}s]')
    times = [float(at) for at, _ in one["values"]]
    return max(later - at for at, later in itertools.pairwise(times))


def test_a_clock_that_is_set_back_a_little_resets_no_counter_and_raises_no_alarm(stack: Stack, tmp_path: Path) -> None:
    name, step = "set-back", 20
    mine = f'service_name="{name}"'
    with _trading(stack, tmp_path, name) as process:
        seen = f"timestamp(trading_sdk_heartbeat_time_seconds{{{mine}}})"
        wait_until(partial(prometheus_query, stack, seen), 30, seen)
        _set(process, -step)
        before = float(prometheus_query(stack, seen)[0]["value"][1])
        wait_until(partial(prometheus_query, stack, f"{seen} > {before + 3:f}"), step + 30, "points that go on")
        _ended(stack, name, process)

    for kind in ("trading_signal_emissions_total", "trading_order_requests_total"):
        ((_, resets),) = [one["value"] for one in prometheus_query(stack, f"max(resets({kind}{{{mine}}}[10m]))")]
        assert float(resets) == 0, f"{kind} seems to begin anew"
    assert _names(stack, name) == set()
