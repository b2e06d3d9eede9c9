"""`otel-trading apply`: rules, boards and targets of a repository, into the stack."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from otel_trading import stack
from otel_trading.cli._output import emit_json
from otel_trading.cli.check import check_extra
from otel_trading.cli.up import home_option
from otel_trading.stack import delivery

__all__ = ["command"]


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@home_option
def command(*, folder: Path, as_json: bool, home: Path | None) -> None:
    """Bring my-rules/, my-boards/ and bots/ of a repository into the stack, where they are in force at once.

    They are checked first (otel-trading check); a finding exits 1 and changes nothing. What Prometheus refuses is taken
    back. What an earlier delivery brought and the repository no longer has goes; what you made by hand stays.
    """
    check_extra()
    findings = _findings(folder)
    changes = delivery.Changes() if findings else delivery.deliver(folder, (home or stack.home_in_use()).absolute())
    if as_json:
        emit_json({**asdict(changes), "findings": [asdict(each) for each in findings]})
    elif findings:
        click.echo("\n".join(map(str, findings)))
        click.echo("Nothing was delivered.", err=True)
    else:
        told = [f"{name:<8} {kind}" for name, kinds in asdict(changes).items() for kind in kinds]
        click.echo("\n".join(told) or "Nothing changed.")
    if findings:
        raise SystemExit(1)


def _findings(folder: Path) -> list[Any]:
    from otel_trading.check import files  # noqa: PLC0415  so that --help works without the extra
    from otel_trading.stack import build  # noqa: PLC0415
    from otel_trading.stack._files import rule_files  # noqa: PLC0415

    judged = [folder / name for name in delivery.read(folder) if not name.startswith("bots/")]
    return list(files.check(judged, shipped=rule_files(), promtool=build.found("promtool")).findings)
