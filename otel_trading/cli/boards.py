"""`otel-trading boards`: a copy for somebody else's Grafana, a backup of all boards, and back."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from otel_trading import stack
from otel_trading.cli._output import emit_json
from otel_trading.cli.up import home_option
from otel_trading.errors import ConfigError, StackError
from otel_trading.stack import config
from otel_trading.stack._files import shipped
from otel_trading.stack.boards import Grafana, backup, basic, bearer, export, restore

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["command"]

F = TypeVar("F", bound="Callable[..., None]")
_FILE: Final = click.Path(dir_okay=False, path_type=Path)


def _access(function: F) -> F:
    """Give a command the options that say which Grafana, and what opens it; secrets come from files or variables."""
    for option in (
        click.option("--url", metavar="URL", envvar="GRAFANA_URL", help="Which Grafana; else that of the stack."),
        click.option("--token-file", type=_FILE, help="File with a service account's token; or GRAFANA_TOKEN."),
        click.option("--user", metavar="NAME", envvar="GRAFANA_USER", default="admin", show_default=True),
        click.option("--password-file", type=_FILE, help="File with the user's password; or GRAFANA_PASSWORD."),
        click.option("--json", "as_json", is_flag=True, help="For programs."),
        home_option,
    ):
        function = option(function)
    return function


@click.group()
def command() -> None:
    """Boards between Grafanas: a copy for import, a backup of all, and back."""


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


@command.command("backup")
@click.argument("file", type=_FILE, metavar="FILE")
@_access
def backup_command(file: Path, *, as_json: bool, **access: Any) -> None:
    """Write every board of a Grafana and its folders into one file."""
    uids = backup(_grafana(**access), file)
    if as_json:
        emit_json({"file": str(file), "boards": uids})
    else:
        click.echo(f"{len(uids)} boards in {file}")


@command.command("restore")
@click.argument("file", type=_FILE, metavar="FILE")
@_access
def restore_command(file: Path, *, as_json: bool, **access: Any) -> None:
    """Bring the boards of a backup into a Grafana, under their addresses and in their folders.

    Boards that the backup does not know stay. Those that Grafana reads from files stay as the files say.
    """
    restored = restore(_grafana(**access), file)
    if as_json:
        emit_json(asdict(restored))
    else:
        for what, uids in asdict(restored).items():
            click.echo(f"{what.replace('_', ' ')}: {len(uids)}")
        for uid, why in restored.refused.items():
            click.echo(f"{uid}: {why}", err=True)
    if restored.refused:
        raise SystemExit(1)


def _grafana(
    *, url: str | None, token_file: Path | None, user: str, password_file: Path | None, home: Path | None
) -> Grafana:
    """Return the Grafana that is meant: the one named, else that of the stack, which has its password on file."""
    token, password = None, None
    if token_file is not None or password_file is not None:  # what is said beats what lies around
        token = None if token_file is None else _secret(token_file)
        password = None if password_file is None else _secret(password_file)
    elif url is not None:
        token, password = os.environ.get("GRAFANA_TOKEN"), os.environ.get("GRAFANA_PASSWORD")
    if url is None:
        running = stack.find(home=home)
        if "grafana" not in running.urls:
            message = "The stack runs without Grafana, because none is on PATH. Name yours: --url http://..."
            raise StackError(message)
        url = running.urls["grafana"]
        if token is None and password is None:
            user, password = "admin", _secret(config.password_file(running.home))
    if token is not None:
        return Grafana(url, bearer(token))
    if password is None:
        message = f"Grafana on {url} wants to know who asks. Say --token-file FILE, or --user NAME --password-file FILE"
        raise ConfigError(message)
    return Grafana(url, basic(user, password))


def _secret(file: Path) -> str:
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        message = f"The secret in {file} cannot be read: {error}. Name a file that holds nothing else."
        raise ConfigError(message) from error
    if not secret or "\n" in secret:
        message = f"{file} must hold one secret on one line. Write it there."
        raise ConfigError(message)
    return secret
