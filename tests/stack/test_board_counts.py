"""Fills on the board are the fills that the bot made, whatever happened to it and to Prometheus meanwhile."""

from __future__ import annotations

import os
import signal
from functools import partial
from typing import TYPE_CHECKING

import pytest
from board_support import asked, panels

from bot_support import bot, environment, finish, running
from otel_trading.stack import Ports, status
from otel_trading.stack import up as start_stack
from stack_support import prometheus_query, quiet, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

FILLS = """
from otel_trading import meter
for number in range({number}):
    meter.order_filled(symbol='{symbol}', side='buy', price=100, quantity=1, client_id=f'{{number}}')
"""
LIVE = {"OTEL_TRADING_MODE": "live"}


def on_the_board(up: Stack, service: str, **chosen: str) -> float | None:
    (target,) = panels()["Fills"]["targets"]
    answer = prometheus_query(up, asked(target["expr"], {"service": service, **chosen}))
    return round(float(answer[0]["value"][1]), 6) if answer else None


def counts_to(up: Stack, service: str, number: int) -> None:
    """Wait for the number, and for three more evaluations: one that counts twice would show by then."""
    name, seen = "process:trading_execution_fills:counted_total", set[float]()

    def holds() -> bool:
        held = on_the_board(up, service)
        assert (held or 0) <= number, f"{held} fills on the board, the bot made {number}"
        return held == number

    def evaluated() -> bool:
        (latest,) = prometheus_query(up, f"max(timestamp({name}))")
        seen.add(float(latest["value"][1]))
        return holds() and len(seen) > 3

    wait_until(holds, 60, f"{number} fills of {service} on the board")
    wait_until(evaluated, 30, f"{number} fills of {service} to stay")


def test_each_run_counts_although_all_count_the_same(stack: Stack, tmp_path: Path) -> None:
    service, variables = "three-at-a-time", environment(stack, **LIVE)
    for done in (1, 2, 3):
        code, _, err = bot(tmp_path, service, FILLS.format(number=3, symbol="BTC/USD"), variables)
        assert code == 0, err
        counts_to(stack, service, 3 * done)


def test_one_that_is_killed_leaves_its_symbols_to_nobody(stack: Stack, tmp_path: Path) -> None:
    service, variables = "killed-and-back", environment(stack, **LIVE)
    with running(tmp_path, service, FILLS.format(number=5, symbol="BTC/USD"), variables) as first:
        counts_to(stack, service, 5)
        first.kill()
    with running(tmp_path, service, FILLS.format(number=2, symbol="ETH/USD"), variables):
        counts_to(stack, service, 7)
        assert on_the_board(stack, service, symbol="SOL/USD") is None


def test_what_was_replayed_after_an_outage_of_prometheus_counts(stack_home: Path, tmp_path: Path) -> None:
    start = partial(
        start_stack, home=stack_home, kind="native", ports=Ports.free(), evaluation_interval="1s", progress=quiet()
    )
    up, service = start(), "all-along"
    again = FILLS.format(number=4, symbol="BTC/USD") + "print('ready', flush=True)\nsys.stdin.readline()\n"
    with running(tmp_path, service, again + FILLS.format(number=6, symbol="ETH/USD"), environment(up, **LIVE)) as it:
        assert it.stdin is not None
        assert it.stdout is not None
        counts_to(up, service, 4)
        (prometheus,) = [one for one in status(home=stack_home) if one.service == "prometheus"]
        assert prometheus.pid is not None
        os.kill(prometheus.pid, signal.SIGKILL)
        it.stdin.write("\n")
        it.stdin.flush()
        assert it.stdout.readline() == "ready\n"
        finish(it)
    assert start().started
    counts_to(up, service, 10)
