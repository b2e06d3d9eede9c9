"""`otel-trading top`: the overview in the terminal."""

from __future__ import annotations

import io
import signal
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, get_args

import click
from rich.console import Console

from otel_trading import stack
from otel_trading.cli._output import emit_json
from otel_trading.cli.up import home_option
from otel_trading.semconv.attributes import Mode
from otel_trading.top.live import watch
from otel_trading.top.picture import look
from otel_trading.top.prometheus import Prometheus
from otel_trading.top.queries import Filters
from otel_trading.top.render import draw

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command()
@click.option("--mode", type=click.Choice(get_args(Mode)), default="live", show_default=True, help="One at a time.")
@click.option("--strategy", metavar="NAME", help="Only this strategy.")
@click.option("--venue", metavar="NAME", help="Only this venue.")
@click.option("--service", metavar="NAME", help="Only this bot (service name).")
@click.option("--interval", type=click.FloatRange(min=1), default=5.0, show_default=True, help="Seconds.")
@click.option("--once", is_flag=True, help="Print one picture and end; so it is without a terminal, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one picture as JSON.")
@click.option("--prometheus", "url", metavar="URL", help="Another Prometheus than that of this stack.")
@home_option
def command(
    *,
    mode: str,
    strategy: str | None,
    venue: str | None,
    service: str | None,
    interval: float,
    once: bool,
    as_json: bool,
    url: str | None,
    home: Path | None,
) -> None:
    """Show money, orders, feeds, limits and firing alerts live, from what Prometheus holds; q ends it.

    Exits 3 with --once or --json when Prometheus does not answer; live, it goes on trying.
    """
    prometheus = Prometheus(url or stack.find(home=home).urls["prometheus"])
    chosen = Filters(mode, strategy, venue, service)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without UTF-8 gets marks instead of bars
    if as_json:
        emit_json(asdict(look(prometheus, chosen)) | {"chosen": asdict(chosen), "prometheus": prometheus.url})
        return
    console = Console(highlight=False)
    if once or not console.is_terminal:
        picture = look(prometheus, chosen)
        console.print(draw(picture, chosen, url=prometheus.url, width=console.width, height=None))
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # being ended is cleaned up like Ctrl-C
    watch(console, prometheus, chosen, interval)
