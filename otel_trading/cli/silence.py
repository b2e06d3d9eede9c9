"""`otel-trading silence`: hold alerts back for a while, see what is held back, end it."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from otel_trading import stack
from otel_trading.cli._output import console, emit_json, table
from otel_trading.cli.up import home_option
from otel_trading.stack import silences

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack.silences import Silence

__all__ = ["command"]


@click.command()
@click.option("--venue", metavar="NAME", help="Alerts about this venue.")
@click.option("--service", metavar="NAME", help="Alerts of this bot (service name).")
@click.option("--job", metavar="NAME", help="Alerts of this job in Prometheus; ServiceDown has no other name.")
@click.option("--strategy", metavar="NAME", help="Alerts of this strategy.")
@click.option("--account", metavar="NAME", help="Alerts of this account (alias).")
@click.option("--alert", metavar="NAME", help="Alerts of this name, such as MarketDataStale.")
@click.option("--for", "lasting", metavar="DURATION", help="How long, such as 30m or 2h; a week at most.")
@click.option("--why", metavar="TEXT", help="The reason, for whoever finds the silence.")
@click.option("--list", "show", is_flag=True, help="Show the silences that hold.")
@click.option("--expire", "ending", metavar="ID", help="End a silence now; the beginning of its id is enough.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@home_option
def command(
    *,
    lasting: str | None,
    why: str | None,
    show: bool,
    ending: str | None,
    as_json: bool,
    home: Path | None,
    **chosen: str | None,
) -> None:
    """Hold alerts back for a bounded time, with a reason.

    What is named is matched exactly and all of it has to match: --venue kraken --service momentum-bot is this bot at
    kraken only. Critical alerts are held back too. The file and the channels get nothing of it meanwhile; what still
    fires when it ends is delivered then.
    """
    named = {key: value for key, value in chosen.items() if value is not None}
    if show + (ending is not None) + bool(named or lasting is not None or why is not None) > 1:
        message = "Say one thing at a time: a new silence, --list or --expire ID."
        raise click.UsageError(message)
    if not show and ending is None:
        if lasting is None:
            message = "A silence has to end. Say how long it lasts, for instance: --for 2h"
            raise click.UsageError(message)
        silences.check(named, why or "")
    url = stack.find(home=home).urls["alertmanager"]
    if show:
        _show(silences.current(url), as_json=as_json)
    elif ending is not None:
        _say("Ended", silences.expire(url, ending), as_json=as_json)
    else:
        made = silences.add(
            url, named, lasting=silences.parse_duration(lasting or ""), why=why or "", author=getpass.getuser()
        )
        _say("Silent", made, as_json=as_json)


def _say(what: str, silence: Silence, *, as_json: bool) -> None:
    if as_json:
        emit_json(asdict(silence))
        return
    click.echo(f"{what}: {silence.matchers} until {silence.until}, by {silence.by}: {silence.why}")
    click.echo(f"Alerts that fire now and are held back by it: {silence.mutes}")
    if what == "Silent":
        click.echo(f"End it earlier: otel-trading silence --expire {silence.id}")


def _show(found: list[Silence], *, as_json: bool) -> None:
    if as_json:
        emit_json([asdict(one) for one in found])
    elif not found:
        click.echo("Nothing is silenced.")
    else:
        shown = table("id", "state", "what", "until", "mutes now", "by", "why")
        for one in found:
            shown.add_row(
                one.id, one.state, escape(one.matchers), one.until, str(one.mutes), escape(one.by), escape(one.why)
            )
        console().print(shown)
