"""`otel-trading status`: how every part of the stack is."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.table import Table

from otel_trading import stack
from otel_trading.cli.up import home_option

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import ServiceStatus

__all__ = ["command"]

_WIDE: Final = 200
_COLOURS: Final = {"healthy": "green", "unhealthy": "yellow", "down": "red"}


@click.command()
@home_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(home: Path | None, *, as_json: bool) -> None:
    """Show every service with its state; exits 1 when one is not healthy or nothing was started."""
    services = stack.status(home=home)
    if as_json:
        click.echo(json.dumps([asdict(service) for service in services]))
    elif services:
        # Piped output has no width: nothing may be cut off.
        Console(width=None if sys.stdout.isatty() else _WIDE).print(_table(services))
        for service in services:
            if service.note:
                click.echo(f"{service.service}: {service.note}")
            if service.settings:
                held = (f"{name.replace('_', ' ')} {text}" for name, text in service.settings.items())
                click.echo(f"{service.service}: {', '.join(held)}")
    else:
        click.echo("The stack is not up. Start it: otel-trading up")
    if not services or any(service.state != "healthy" for service in services):
        sys.exit(1)


def _table(services: list[ServiceStatus]) -> Table:
    table = Table("service", "state", "version", "url", "pid", "since", box=None)
    for one in services:
        state = f"[{_COLOURS[one.state]}]{one.state}[/]"
        table.add_row(one.service, state, one.version, one.url, "" if one.pid is None else str(one.pid), one.since)
    return table
