"""`otel-trading export`: what Prometheus holds, in a file for a spreadsheet, a report or a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from otel_trading import stack
from otel_trading.cli._output import emit_json
from otel_trading.cli.up import home_option
from otel_trading.errors import ConfigError
from otel_trading.export import daily, files, period, source, what
from otel_trading.top.prometheus import Prometheus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["command"]

_FIRST: Final = ("time", "metric")
_MIB: Final = 1 << 20


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@click.argument("wanted", metavar="[WHAT]", default=what.DAILY)
@click.option("--since", default="1d", show_default=True, metavar="TIME", help="So long ago, or a date (UTC).")
@click.option("--until", metavar="TIME", help="Likewise; now when not given.")
@click.option("--step", metavar="DURATION", help="A value this often, such as 1m, in place of every stored sample.")
@click.option("--prometheus", "url", metavar="URL", help="Another Prometheus than that of this stack.")
@home_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    *,
    file: Path,
    wanted: str,
    since: str,
    until: str | None,
    step: str | None,
    url: str | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """Write what Prometheus holds into FILE: .csv, .json, .jsonl or .parquet.

    WHAT is `daily` (the totals, worst and last values of the day), the name of a metric, `all` metrics of the
    convention, a selector or, with --step, any PromQL. Times are UTC, numbers are as Prometheus has them. Exits 1 when
    there is nothing to write.
    """
    files.check(file)
    asked = period.parse(since, until)
    every = None if step is None else period.milliseconds("--step", step)
    address = Prometheus(url or stack.find(home=home).urls["prometheus"]).url
    if wanted == what.DAILY:
        if every is not None:
            message = "The daily report has one row per figure, and takes no --step. Leave it out, or name a metric."
            raise ConfigError(message)
        count = files.write(file, daily.rows(address, asked), daily.FIRST)
    else:
        chosen = what.selector(wanted)
        found = source.steps(address, chosen, asked, every) if every else source.samples(address, chosen, asked)
        count = files.write(file, _rows(found), _FIRST)
    between = {"since": period.written(asked.start), "until": period.written(asked.end)}
    size, words = file.stat().st_size if count else 0, f"{between['since']} to {between['until']}"
    if as_json:
        emit_json({"file": str(file) if count else None, "rows": count, "bytes": size, **between})
    elif count:
        click.echo(f"{count:,} rows, {size / _MIB:.1f} MiB in {file}: {words}")
    else:
        click.echo(f"Prometheus holds nothing of that from {words}; no file was written.")
    if not count:
        raise SystemExit(1)


def _rows(found: Iterable[source.Sample]) -> Iterator[dict[str, Any]]:
    taken = {*_FIRST, files.VALUE}
    for one in found:
        labels = {
            f"exported_{label}" if label in taken else label: text
            for label, text in one.labels.items()
            if label != "__name__"
        }
        yield {"time": one.time, "metric": one.labels.get("__name__", ""), **labels, "value": one.value}
