"""`otel-trading down`: end the stack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from otel_trading import stack
from otel_trading.cli.up import home_option

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command()
@home_option
@click.option("--volumes", is_flag=True, help="Also delete what the stack stored: metrics, alerts, queues.")
@click.option("--yes", is_flag=True, help="Delete without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(home: Path | None, *, volumes: bool, yes: bool, as_json: bool) -> None:
    """End the stack; what it stored stays, unless --volumes is given."""
    if volumes and not yes:
        where = home or stack.home_in_use()
        click.confirm(f"Delete all metrics, alerts and queues in {where}?", abort=True, err=True)
    ended = stack.down(home=home, volumes=volumes)
    if as_json:
        click.echo(json.dumps({"ended": ended, "volumes_deleted": volumes}))
    elif ended:
        click.echo(f"Ended: {', '.join(ended)}.")
    else:
        click.echo("Nothing was running.")
