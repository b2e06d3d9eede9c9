"""However a process ends, its last interval leaves, and it waits for no Collector for more than a few seconds."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Final

import pytest
from collector_support import collector, half_open
from process_support import clean_environment

_BEGIN: Final = (
    "import asyncio, os, signal, sys, threading, time\nimport otel_trading\nfrom otel_trading import meter\n"
    "otel_trading.configure()\nmeter.strategy_state(state='running', strategy='s')\n"
    "meter.signal_emitted(type='buy', strategy='s')\nprint('ready', flush=True)\n"
)
_CANCELLED: Final = (
    "async def bot():\n    asyncio.get_running_loop().call_later(0.05, asyncio.current_task().cancel)\n"
    "    await asyncio.sleep(30)\nasyncio.run(bot())"
)
_TERMINATED: Final = (
    "async def bot():\n    asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGTERM)\n"
    "    await asyncio.sleep(30)\nasyncio.run(bot())"
)
_KILLED: Final = "os.kill(os.getpid(), signal.SIGTERM); time.sleep(30)"
#: How it ends -> what it does, its exit code, and whether that is a clean end.
_EXITS: Final = {
    "return": ("", 0, True),
    "sys-exit": ("sys.exit()", 0, True),
    "sys-exit-0": ("sys.exit(0)", 0, True),
    "sys-exit-3": ("sys.exit(3)", 3, False),
    "sys-exit-3-deep": ("def main():\n    sys.exit(3)\nmain()", 3, False),
    "sys-exit-3-in-asyncio": ("async def bot():\n    sys.exit(3)\nasyncio.run(bot())", 3, False),
    "sys-exit-3-through-finally": ("try:\n    sys.exit(3)\nfinally:\n    print('cleans up')", 3, False),
    "sys-exit-with-a-list": ("sys.exit(['no', 'key'])", 1, False),
    "sys-exit-with-a-sentence": ("sys.exit('no key')", 1, False),
    "sys-exit-as-told": ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n" + _KILLED, 143, True),
    "sys-exit-3-that-was-caught": (
        "def main():\n    try:\n        sys.exit(3)\n    except SystemExit:\n        pass\nmain()",
        0,
        True,
    ),
    "sys-exit-3-of-a-thread": (
        "thread = threading.Thread(target=sys.exit, args=(3,))\nthread.start()\nthread.join()",
        0,
        True,
    ),
    "exception": ("raise RuntimeError('the bot broke')", 1, False),
    "sigterm": (_KILLED, 143, True),
    "sigint": ("os.kill(os.getpid(), signal.SIGINT); time.sleep(30)", -2, True),
    "asyncio-cancel": (_CANCELLED, 1, False),
    "sigterm-in-asyncio": (
        _TERMINATED,
        143,
        True,
    ),
    "thread-that-stays": ("threading.Thread(target=time.sleep, args=(30,), daemon=True).start()", 0, True),
}
#: The 2.5 s of the promise, and what a busy machine takes to end an interpreter.
_SOON: Final = 2.5 + 2.5


def _end(how: str, url: str) -> tuple[int, float, str]:
    """Return the exit code, the seconds that the end took, and stderr."""
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_METRIC_EXPORT_INTERVAL": "3600000",
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }
    with subprocess.Popen(
        [sys.executable, "-c", _BEGIN + _EXITS[how][0]],
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


@pytest.mark.parametrize("how", _EXITS)
def test_the_last_interval_leaves_and_says_whether_the_end_was_clean(how: str) -> None:
    with collector() as sink:
        code, seconds, said = _end(how, sink.url)

        assert sink.total("trading.signal.emissions") == 1, said
        assert sink.total("trading.sdk.running") == (0 if _EXITS[how][2] else 1)
        assert code == _EXITS[how][1], said
        assert seconds < _SOON


@pytest.mark.parametrize("how", ["return", "exception", "sigterm"])
def test_an_exit_waits_for_no_collector_that_is_down(how: str) -> None:
    code, seconds, said = _end(how, "http://127.0.0.1:9")

    assert code == _EXITS[how][1], said
    assert seconds < _SOON


@pytest.mark.parametrize("how", ["return", "exception", "sigterm"])
def test_an_exit_waits_for_no_collector_that_accepts_and_never_answers(how: str) -> None:
    with half_open() as url:
        code, seconds, said = _end(how, url)

    assert code == _EXITS[how][1], said
    assert seconds < _SOON
    assert "the last interval may be lost: no answer within 2.5 s." in said


def test_os_exit_loses_the_last_interval_and_says_no_goodbye() -> None:
    with collector() as sink:
        done = subprocess.run(
            [sys.executable, "-c", _BEGIN + "os._exit(0)"],
            env=clean_environment(OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, OTEL_METRIC_EXPORT_INTERVAL="3600000"),
            capture_output=True,
            timeout=60,
            check=False,
        )

        assert done.returncode == 0
        assert sink.total("trading.signal.emissions") == 0
