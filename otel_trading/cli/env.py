"""`otel-trading env`: every setting, its value in force and where it comes from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import click

from otel_trading import environment
from otel_trading.cli._output import console, emit_json, table
from otel_trading.errors import ConfigError

__all__ = ["command"]


@click.command()
@click.option(
    "--remote",
    is_flag=False,
    flag_value="",
    metavar="[FOLDER]",
    help="What a bot on another machine sets instead, with its two files in that folder there.",
)
@click.option(
    "--home", type=click.Path(path_type=Path), help="With --remote: where the stack was started; the usual place."
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(remote: str | None, home: Path | None, *, as_json: bool) -> None:
    """Show every setting, its value in force and where it comes from.

    The OTEL_TRADING_* variables are ours; the OTEL_* below are OpenTelemetry's, with the defaults that we give them.
    """
    if remote is not None:
        from otel_trading.cli import _remote  # noqa: PLC0415  only this pays for the stack

        _remote.show(home, remote, as_json=as_json)
        return
    from otel_trading.sdk.setup import DEFAULTS  # noqa: PLC0415  only this command pays for the SDK

    rows = [_own(setting) for setting in environment.ALL]
    rows += [_standard(name, default) for name, default in DEFAULTS.items()]
    if as_json:
        emit_json(rows)
    else:
        shown = table("variable", "value", "from", "allowed", "meaning")
        for row in rows:
            shown.add_row(row["name"], row["value"], row["source"], row["allowed"], row["doc"])
        console().print(shown)
    environment.check()
    wrong = [row["name"] for row in rows if row["source"] == "wrong"]
    if wrong:
        message = f"{', '.join(wrong)} cannot be used. See the column 'allowed'."
        raise ConfigError(message)


def _own(setting: environment.Setting[object]) -> dict[str, str]:
    try:
        value, source = _text(setting.get()), "environment" if os.environ.get(setting.name) else "default"
    except ConfigError:
        value, source = os.environ[setting.name], "wrong"
    return {"name": setting.name, "value": value, "source": source, "allowed": setting.allowed, "doc": setting.doc}


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(cast("tuple[str, ...]", value))
    return str(int(value)) if isinstance(value, bool) else str(value)


def _standard(name: str, default: str) -> dict[str, str]:
    value = os.environ.get(name)
    return {
        "name": name,
        "value": value or default,
        "source": "environment" if value else "default",
        "allowed": "see OpenTelemetry",
        "doc": "OpenTelemetry's own variable; this is the default that we give it.",
    }
