"""The overview in the terminal, of a bot that had a day of trading on the real stack, on a real terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest

from bot_support import COMMAND, environment, running
from otel_trading.top.picture import look
from otel_trading.top.prometheus import Prometheus
from otel_trading.top.queries import Filters
from stack_support import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from otel_trading.stack import Stack
    from otel_trading.top.alerts import Alert

pytestmark = pytest.mark.stack

SERVICE: Final = "day-for-top"
SYMBOL: Final = '[bold]S/P "é" 株式[/]'
DAY: Final = f"""
from otel_trading.testing import day_of_trading
day_of_trading(seed=1)
meter.defaults(mode='live', venue='kraken', strategy='day', account='acct-1', currency='USD')
meter.deposited(value=1_000, currency='EUR', account='acct-eur')
meter.order_filled(symbol={SYMBOL!r}, side='buy', price=100, quantity=1, currency='EUR', account='acct-eur')
meter.defaults(mode='paper', venue='kraken', strategy='dry-run', account='acct-2', currency='USD')
meter.strategy_state(state='running')
"""
#: Switches to the second screen and back, hides the cursor and shows it.
ON, OFF, HIDDEN, SEEN = "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25l", "\x1b[?25h"


@pytest.fixture(scope="module")
def day(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Generator[Stack]:
    with running(tmp_path_factory.mktemp("top"), SERVICE, DAY, environment(stack)):
        prometheus = Prometheus(stack.urls["prometheus"])
        for mode in ("live", "paper"):
            chosen = Filters(mode, service=SERVICE)
            wait_until(partial(_strategies, prometheus, chosen), 20, f"figures of mode {mode}")
        yield stack


def _strategies(prometheus: Prometheus, chosen: Filters) -> list[str]:
    return [one.name for one in look(prometheus, chosen).strategies]


def _top(stack: Stack, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [str(COMMAND), "top", "--prometheus", stack.urls["prometheus"], *arguments]
    return subprocess.run(
        command, env=environment(None, **variables), capture_output=True, text=True, timeout=60, check=False
    )


def _json(stack: Stack, *arguments: str) -> dict[str, Any]:
    done = _top(stack, "--json", "--service", SERVICE, *arguments)
    assert done.returncode == 0, done.stderr
    picture: dict[str, Any] = json.loads(done.stdout)
    return picture


def test_the_json_holds_the_day(day: Stack) -> None:
    picture = _json(day)

    money = {one["currency"]: one for one in picture["money"]}
    assert money["EUR"]["equity"] == 1_000
    assert money["EUR"]["session_pnl"] == -80
    assert money["USD"]["equity"] > 99_000
    assert money["USD"]["exposure"]["gross"] > 0
    assert picture["drawdown"] > 0
    assert {one["symbol"] for one in picture["positions"]} >= {"BTC/USD", SYMBOL}
    limits = {one["name"]: one for one in picture["limits"]}
    assert (limits["max_messages"]["utilization"], limits["daily_loss"]["limit"]) == (1, 10_000)
    (strategy,) = picture["strategies"]
    assert (strategy["service"], strategy["name"], strategy["state"]) == (SERVICE, "day", "running")
    assert 0 <= strategy["heartbeat_age"] < 60
    (feed,) = picture["feeds"]
    assert (feed["source"], feed["kind"], feed["allowed"] > 0) == ("kraken", "trade", True)
    assert [one["state"] for one in picture["connections"]] == ["connected"]
    assert picture["orders"]["sent"] > 0
    assert picture["orders"]["rejected_share"] > 0
    assert 0 < picture["orders"]["acknowledgement_p95"] < 10
    assert picture["kill_switches"] == [["account", "armed"]]
    assert picture["monitoring"]["rules"]
    assert 0 <= picture["monitoring"]["canary_age"] < picture["monitoring"]["canary_allowed"]


def test_once_prints_one_picture(day: Stack) -> None:
    done = _top(day, "--once", "--service", SERVICE, COLUMNS="80")

    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\x1b" not in done.stdout
    for said in ("EUR equity", "1,000.00", "USD session P&L", "[bold]S/P", "max_messages", "canary", "connected"):
        assert said in done.stdout


@pytest.mark.parametrize(
    ("filters", "strategies"),
    [
        ({"strategy": "day"}, ["day"]),
        ({"strategy": "nobody"}, []),
        ({"venue": "nowhere"}, []),
        ({"venue": "kraken"}, ["day"]),
        ({"mode": "paper"}, ["dry-run"]),
        ({"mode": "replay"}, []),
    ],
)
def test_filters_narrow_it(day: Stack, filters: dict[str, str], strategies: list[str]) -> None:
    found = look(Prometheus(day.urls["prometheus"]), Filters(**{"service": SERVICE, **filters}))

    assert [one.name for one in found.strategies] == strategies
    assert found.is_empty == (not strategies)


def test_a_mode_without_anything_names_those_that_have(day: Stack) -> None:
    said = " ".join(_top(day, "--once", "--service", SERVICE, "--mode", "replay").stdout.split())

    assert "Nothing of what was chosen in mode replay arrives here. There is something of mode" in said
    assert "live, paper" in said


@pytest.mark.parametrize("ending", ["q", "ctrl-c", "sigterm"])
def test_on_a_terminal_it_leaves_no_trace(day: Stack, ending: str) -> None:
    with closing(_Terminal(day, 24, 80)) as terminal:
        terminal.until(lambda seen: "canary" in seen)
        if ending == "sigterm":
            terminal.process.send_signal(signal.SIGTERM)
        else:
            os.write(terminal.fd, b"q" if ending == "q" else b"\x03")
        assert terminal.ended() == 0
        assert terminal.modes() == terminal.before

    assert terminal.seen.count(ON) == terminal.seen.count(OFF) == 1
    assert terminal.seen.rindex(SEEN) > terminal.seen.rindex(HIDDEN)
    assert terminal.seen.rsplit(OFF, 1)[1].replace(SEEN, "").strip() == ""


def test_it_goes_on_trying_while_prometheus_is_away(day: Stack) -> None:
    del day
    with closing(_Terminal("http://127.0.0.1:9", 24, 80)) as terminal:
        terminal.until(lambda seen: seen.count("Prometheus does not answer at http://127.0.0.1:9") > 1)
        os.write(terminal.fd, b"q")
        assert terminal.ended() == 0


def test_an_alert_of_the_day_is_there_with_since_when(day: Stack) -> None:
    prometheus, wanted = Prometheus(day.urls["prometheus"]), "OrderUnacknowledged"  # one order is never answered

    def found() -> list[Alert]:
        alerts = look(prometheus, Filters(service=SERVICE)).alerts
        return [one for one in alerts if one.name == wanted and one.state == "firing"]

    (alert,) = wait_until(found, 45, wanted)
    assert time.time() - 120 < alert.since < time.time()
    shown = _top(day, "--once", "--service", SERVICE).stdout
    assert re.search(rf"critical {wanted}(?: x\d+)? +day since \d\d ", shown), shown


class _Terminal:
    """`top` on a pseudo-terminal of its own."""

    def __init__(self, where: Stack | str, lines: int, columns: int) -> None:
        url = where if isinstance(where, str) else where.urls["prometheus"]
        self.fd, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._inner = inner
        self.before = self.modes()
        self.seen = ""
        self.process = subprocess.Popen(
            [COMMAND, "top", "--prometheus", url, "--interval", "1"],
            env={**environment(None), "TERM": "xterm-256color"},
            stdin=inner,
            stdout=inner,
            stderr=inner,
            preexec_fn=_own_terminal,  # noqa: PLW1509  no threads here, and Ctrl-C needs a terminal that controls
        )

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        os.close(self._inner)
        os.close(self.fd)

    def modes(self) -> list[Any]:
        return termios.tcgetattr(self._inner)

    def until(self, condition: Callable[[str], bool], patience: float = 20) -> None:
        deadline = time.monotonic() + patience
        while not condition(self.seen):
            assert time.monotonic() < deadline, self.seen
            self._read(0.1)

    def ended(self) -> int:
        deadline = time.monotonic() + 20
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.seen
            self._read(0.1)
        while self._read(0):
            pass
        return int(self.process.returncode)

    def _read(self, seconds: float) -> bool:
        ready = bool(select.select([self.fd], [], [], seconds)[0])
        if ready:
            self.seen += os.read(self.fd, 65_536).decode("utf-8", "replace")
        return ready


def _own_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
