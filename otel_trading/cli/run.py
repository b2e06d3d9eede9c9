"""`otel-trading run CMD...`: auto-instrument an existing bot, unchanged."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click

from otel_trading import environment
from otel_trading.errors import ConfigError, StackError

__all__ = ["command", "instrumented"]


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--service", help="Name of the bot in telemetry (OTEL_SERVICE_NAME); the script's name when left out.")
@click.option("--mode", type=click.Choice(["live", "paper", "backtest", "replay"]), help="OTEL_TRADING_MODE.")
@click.option("--endpoint", help="Where OTLP goes (OTEL_EXPORTER_OTLP_ENDPOINT).")
@click.argument("cmd", nargs=-1, required=True, type=click.UNPROCESSED)
def command(service: str | None, mode: str | None, endpoint: str | None, cmd: tuple[str, ...]) -> None:
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
    os.environ.pop(FIRST_PROCESS, None)  # a bot of its own, also when another bot starts it
    program = shutil.which(cmd[0])
    if program is None:
        message = f"There is no program {cmd[0]!r} on PATH. Name one, for instance: otel-trading run python bot.py"
        raise StackError(message)
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
    check_standard()
