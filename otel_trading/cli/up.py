"""`otel-trading up`: start the stack and wait until it is healthy."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from otel_trading import stack
from otel_trading.cli import _expose
from otel_trading.stack import Ports, settings

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["command", "home_option"]

_LAST_PORT: Final = 65535
_PORTS: Final = ", ".join(field.name for field in fields(Ports))

home_option = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for configuration, data and logs of this stack.",
)


def _ports(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> Ports | None:
    """Turn NAME=NUMBER, repeated, into ports; None when nothing was said."""
    chosen: dict[str, int] = {}
    for value in values:
        name, _, number = value.partition("=")
        if (
            name not in {field.name for field in fields(Ports)}
            or not number.isdecimal()
            or not 0 < int(number) <= _LAST_PORT
        ):
            message = (
                f"got {value!r}; allowed is NAME=NUMBER with a number from 1 to 65535 and one of the names {_PORTS}."
            )
            raise click.BadParameter(message)
        chosen[name] = int(number)
    return replace(Ports(), **chosen) if chosen else None


def _settings(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command one option per setting."""
    for one in reversed(settings.ALL):
        text = f"{one.doc} [shipped: {one.default}; {one.least} to {one.most}]"
        metavar = "SIZE" if one.name == "retention_size" else "DURATION"
        function = click.option(one.option, one.name, metavar=metavar, help=text)(function)
    return function


@click.command()
@click.option("--native", "kind", flag_value="native", help="Servers without containers.")
@click.option("--docker", "kind", flag_value="docker", help="Containers, by docker compose.")
@home_option
@click.option(
    "--port", "ports", multiple=True, metavar="NAME=NUMBER", callback=_ports, help=f"Another port for one of: {_PORTS}."
)
@click.option(
    "--interval", metavar="DURATION", help="Scrape, evaluate and notify this often, e.g. 1s: for trying things out."
)
@_settings
@_expose.options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    kind: Literal["native", "docker"] | None,
    home: Path | None,
    ports: Ports | None,
    interval: str | None,
    *,
    expose: str | None,
    expose_as: tuple[str, ...],
    expose_certificate: Path | None,
    expose_key: Path | None,
    as_json: bool,
    **asked: str | None,
) -> None:
    """Start Collector, Prometheus, Alertmanager and Grafana.

    In containers where a Docker daemon answers, else natively; without both, the native servers are built once (about
    five minutes). Waits until all of them are healthy. Running it again does no harm; retention and intervals that
    were said once hold until others are said, and a stack that runs takes others over.

    Everything listens for this machine only, but for OTLP, Prometheus and Alertmanager with --expose.
    """
    running = stack.up(
        home=home,
        kind=kind or "auto",
        ports=ports,
        evaluation_interval=interval,
        expose=_expose.asked(expose, expose_as, expose_certificate, expose_key),
        settings=asked,
    )
    if as_json:
        result = {
            "home": str(running.home),
            "kind": running.kind,
            "started": running.started,
            "ports": asdict(running.ports),
            "urls": dict(running.urls),
            "alerts_file": str(running.alerts_file),
            "channels": running.channels,
            "dependencies": running.dependencies,
            "exposed": _expose.result(running),
        }
        click.echo(json.dumps(result))
        return
    click.echo(f"{'The stack is up' if running.started else 'The stack was up already'} ({running.kind}).")
    for name, url in running.urls.items():
        click.echo(f"  {name:<14}{url}")
    click.echo(f"  {'alerts go to':<14}{', '.join([str(running.alerts_file), *running.channels])}")
    for name, address in running.dependencies.items():
        click.echo(f"  {'watches':<14}{name} on {address}")
    if "grafana" in running.urls:
        click.echo(f"  {'grafana login':<14}admin, password in {running.home / 'secrets' / 'grafana_admin_password'}")
    for line in _expose.lines(running):
        click.echo(line)
    click.echo(
        f"Send telemetry to it: OTEL_EXPORTER_OTLP_ENDPOINT={running.otlp_endpoint} otel-trading run python bot.py"
    )
