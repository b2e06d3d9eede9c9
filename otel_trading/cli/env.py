"""`otel-trading env`: every setting, its value in force and where it comes from."""

from __future__ import annotations

import os
from typing import cast

import click

from otel_trading import environment
from otel_trading.cli._output import console, emit_json, table
from otel_trading.errors import ConfigError

__all__ = ["command"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(*, as_json: bool) -> None:
    """Show every setting, its value in force and where it comes from.

    The OTEL_TRADING_* variables are ours; the OTEL_* below are OpenTelemetry's, with the defaults that we give them.
    """
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
