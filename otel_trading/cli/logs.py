"""`otel-trading logs`: what a server of the stack said last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otel_trading.cli._output import emit_json, printable
from otel_trading.cli.up import home_option
from otel_trading.stack import server_logs

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command()
@click.argument("service")
@click.option("--lines", type=click.IntRange(min=1), default=20, show_default=True, help="How many, from the end.")
@click.option("--json", "as_json", is_flag=True, help="Print the lines as JSON.")
@home_option
def command(*, service: str, lines: int, as_json: bool, home: Path | None) -> None:
    """Show what a server of the stack said last.

    For instance: otel-trading logs collector. Of a native stack also after its end, as long as its home is there.
    """
    said = server_logs.last(service, lines, home=home)
    if as_json:
        emit_json(said)
    else:
        for line in said:
            click.echo(printable(line))
