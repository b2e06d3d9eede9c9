"""Keeps the picture fresh on the terminal's second screen, so that nothing of it stays behind."""

from __future__ import annotations

import os
import select
import sys
import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from rich.live import Live
from rich.text import Text

from otel_trading.errors import StackError
from otel_trading.top.picture import look
from otel_trading.top.render import draw

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rich.console import Console, RenderableType

    from otel_trading.top.picture import Picture
    from otel_trading.top.prometheus import Prometheus
    from otel_trading.top.queries import Filters

__all__ = ["watch"]

#: How soon a key or another size of the window is seen.
_BLINK: Final = 0.25


def watch(console: Console, prometheus: Prometheus, chosen: Filters, interval: float) -> None:
    """Show the picture until q or Ctrl-C; while Prometheus is away, the last one stays and says so.

    Args:
        console: A terminal.
        prometheus: Whom to ask.
        chosen: What to show.
        interval: Seconds between two refreshes.
    """
    picture: Picture | None = None

    def shown(note: str) -> RenderableType:
        if picture is None:
            return Text(f"{note} Trying again every {interval:g} s; q ends.", "bold red")
        width, height = console.size
        return draw(picture, chosen, url=prometheus.url, width=width, height=height, note=note)

    with (
        suppress(KeyboardInterrupt),
        _keys() as pressed,
        Live(console=console, screen=True, auto_refresh=False) as live,
    ):
        while True:
            note = ""
            try:
                picture = look(prometheus, chosen)
            except StackError as error:
                note = str(error)
            if _ended(live, partial(shown, note), pressed, interval):
                return


def _ended(live: Live, shown: Callable[[], RenderableType], pressed: Callable[[float], str], interval: float) -> bool:
    """Show one picture for an interval, anew when the window's size changes; say whether q was pressed."""
    until, size = time.monotonic() + interval, None
    while (left := until - time.monotonic()) > 0:
        if size != live.console.size:
            size = live.console.size
            live.update(shown(), refresh=True)
        if pressed(min(left, _BLINK)) in {"q", "Q"}:
            return True
    return False


def _no_key(seconds: float) -> str:
    time.sleep(seconds)
    return ""


@contextmanager
def _keys() -> Generator[Callable[[float], str]]:
    """Give a function that waits for a key; the terminal is as before afterwards."""
    if not sys.stdin.isatty():
        yield _no_key
        return
    import termios  # noqa: PLC0415  not on Windows, where `top` works without keys
    import tty  # noqa: PLC0415

    file = sys.stdin.fileno()
    before = termios.tcgetattr(file)
    try:
        tty.setcbreak(file)
        yield (
            lambda seconds: (
                os.read(file, 1).decode("ascii", "ignore") if select.select([file], [], [], seconds)[0] else ""
            )
        )
    finally:
        termios.tcsetattr(file, termios.TCSADRAIN, before)
