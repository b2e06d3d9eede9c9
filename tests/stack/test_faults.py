"""A Collector that is killed, refuses or is silent: the bot goes on, its exit is bounded, losses are counted."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from bot_support import bot, environment, finish, running
from otel_trading.stack import Ports, status, up
from stack_support import prometheus_query, quiet, wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

_EXIT_BOUND = 4.0
_TALKATIVE = """
import threading, logging
from opentelemetry import trace
meter.strategy_state(state='running', strategy='s')
def trade():
    while True:
        meter.signal_emitted(type='buy', strategy='s')
        with trace.get_tracer('t').start_as_current_span('tick'):
            logging.getLogger('bot').warning('tick')
        time.sleep(0.01)
threading.Thread(target=trade, daemon=True).start()
"""


def _kill_collector(stack: Stack) -> None:
    (collector,) = [one for one in status(home=stack.home) if one.service == "collector"]
    assert collector.pid is not None
    os.kill(collector.pid, signal.SIGKILL)
    wait_until(
        lambda: {one.service: one.state for one in status(home=stack.home)}["collector"] == "down",
        5,
        "the Collector's end",
    )


def _seconds_to_end(process: subprocess.Popen[str]) -> tuple[float, str]:
    begun = time.monotonic()
    _, err = finish(process)
    return time.monotonic() - begun, err


@contextmanager
def _silent() -> Iterator[str]:
    """Listen, take connections and never answer: worse for a client than nobody."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []
        over = threading.Event()

        def accept() -> None:
            server.settimeout(0.1)
            while not over.is_set():
                with suppress(TimeoutError):
                    held.append(server.accept()[0])

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            over.set()
            thread.join(5)
            for one in held:
                one.close()


def test_a_bot_outlives_its_collector_and_the_loss_is_counted_when_it_is_back(stack_home: Path, tmp_path: Path) -> None:
    stack = up(home=stack_home, kind="native", ports=Ports.free(), evaluation_interval="1s", progress=quiet())
    position = "meter.order_filled(symbol='A', side='{}', price=10, quantity=1, currency='USD', venue='v')"
    body = (
        f"{position.format('buy')}\nprint('ready', flush=True)\nsys.stdin.readline()\n{position.format('sell')}\n"
        "meter.order_filled(symbol='B', side='buy', price=10, quantity=1, currency='USD', venue='v')"
    )
    held = 'trading_position_quantity{service_name="survivor"}'
    # One second for an export: a batch is given up while the Collector is away, and counted.
    variables = environment(stack, OTEL_EXPORTER_OTLP_METRICS_TIMEOUT="1", OTEL_TRACES_EXPORTER="none")
    with running(tmp_path, "survivor", body, variables) as process:
        wait_until(lambda: prometheus_query(stack, held), 10, "the position")
        _kill_collector(stack)
        time.sleep(2.5)  # exports fail meanwhile: there is nothing else to be seen from outside
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        time.sleep(1.5)
        assert process.poll() is None
        stack = up(home=stack_home, progress=quiet())
        lost = 'trading_sdk_dropped_total{service_name="survivor",trading_sdk_reason="export_failed"} > 0'
        assert wait_until(lambda: prometheus_query(stack, lost), 15, "the count of lost exports")
        # The position was closed while nobody listened: its end is said again until it is heard.
        wait_until(
            lambda: {row["metric"]["trading_instrument_symbol"] for row in prometheus_query(stack, held)} == {"B"},
            10,
            "only the open position",
        )


def test_an_exit_is_bounded_when_the_collector_takes_and_never_answers(tmp_path: Path) -> None:
    with _silent() as silent, running(tmp_path, "unanswered", _TALKATIVE, environment(silent)) as process:
        time.sleep(1.2)  # let exports of all three signals hang
        seconds, err = _seconds_to_end(process)

    assert process.returncode == 0, err
    assert seconds < _EXIT_BOUND
    assert "otel-trading: the last interval may be lost: no answer within 2.5 s." in err


def test_an_exit_is_bounded_when_the_collector_is_killed_under_load(stack_home: Path, tmp_path: Path) -> None:
    stack = up(home=stack_home, kind="native", ports=Ports.free(), progress=quiet())
    with running(tmp_path, "under-load", _TALKATIVE, environment(stack)) as process:
        time.sleep(1)
        _kill_collector(stack)
        time.sleep(1)
        seconds, err = _seconds_to_end(process)

    assert process.returncode == 0, err
    assert seconds < _EXIT_BOUND


def test_sigterm_is_bounded_too_and_keeps_its_exit_code(tmp_path: Path) -> None:
    with running(tmp_path, "terminated", _TALKATIVE, environment("http://127.0.0.1:9")) as process:
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(15)

    assert time.monotonic() - begun < _EXIT_BOUND
    assert process.returncode == 128 + signal.SIGTERM


def test_an_apps_own_sigterm_handler_stays(stack: Stack, tmp_path: Path) -> None:
    text = (
        "import os, signal, sys\nfrom otel_trading import meter\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(17))\nos.kill(os.getpid(), signal.SIGTERM)\n"
        "import time; time.sleep(20)\n"
    )
    code, _, err = bot(tmp_path, "own-handler", text, environment(stack))

    assert code == 17, err


def test_a_forked_child_ends_soon_and_does_not_stop_the_strategy(stack: Stack, tmp_path: Path) -> None:
    body = (
        "import os\nmeter.strategy_state(state='running', strategy='s')\nbegun = time.monotonic()\n"
        "child = os.fork()\nif not child:\n    meter.signal_emitted(type='buy', strategy='s')\n    sys.exit(0)\n"
        "os.waitpid(child, 0)\nassert time.monotonic() - begun < 5, 'its last interval has a bound'"
    )
    running_state = 'trading_strategy_status{service_name="forking",trading_strategy_state="running"}'
    with running(tmp_path, "forking", body, environment(stack)):
        (state,) = wait_until(lambda: prometheus_query(stack, running_state), 10, "the state")

    assert state["value"][1] == "1"
