"""`otel-trading check`: are these rules and boards right?"""

from __future__ import annotations

import importlib.util
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from otel_trading.cli._output import emit_json
from otel_trading.errors import StackError

if TYPE_CHECKING:
    from otel_trading.check.files import Report

__all__ = ["check_extra", "command"]

_EXTRA: Final = {"promql_parser": "promql-parser", "yaml": "PyYAML"}


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--strict", is_flag=True, help="Refuse every series that neither the convention nor a rule declares.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(paths: tuple[Path, ...], *, strict: bool, as_json: bool) -> None:
    """Check rules, thresholds (.yaml) and Grafana boards (.json) of your own, files or folders.

    Series, labels and values that do not exist, counters without rate, money added up over currencies, a mode left
    open, alerts without severity, team or texts: one sentence each, with its line. Series of your own are fine.
    """
    check_extra()
    from otel_trading.check import files  # noqa: PLC0415  so that --help works without the extra
    from otel_trading.stack import build  # noqa: PLC0415
    from otel_trading.stack._files import rule_files  # noqa: PLC0415

    promtool = build.found("promtool")
    report = files.check(paths, shipped=rule_files(), strict=strict, promtool=promtool)
    if as_json:
        emit_json({**asdict(report), "promtool": None if promtool is None else str(promtool)})
    else:
        _print(report, promtool)
    if report.findings:
        raise SystemExit(1)


def _print(report: Report, promtool: Path | None) -> None:
    for finding in report.findings:
        click.echo(str(finding))
    for file in report.skipped:
        click.echo(f"{file}: neither rules nor a board, left out", err=True)
    if promtool is None:
        click.echo(
            "promtool is not built yet (otel-trading up builds it): syntax was read by our own parser.", err=True
        )
    number, many = len(report.findings), len(report.checked)
    findings = "no findings" if not number else "1 finding" if number == 1 else f"{number} findings"
    click.echo(f"{findings} in {'1 file' if many == 1 else f'{many} files'}.", err=True)


def check_extra() -> None:
    """Refuse to go on without the parsers.

    Raises:
        StackError: With what to install.
    """
    missing = [name for module, name in _EXTRA.items() if importlib.util.find_spec(module) is None]
    if missing:
        message = f"This needs {' and '.join(missing)}. Install: pip install 'otel-trading[check]'"
        raise StackError(message)
