"""`otel-trading demo`: the whole thing at work, in one command."""

from __future__ import annotations

import importlib.util
import json
import signal
import sys
from typing import TYPE_CHECKING, Any, Final, Literal

import click
from rich.console import Console

from otel_trading.cli._scenarios import known, play
from otel_trading.cli.up import home_option
from otel_trading.errors import StackError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]

_EXTRA: Final = ("aiohttp", "bokeh_sampledata", "requests", "websockets")


def _scenario(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    return None if value is None else known(value)


@click.command()
@click.option("--duration", type=click.FloatRange(min=1), help="Seconds; without it, until Ctrl-C.")
@click.option("--speed", type=click.FloatRange(0.1, 20), default=1.0, help="1: a trading day in six seconds.")
@click.option("--seed", type=int, default=1, help="The same seed replays the same market and the same faults.")
@click.option("--embedded", is_flag=True, help="Without servers: the board reads the bot's own /metrics.")
@click.option("--native", "kind", flag_value="native", help="Servers without containers.")
@click.option("--docker", "kind", flag_value="docker", help="Containers, by docker compose.")
@click.option("--keep", is_flag=True, help="Leave the stack running, to look around.")
@home_option
@click.option(
    "--scenario",
    metavar="NAME",
    callback=_scenario,
    help="Provoke this alert instead, on rules whose minutes pass in seconds; `list` names all.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    duration: float | None,
    speed: float,
    seed: int,
    kind: Literal["native", "docker"] | None,
    home: Path | None,
    *,
    scenario: str | None,
    embedded: bool,
    keep: bool,
    as_json: bool,
) -> None:
    """Trade real market data on a paper venue and watch what Prometheus holds of it.

    Starts the stack, a venue that misbehaves on purpose, and an ordinary bot under `otel-trading run`. The bot runs in
    mode live, so that the shipped alerts really fire; no money moves.
    """
    if scenario is not None:
        if embedded:
            message = "--scenario needs the servers that --embedded leaves out. Give one of the two."
            raise click.UsageError(message)
        play(scenario, kind=kind or "auto", home=home, keep=keep, patience=duration, as_json=as_json)
        return
    _check_extra()
    from otel_trading.demo.runner import Demo, Options  # noqa: PLC0415  so that --help works without the extra

    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))  # being ended is cleaned up like Ctrl-C
    options = Options(
        duration=duration, speed=speed, seed=seed, embedded=embedded, kind=kind or "auto", home=home, keep=keep
    )
    result = Demo(options, Console(stderr=True)).run()
    click.echo(json.dumps(result) if as_json else _text(result))
    if not result["fills"]:
        sys.exit(1)


def _check_extra() -> None:
    missing = [name for name in _EXTRA if importlib.util.find_spec(name) is None]
    if missing:
        message = f"The demo needs {', '.join(missing)}. Install: pip install 'otel-trading[demo]'"
        raise StackError(message)


def _text(result: dict[str, Any]) -> str:
    where = "Prometheus" if result["source"] == "prometheus" else "the bot's own /metrics"
    counts = f"{result['orders']:.0f} orders, {result['fills']:.0f} fills, {result['rejections']:.0f} rejected"
    lines = [f"{result['seconds']:.0f} s: {counts}, as counted by {where}."]
    if result["alerts_file"]:
        names = ", ".join(result["alerts_delivered"]) or "none"
        lines.append(f"Alerts delivered: {names} (in {result['alerts_file']})")
    if result["kept"]:
        lines += ["The stack runs on:", *(f"  {name:<14}{url}" for name, url in result["urls"].items())]
        lines.append("Next: otel-trading doctor, then your own bot: otel-trading run python my_bot.py")
    elif result["source"] == "prometheus":
        lines.append(
            "The stack is down again. Next: otel-trading demo --keep, and look around in Prometheus and Grafana."
        )
    else:
        lines.append(f"{result['missing'] or 'Next, with servers: otel-trading demo'}")
    return "\n".join(lines)
