"""Keeps the board fresh: drawn in place on a terminal, else one line per change and a summary every ten seconds."""

from __future__ import annotations

import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import requests
from rich.live import Live

from otel_trading.demo.board.figures import figures
from otel_trading.demo.board.render import View, draw
from otel_trading.demo.board.source import Prometheus, Samples
from otel_trading.top.alerts import current
from otel_trading.top.queries import SERVICE

if TYPE_CHECKING:
    from collections.abc import Generator

    from rich.console import Console

    from otel_trading.demo.board.alerts import Delivered
    from otel_trading.demo.board.figures import Figures
    from otel_trading.demo.board.source import Source
    from otel_trading.top.alerts import Alert

__all__ = ["Board"]

#: Rates speak of so many seconds.
_SPAN: Final = 5.0
_SUMMARY: Final = 10.0


class Board:
    """The board.

    Args:
        console: Where to draw.
        source: Where the numbers come from.
        service: `service.name` of the bot.
        title: What runs.
        where: Says in words where the numbers come from.
        duration: Seconds until the end, or None.
        delivered: The receiver's file, where there is one.
        footer: The last line.
    """

    def __init__(
        self,
        console: Console,
        source: Source,
        *,
        service: str,
        title: str,
        where: str,
        duration: float | None = None,
        delivered: Delivered | None = None,
        footer: str = "",
    ) -> None:
        self._console = console
        self._source = source
        self._service = service
        self._delivered = delivered
        self._fetched: deque[Samples] = deque(maxlen=60)
        self._begun = time.monotonic()
        self._told: dict[str, str] = {}
        self._next_summary = 0.0
        self._live: Live | None = None
        self._equity: deque[float] = deque(maxlen=60)
        self._orders: deque[float] = deque(maxlen=60)
        self.fired: set[str] = set()
        self.view = View(title, 0.0, duration, where, None, self._equity, self._orders, footer=footer)

    @contextmanager
    def shown(self) -> Generator[None]:
        """Show the board inside the block; it stays on the screen afterwards."""
        if not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, auto_refresh=False, transient=False) as self._live:
            yield

    def refresh(self) -> None:
        """Fetch, and show what is new; where nobody answers, what was known stays."""
        self.view.elapsed = time.monotonic() - self._begun
        try:
            self._fetch()
        except requests.RequestException as error:
            self._tell("source", f"{self.view.source} does not answer ({type(error).__name__})")
        if self._live is not None:
            self._live.update(draw(self.view, self._console.width), refresh=True)
        elif self.view.figures is not None:
            self._tell_changes(self.view.figures)

    def _fetch(self) -> None:
        now = self._source.fetch()
        if now:
            self._fetched.append(now)
            before = next((old for old in self._fetched if now.time - old.time <= _SPAN), now)
            self.view.figures = figures(now, before)
            self._orders.append(self.view.figures.order_rate)
            if self.view.figures.equity is not None:
                self._equity.append(self.view.figures.equity)
        if isinstance(self._source, Prometheus):
            self.view.alerts = current(self._source.alerts(), **{SERVICE: self._service})
            self.fired |= {alert.name for alert in self.view.alerts if alert.state == "firing"}
        else:
            self.view.alerts = None
        if self._delivered is not None:
            self._tell_delivered(self._delivered.read())
            self.view.delivered = self._delivered.alerts

    def _tell_delivered(self, alerts: list[Alert]) -> None:
        for alert in alerts:
            if self._live is None:
                self._say(f"delivered: {alert} is {alert.state}")

    def _tell_changes(self, now: Figures) -> None:
        self._tell("strategy", f"strategy is {now.state}")
        for connection in now.connections:
            # A connection that is tried again and again is lost: one line, not one per try.
            state = "lost" if connection.state in {"connecting", "disconnected"} else connection.state
            self._tell(connection.name, f"connection {connection.name} is {state}")
        alerts = {f"alert {alert}": alert.state for alert in self.view.alerts or ()}
        over = {key: "over" for key in self._told if key.startswith("alert ")}
        for key, state in {**over, **alerts}.items():
            self._tell(key, f"{key} is {state}")
        if self.view.elapsed >= self._next_summary:
            self._next_summary = self.view.elapsed + _SUMMARY
            self._say(_summary(now))

    def _tell(self, what: str, line: str) -> None:
        if self._told.get(what) != line:
            self._told[what] = line
            if self._live is None:
                self._say(line)

    def _say(self, line: str) -> None:
        self._console.print(f"{self.view.elapsed:6.1f} s  {line}", highlight=False, markup=False, soft_wrap=True)


def _summary(now: Figures) -> str:
    money = "" if now.equity is None else f"equity {now.equity:,.2f}, "
    session = "" if now.session_pnl is None else f"session P&L {now.session_pnl:+,.2f}, "
    latency = "" if now.latency is None else f", call p95 {now.latency * 1e3:.0f} ms"
    return (
        f"{money}{session}{now.orders:.0f} orders ({now.order_rate:.1f}/s), {now.rejections:.0f} rejected, "
        f"{now.fills:.0f} fills{latency}"
    )
