"""`otel-trading backup` and `otel-trading restore`: what the stack has stored in one file, and back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

from otel_trading import stack
from otel_trading.cli._output import emit_json
from otel_trading.cli.up import home_option
from otel_trading.stack import backup

__all__ = ["command", "restore_command"]

_FILE: Final = click.Path(dir_okay=False, path_type=Path)
_MIB: Final = 1 << 20


@click.command()
@click.argument("file", type=_FILE, metavar="FILE")
@home_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(file: Path, home: Path | None, *, as_json: bool) -> None:
    """Write what the stack has stored into one file; it may run meanwhile.

    In it: metrics, silences, which alerts were told, alerts and changes of thresholds, and your own rules, boards and
    targets. Not in it: secrets, and Grafana's own boards, which have `otel-trading boards backup`.
    """
    made = backup.backup((home or stack.home_in_use()).absolute(), file)
    if as_json:
        emit_json(_shown(made, file))
    else:
        click.echo(f"{len(made.files)} files, {made.size / _MIB:.1f} MiB in {file}")


@click.command()
@click.argument("file", type=_FILE, metavar="FILE")
@home_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def restore_command(file: Path, home: Path | None, *, as_json: bool) -> None:
    """Bring a backup into the home of a stack that is down; what it replaces is kept aside."""
    made, aside = backup.restore((home or stack.default_home()).absolute(), file)
    if as_json:
        emit_json({**_shown(made, file), "replaced": aside})
        return
    click.echo(
        f"Restored: {len(made.files)} files, {made.size / _MIB:.1f} MiB of {made.made}. Start it: otel-trading up"
    )
    if aside is not None:
        click.echo(f"What was there is in {aside}")
    if made.channels:
        click.echo(f"Channels whose secrets are not in a backup: {', '.join(made.channels)}")


def _shown(made: backup.Backup, file: Path) -> dict[str, Any]:
    return {**asdict(made), "files": len(made.files), "file": str(file)}
