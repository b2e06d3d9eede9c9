"""Brings the demo up, shows it, and takes it down: stack, venue, bot, board."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from otel_trading import stack
from otel_trading.demo import child, servers
from otel_trading.demo.board.alerts import Delivered
from otel_trading.demo.board.figures import SHOWN
from otel_trading.demo.board.live import Board
from otel_trading.demo.board.source import Endpoint, Prometheus
from otel_trading.errors import StackError
from otel_trading.stack import build, docker

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from rich.console import Console

    from otel_trading.demo.child import Child
    from otel_trading.stack import Stack

__all__ = ["SERVICE", "Demo", "Options"]

SERVICE: Final = "demo-bot"
#: Seconds between two looks of the board, and between two exports of the bot.
_REFRESH: Final = 0.5
_EXPORT: Final = 1.0
_RUN: Final = ("-c", "from otel_trading.cli import main; main()", "run")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for.

    Args:
        duration: Seconds, or None for until Ctrl-C.
        speed: How many times faster the market moves.
        seed: The same seed replays the same market and the same faults.
        embedded: Without servers.
        kind: Which stack.
        home: The stack's home; the demo's own when not given.
        keep: Leave the stack running.
    """

    duration: float | None = None
    speed: float = 1.0
    seed: int = 1
    embedded: bool = False
    kind: Literal["auto", "native", "docker"] = "auto"
    home: Path | None = None
    keep: bool = False


class Demo:
    """One run of the demo.

    Args:
        options: What the command line asks for.
        console: Where progress and the board go.
    """

    def __init__(self, options: Options, console: Console) -> None:
        self._options = options
        self._console = console
        self._missing: str | None = None
        self._home = options.home or stack.demo_home()
        self._logs = self._home / "logs"

    def run(self) -> dict[str, Any]:
        """Run until the duration is over or Ctrl-C, and return what came of it.

        Raises:
            StackError: The stack, the venue or the bot cannot be started or ended by itself.
        """
        with contextlib.ExitStack() as ends:
            running = None if self._options.embedded else self._up(ends)
            begun = time.monotonic()
            board, environment = self._embedded() if running is None else self._on(running)
            with self._venue() as url, board.shown():
                with self._bot(url, environment) as bot:
                    with contextlib.suppress(KeyboardInterrupt):
                        self._watch(board, bot)
                    self._hold_signals()
                if running is not None:
                    time.sleep(_EXPORT)  # what it sent at its end is on its way to Prometheus
                    board.refresh()
            return self._summary(board, running, time.monotonic() - begun)

    def _up(self, ends: contextlib.ExitStack) -> Stack | None:
        """Bring the stack up, or say what is missing and do without."""
        progress = stack.Progress(self._console)
        try:
            running = servers.up(self._home, self._options.kind, progress)
        except StackError as error:
            if self._options.kind != "auto" or build.has_go() or docker.answers():
                raise
            self._missing = str(error)
            progress.say(f"no servers: {error}")
            return None
        if running.started and not self._options.keep:
            ends.callback(stack.down, home=self._home)
        return running

    def _on(self, running: Stack) -> tuple[Board, dict[str, str]]:
        url = running.urls["prometheus"]
        board = self._board(
            Prometheus(url, SERVICE, SHOWN),
            where=f"from Prometheus, {url}",
            delivered=Delivered(running.alerts_file, SERVICE),
            footer="mode live, so that alerts page; the venue is a local paper one, no money moves. Ctrl-C ends.",
        )
        return board, {
            # No money is at stake, but only live may page, and a demo whose alerts are silent shows nothing.
            "OTEL_TRADING_MODE": "live",
            "OTEL_EXPORTER_OTLP_ENDPOINT": running.otlp_endpoint,
            "OTEL_METRIC_EXPORT_INTERVAL": f"{_EXPORT * 1000:.0f}",
        }

    def _embedded(self) -> tuple[Board, dict[str, str]]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        url = f"http://127.0.0.1:{port}/metrics"
        footer = "mode paper; the venue is a local one, no money moves. Ctrl-C ends."
        return self._board(Endpoint(url), where=f"from the bot's own {url}", footer=footer), {
            "OTEL_TRADING_MODE": "paper",
            "OTEL_METRICS_EXPORTER": "prometheus",
            "OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.1",
            "OTEL_EXPORTER_PROMETHEUS_PORT": str(port),
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
        }

    def _board(
        self, source: Prometheus | Endpoint, *, where: str, footer: str, delivered: Delivered | None = None
    ) -> Board:
        return Board(
            self._console,
            source,
            service=SERVICE,
            title="otel-trading demo",
            where=where,
            duration=self._options.duration,
            delivered=delivered,
            footer=footer,
        )

    @contextlib.contextmanager
    def _venue(self) -> Generator[str]:
        options = self._options
        arguments = ("-m", "otel_trading.demo.venue", "--seed", str(options.seed), "--speed", str(options.speed))
        log = self._logs / "demo-venue.log"
        with child.python("venue", arguments, environment=os.environ, log=log, answers=True) as venue:
            yield venue.first_line()

    def _bot(self, url: str, environment: dict[str, str]) -> contextlib.AbstractContextManager[Child]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        return child.python(
            "bot",
            (*_RUN, sys.executable, "-m", "otel_trading.demo.bot", "--venue-url", url),
            environment={**own, "OTEL_SERVICE_NAME": SERVICE, **environment},
            log=self._logs / "demo-bot.log",
        )

    def _watch(self, board: Board, bot: Child) -> None:
        duration = self._options.duration
        while duration is None or board.view.elapsed < duration:
            bot.check()
            board.refresh()
            time.sleep(_REFRESH)

    def _hold_signals(self) -> None:
        """From here on all is ended in order, which an impatient second Ctrl-C must not cut short."""
        for sign in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sign, signal.SIG_IGN)
        self._console.print("ending ...", style="dim")

    def _summary(self, board: Board, running: Stack | None, seconds: float) -> dict[str, Any]:
        now = board.view.figures
        return {
            "source": "embedded" if running is None else "prometheus",
            "stack": None if running is None else running.kind,
            "seconds": round(seconds, 1),
            "orders": now.orders if now else 0,
            "fills": now.fills if now else 0,
            "rejections": now.rejections if now else 0,
            "equity": now.equity if now else None,
            "session_pnl": now.session_pnl if now else None,
            "alerts_fired": sorted(board.fired),
            "alerts_delivered": sorted({alert.name for alert in board.view.delivered}),
            "alerts_file": None if running is None else str(running.alerts_file),
            "urls": {} if running is None else dict(running.urls),
            "kept": running is not None and (self._options.keep or not running.started),
            "logs": str(self._logs),
            "missing": self._missing,
        }
