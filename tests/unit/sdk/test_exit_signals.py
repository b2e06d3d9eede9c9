"""Spans and logs leave at the end too, over HTTP and over gRPC, and from a forked child that records nothing else."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Final

import pytest
from collector_support import collector, grpc_collector, half_open
from process_support import clean_environment

_BEGIN: Final = (
    "import logging, multiprocessing, os, signal, sys, time\nimport otel_trading\n"
    "from opentelemetry import trace\nfrom otel_trading import meter\n"
    "otel_trading.configure()\n"
    "def metric(): meter.signal_emitted(type='buy', strategy='s')\n"
    "def span():\n    with trace.get_tracer('bot').start_as_current_span('decide'): pass\n"
    "def log(): logging.getLogger('bot').warning('margin is low')\n"
)
_ENDS: Final = {
    "return": "",
    "exception": "raise RuntimeError('the bot broke')",
    "sigterm": "os.kill(os.getpid(), signal.SIGTERM); time.sleep(30)",
    "sigint": "os.kill(os.getpid(), signal.SIGINT); time.sleep(30)",
}
_CODES: Final = {"return": 0, "exception": 1, "sigterm": 143, "sigint": -2}
_PROTOCOLS: Final = {"http/protobuf": collector, "grpc": grpc_collector}
#: Real forks of a bot: by hand, and by a pool whose workers end with os._exit.
_FORKS: Final = {
    "fork": (
        "child = os.fork()\nif not child:\n    {record}()\n    sys.exit(0)\nassert os.waitpid(child, 0)[1] == 0\n"
    ),
    "multiprocessing": (
        "child = multiprocessing.get_context('fork').Process(target={record})\nchild.start()\nchild.join(20)\n"
        "assert child.exitcode == 0\n"
    ),
}
#: The 2.5 s of the promise, and what a busy machine takes to begin and end an interpreter.
_SOON: Final = 2.5 + 2.5


def _run(code: str, url: str, protocol: str) -> tuple[int, float, str]:
    """Return the exit code, the seconds that the end took, and stderr; nothing is exported before the end."""
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "OTEL_METRIC_EXPORT_INTERVAL": "3600000",
        "OTEL_BSP_SCHEDULE_DELAY": "3600000",
        "OTEL_BLRP_SCHEDULE_DELAY": "3600000",
        "OTEL_TRADING_MODE": "paper",
    }
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=clean_environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        begin = time.monotonic()
        _, said = process.communicate(timeout=60)
        return process.returncode, time.monotonic() - begin, said


@pytest.mark.parametrize("protocol", _PROTOCOLS)
@pytest.mark.parametrize("how", _ENDS)
def test_every_signal_leaves_however_the_process_ends(how: str, protocol: str) -> None:
    code = f"{_BEGIN}metric(); span(); log()\nprint('ready', flush=True)\n{_ENDS[how]}"
    with _PROTOCOLS[protocol]() as sink:
        ended, seconds, said = _run(code, sink.url, protocol)

        assert sink.total("trading.signal.emissions") == 1, said
        assert sink.total("trading.sdk.running") == (1 if how == "exception" else 0)
        assert sink.spans["decide"] == 1, said
        assert sink.logs["margin is low"] == 1, said
    assert ended == _CODES[how], said
    assert seconds < _SOON


@pytest.mark.parametrize("protocol", _PROTOCOLS)
@pytest.mark.parametrize("how", _FORKS)
@pytest.mark.parametrize("record", ["span", "log", "metric"])
def test_a_forked_child_that_records_one_thing_delivers_it(record: str, how: str, protocol: str) -> None:
    code = f"{_BEGIN}metric()\n{_FORKS[how].format(record=record)}print('ready', flush=True)\n"
    with _PROTOCOLS[protocol]() as sink:
        ended, _, said = _run(code, sink.url, protocol)

        assert ended == 0, said
        assert sink.spans["decide"] == (record == "span"), said
        assert sink.logs["margin is low"] == (record == "log"), said
        assert sorted(sink.by_instance("trading.signal.emissions").values()) == [1] * (2 if record == "metric" else 1)
        assert set(sink.by_instance("trading.sdk.running").values()) == {0}, "each ended cleanly"


@pytest.mark.parametrize("how", ["return", "sigterm"])
def test_a_grpc_collector_that_never_answers_holds_no_exit(how: str) -> None:
    code = f"{_BEGIN}metric(); span(); log()\nprint('ready', flush=True)\n{_ENDS[how]}"
    with half_open() as url:
        ended, seconds, said = _run(code, url, "grpc")

    assert ended == _CODES[how], said
    assert seconds < _SOON
    assert "the last interval may be lost: no answer within 2.5 s." in said
