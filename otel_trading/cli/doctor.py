"""`otel-trading doctor`: which hop between a bot and its board is broken, and what to do."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.markup import escape

from otel_trading import stack
from otel_trading.cli._hops import Hop, Targets, follow
from otel_trading.cli._output import console, emit_json
from otel_trading.errors import StackError
from otel_trading.stack import config

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["command"]

_MARKS: Final = {"ok": "[green]ok[/]", "broken": "[red]broken[/]", "absent": "[yellow]-[/]", "unchecked": "[dim]?[/]"}


@click.command()
@click.option("--home", type=click.Path(path_type=Path), help="Where the stack was started; the usual place.")
@click.option("--otlp", help="Base URL of the Collector; OTEL_EXPORTER_OTLP_ENDPOINT, else the stack's.")
@click.option("--prometheus", help="Base URL of Prometheus; the stack's.")
@click.option("--alertmanager", help="Base URL of Alertmanager; the stack's.")
@click.option("--grafana", help="Base URL of Grafana; the stack's.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(
    *,
    home: Path | None,
    otlp: str | None,
    prometheus: str | None,
    alertmanager: str | None,
    grafana: str | None,
    as_json: bool,
) -> None:
    """Follow one canary from here to the board, hop by hop; exits 1 at the first broken one.

    It sends one gauge, otel_trading.doctor.canary, through the same exporter that a bot uses. Targets that are down,
    bots that fell silent and series without end are told as well; they break no hop.
    """
    targets = _targets(home, {"otlp": otlp, "prometheus": prometheus, "alertmanager": alertmanager, "grafana": grafana})
    found: list[Hop] = []
    for number, hop in enumerate(follow(targets), start=1):
        found.append(hop)
        if not as_json:
            _show(number, hop)
    if as_json:
        emit_json([asdict(hop) for hop in found])
    if any(hop.state == "broken" for hop in found):
        sys.exit(1)


def _show(number: int, hop: Hop) -> None:
    console().print(f"{number} {_MARKS[hop.state]} {hop.name}: {escape(hop.evidence)}", soft_wrap=True)
    if hop.fix:
        console().print(f"  do this: {escape(hop.fix)}", soft_wrap=True)


def _targets(home: Path | None, given: Mapping[str, str | None]) -> Targets:
    password, gate = None, None
    try:
        running = stack.find(home=home)
        known = {**running.urls, "otlp": running.otlp_endpoint}
        password = config.password_file(running.home)
        gate = next((one for one in stack.status(home=running.home) if running.exposed and one.service == "gate"), None)
    except StackError:
        ports = stack.Ports()
        known = {
            "prometheus": f"http://localhost:{ports.prometheus}",
            "alertmanager": f"http://localhost:{ports.alertmanager}",
        }
    from otel_trading.sdk.readers import endpoint  # noqa: PLC0415  the SDK loads late

    return Targets(
        otlp=given["otlp"]
        or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip()
        or known.get("otlp")
        or endpoint(),
        prometheus=given["prometheus"] or known["prometheus"],
        alertmanager=given["alertmanager"] or known["alertmanager"],
        grafana=given["grafana"] or known.get("grafana"),
        grafana_password=password if password and password.is_file() else None,
        gate=gate,
    )
