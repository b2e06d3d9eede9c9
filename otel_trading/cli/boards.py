"""`otel-trading boards`: a copy of the boards for somebody else's Grafana."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from otel_trading.cli._output import emit_json
from otel_trading.stack._files import shipped
from otel_trading.stack.boards import export

__all__ = ["command"]

_FILE: Final = click.Path(dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Boards for other Grafanas."""


@command.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER")
@click.argument("files", nargs=-1, type=_FILE, metavar="[BOARD]...")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def export_command(folder: Path, files: tuple[Path, ...], *, as_json: bool) -> None:
    """Write boards for *Import* in any Grafana from 9.4 on, which then asks for the data source.

    All of ours, or the .json files that are named.
    """
    made = export(list(files) or sorted(shipped("dashboards/json").glob("*.json")), folder)
    if as_json:
        emit_json([str(path) for path in made])
    else:
        click.echo("\n".join(map(str, made)))
