"""`otel-trading demo --scenario NAME`: which there are, and what came of one."""

from __future__ import annotations

import difflib
import signal
import sys
from typing import TYPE_CHECKING, Any, Final, Literal

import click
from rich.console import Console

from otel_trading.cli._output import console, emit_json, table

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LIST", "known", "play"]

#: In place of a name.
LIST: Final = "list"


def known(name: str) -> str:
    """Return the name of a scenario as it is written, or `list`.

    Raises:
        click.BadParameter: There is none of that name; says which there are.
    """
    from otel_trading.demo.scenarios import ALL  # noqa: PLC0415  only this option pays for it

    names = {each.lower(): each for each in (*ALL, LIST)}
    if name.lower() in names:
        return names[name.lower()]
    near = difflib.get_close_matches(name.lower(), names, n=3)
    meant = f"Did you mean {' or '.join(names[each] for each in near)}? " if near else ""
    message = f"got {name!r}; allowed is the name of an alert that has a scenario: {', '.join(sorted(ALL))}. {meant}"
    raise click.BadParameter(message + "Look at what each does: otel-trading demo --scenario list")


def play(
    name: str,
    *,
    kind: Literal["auto", "native", "docker"],
    home: Path | None,
    keep: bool,
    patience: float | None,
    as_json: bool,
) -> None:
    """Play a scenario, or list them; exits 1 when its alert did not arrive."""
    from otel_trading.demo.scenarios import ALL  # noqa: PLC0415  likewise
    from otel_trading.demo.scenarios.show import Options, Show  # noqa: PLC0415  likewise

    if name == LIST:
        _list(as_json=as_json)
        return
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))  # being ended is cleaned up like Ctrl-C
    options = (
        Options(kind=kind, home=home, keep=keep)
        if patience is None
        else Options(kind=kind, home=home, keep=keep, patience=patience)
    )
    result = Show(ALL[name], options, Console(stderr=True)).run()
    arrived = [one for one in result["delivered"] if ALL[name].is_meant_by(one["labels"])]
    if as_json:
        emit_json(result)
    else:
        click.echo(_text(name, arrived, result))
    if not arrived:
        sys.exit(1)


def _list(*, as_json: bool) -> None:
    from otel_trading.demo.scenarios import ALL  # noqa: PLC0415  likewise

    if as_json:
        emit_json({name: scenario.about for name, scenario in ALL.items()})
        return
    shown = table("scenario", "what goes wrong")
    for name, scenario in sorted(ALL.items()):
        shown.add_row(name, scenario.about)
    console().print(shown)


def _text(name: str, arrived: list[dict[str, Any]], result: dict[str, Any]) -> str:
    told = ", then ".join(f"{one['status']} at {one['receiver']}" for one in arrived)
    lines = [f"{name}: {told} (in {result['alerts_file']})" if told else f"{name} did not arrive."]
    if result["kept"]:
        lines += ["The stack runs on:", *(f"  {service:<14}{url}" for service, url in result["urls"].items())]
    return "\n".join(lines)
