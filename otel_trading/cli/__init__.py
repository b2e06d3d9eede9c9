"""The `otel-trading` command: one file per sub-command, loaded only when it is called.

Results go to stdout, progress to stderr. Exit codes: 0 ok, 1 a finding, 2 usage or configuration, 3 environment.
"""

from __future__ import annotations

import importlib
import sys
from typing import Final

import click

from otel_trading.errors import OtelTradingError, StackError

__all__ = ["COMMANDS", "cli", "main"]

#: Command name -> module with a `command` in it. The order is the order of a first day with the tool.
COMMANDS: Final[dict[str, str]] = {
    "demo": "otel_trading.cli.demo",
    "run": "otel_trading.cli.run",
    "up": "otel_trading.cli.up",
    "down": "otel_trading.cli.down",
    "status": "otel_trading.cli.status",
    "top": "otel_trading.cli.top",
    "alerts": "otel_trading.cli.alerts",
    "silence": "otel_trading.cli.silence",
    "doctor": "otel_trading.cli.doctor",
    "query": "otel_trading.cli.query",
    "logs": "otel_trading.cli.logs",
    "env": "otel_trading.cli.env",
    "metrics": "otel_trading.cli.metrics",
    "check": "otel_trading.cli.check",
    "apply": "otel_trading.cli.apply",
    "kubernetes": "otel_trading.cli.kubernetes",
    "boards": "otel_trading.cli.boards",
    "backup": "otel_trading.cli.backup",
    "restore": "otel_trading.cli.restore",
    "export": "otel_trading.cli.export",
}


class _LazyGroup(click.Group):
    """Imports a command's module on first use, so that `otel-trading env` never pays for the stack."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = importlib.import_module(module).command
        if not isinstance(command, click.Command):
            message = f"{module}.command is a {type(command).__name__}, not a click command."
            raise TypeError(message)
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="otel-trading", prog_name="otel-trading")
def cli() -> None:
    """See what your trading system does: OpenTelemetry for orders, fills, feeds, P&L and limits."""


def main() -> None:
    """Run the command line; turns our errors into one sentence and an exit code."""
    try:
        cli(prog_name="otel-trading")
    except OtelTradingError as error:
        click.echo(f"otel-trading: {error}", err=True)
        sys.exit(3 if isinstance(error, StackError) else 2)
