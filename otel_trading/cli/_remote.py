"""What `otel-trading env --remote` says: how a bot on another machine reaches this exposed stack."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otel_trading import stack
from otel_trading.cli._output import emit_json
from otel_trading.environment import OTEL_TRADING_OTLP_TOKEN_FILE, OTEL_TRADING_PASSWORD_FILE
from otel_trading.errors import StackError
from otel_trading.stack import exposure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_trading.stack import Stack
    from otel_trading.stack.state import Exposed

__all__ = ["show"]


def show(home: Path | None, folder: str, *, as_json: bool) -> None:
    """Print the variables; the token itself never.

    Args:
        home: Where the stack was started; the usual place.
        folder: Where the bot's machine has the files; empty for where this one has them.
        as_json: For programs.

    Raises:
        StackError: It is not exposed.
    """
    running = stack.find(home=home)
    if running.exposed is None:
        message = f"The stack in {running.home} is for this machine only. Let others in: otel-trading up --expose"
        raise StackError(message)
    files = _files(running)
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": exposure.url(running.exposed, running.ports.otlp_http),
        **{name: f"{folder.rstrip('/')}/{file.name}" if folder else str(file) for name, file in files.items()},
    }
    if as_json:
        emit_json(variables)
        return
    for line in _before(running, files, folder):
        click.echo(f"# {line}")
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")
    token = shlex.quote(variables[OTEL_TRADING_OTLP_TOKEN_FILE.name])
    click.echo("# Any other OpenTelemetry SDK, in place of the last line; the token then stands in its environment:")
    click.echo(f'# export OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20$(head -n 1 {token})"')
    for line in _operator(running, running.exposed, variables):
        click.echo(f"# {line}")


def _operator(running: Stack, exposed: Exposed, variables: Mapping[str, str]) -> list[str]:
    """Return what whoever looks after bots there types; a bot needs none of it."""
    file = exposure.operator_password(running.home)
    place = Path(variables[OTEL_TRADING_OTLP_TOKEN_FILE.name]).with_name(file.name)
    prometheus = exposure.url(exposed, running.ports.prometheus)
    alertmanager = exposure.url(exposed, running.ports.alertmanager)
    return [
        f"To look from there, not for bots, with this password beside it: {shlex.quote(str(file))}",
        f"export {OTEL_TRADING_PASSWORD_FILE.name}={shlex.quote(str(place))}",
        f"otel-trading top --prometheus {prometheus}",
        f"otel-trading doctor --prometheus {prometheus} --alertmanager {alertmanager}",
    ]


def _files(running: Stack) -> dict[str, Path]:
    token = {OTEL_TRADING_OTLP_TOKEN_FILE.name: exposure.bot_token(running.home)}
    if running.exposed and running.exposed.certificate:
        return token
    return {"OTEL_EXPORTER_OTLP_CERTIFICATE": exposure.authority_file(running.home), **token}


def _before(running: Stack, files: dict[str, Path], folder: str) -> list[str]:
    copy = f"scp -p {shlex.join(map(str, files.values()))} BOT-MACHINE:{shlex.quote(folder or 'FOLDER')}/"
    lines = [f"Copy to the bot's machine, once; the token is a secret: {copy}"]
    if running.exposed and running.exposed.certificate:
        lines.append("Where that machine does not know the CA of your certificate: OTEL_EXPORTER_OTLP_CERTIFICATE=FILE")
    return [*lines, "Then, there, before the bot starts:"]
