"""`otel-trading run CMD...`: auto-instrument an existing bot, unchanged."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from otel_trading import _accounts, environment
from otel_trading.cli import _planned
from otel_trading.errors import ConfigError, StackError

if TYPE_CHECKING:
    from datetime import timedelta

__all__ = ["command", "instrumented"]

_PLANNED: Final = "--planned-restart"


class _Run(click.Command):
    """Lets the bot's command follow `--planned-restart` at once: what does not begin with a digit is no duration."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        place = 0
        while place < len(args) and args[place].startswith("--"):
            if args[place] == _PLANNED and not "".join(args[place + 1 : place + 2])[:1].isdigit():
                args = [*args[:place], f"{_PLANNED}={_planned.USUAL}", *args[place + 1 :]]
            place += 1 if "=" in args[place] else 2
        return super().parse_args(ctx, args)


@click.command(cls=_Run, context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--service", help="Name of the bot in telemetry (OTEL_SERVICE_NAME); the script's name when left out.")
@click.option("--mode", type=click.Choice(["live", "paper", "backtest", "replay"]), help="OTEL_TRADING_MODE.")
@click.option("--endpoint", help="Where OTLP goes (OTEL_EXPORTER_OTLP_ENDPOINT).")
@click.option(
    _PLANNED,
    "planned",
    metavar="[DURATION]",
    callback=_planned.parse,
    help="Hold back what this bot's absence raises (TelemetryLost, StrategyHung, RestartLoop, ServiceDown), nothing "
    f"else, for {_planned.USUAL} or the given time, 1h at most; once an hour.",
)
@click.argument("cmd", nargs=-1, required=True, type=click.UNPROCESSED)
def command(
    service: str | None, mode: str | None, endpoint: str | None, planned: timedelta | None, cmd: tuple[str, ...]
) -> None:
    """Run a bot with telemetry, for instance: otel-trading run python my_bot.py.

    The bot's own code stays as it is; every OTEL_* and OTEL_TRADING_* variable that you set is honoured.
    """
    from otel_trading.sdk.resource import FIRST_PROCESS  # noqa: PLC0415  only this command pays for the SDK

    given = {
        "OTEL_SERVICE_NAME": service,
        environment.OTEL_TRADING_MODE.name: mode,
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
    }
    os.environ.update({name: value for name, value in given.items() if value})
    os.environ.update(instrumented(os.environ, cmd))
    _check()
    program = shutil.which(cmd[0])
    if program is None:
        message = f"There is no program {cmd[0]!r} on PATH. Name one, for instance: otel-trading run python bot.py"
        raise StackError(message)
    if planned is not None:
        click.echo(f"otel-trading: {_planned.announce(planned)}", err=True)
    os.environ.pop(FIRST_PROCESS, None)  # a bot of its own, also when another bot starts it
    os.execv(program, [program, *cmd[1:]])  # noqa: S606  the user's own command, no shell in between


def instrumented(environ: os._Environ[str] | dict[str, str], cmd: tuple[str, ...]) -> dict[str, str]:
    """Return what to add to an environment so that a Python program in it starts instrumented.

    Args:
        environ: The environment so far.
        cmd: The command, for the name of the service.
    """
    from opentelemetry.instrumentation import auto_instrumentation  # noqa: PLC0415  only this command pays for it

    site = str(Path(auto_instrumentation.__file__).parent)
    before = environ.get("PYTHONPATH", "")
    others = [path for path in before.split(os.pathsep) if path != site]  # an empty one means the current folder
    wanted = {
        "PYTHONPATH": os.pathsep.join([site, *others]) if before else site,
        "OTEL_PYTHON_DISTRO": "otel_trading",  # with several distros installed the first one found would win
        "OTEL_PYTHON_CONFIGURATOR": "otel_trading",
    }
    if not environ.get("OTEL_SERVICE_NAME") and "service.name=" not in environ.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        wanted["OTEL_SERVICE_NAME"] = _name(cmd)
    return wanted


def _name(cmd: tuple[str, ...]) -> str:
    """Return `my_bot` for `python -O my_bot.py --fast`, `pkg.bot` for `python -m pkg.bot`, else the program's name."""
    program = Path(cmd[0]).name
    if not program.startswith("python"):
        return program
    words = iter(cmd[1:])
    for word in words:
        if not word.startswith("-"):
            return Path(word).stem
        if word.startswith("--"):
            continue
        last = word[-1]
        if last == "m":
            return next(words, program)
        if last in "c-":
            return program
        if last in "WX":  # these two take a value
            next(words, None)
    return program


def _check() -> None:
    """Refuse a bad setting here: auto-instrumentation would log it and run the bot blind."""
    from otel_trading.sdk.readers import check_standard  # noqa: PLC0415  only this command pays for the SDK

    if os.environ.get("OTEL_CONFIG_FILE") and not Path(os.environ["OTEL_CONFIG_FILE"]).is_file():
        message = f"OTEL_CONFIG_FILE is {os.environ['OTEL_CONFIG_FILE']!r}, which is no file. Correct it or unset it."
        raise ConfigError(message)
    environment.check()
    _accounts.check()
    check_standard()
