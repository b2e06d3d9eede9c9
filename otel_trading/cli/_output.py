"""How every command speaks: results to stdout, progress to stderr, colour only where a person looks."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
from rich.console import Console
from rich.table import Table

__all__ = ["console", "emit_json", "printable", "table"]


def console() -> Console:
    """Return the console for results; wide where nobody looks, so that a pipe is never wrapped."""
    return Console(width=None if sys.stdout.isatty() else 1_000, highlight=False)


def table(*columns: str) -> Table:
    """Return an empty table in the house style."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def printable(text: str) -> str:
    """Return what others wrote (a log, a bot's name) without what would steer the terminal."""
    return "".join(each if each.isprintable() or each in "\n\t" else "\N{REPLACEMENT CHARACTER}" for each in text)


def emit_json(value: Any) -> None:
    """Print a result for programs."""
    click.echo(json.dumps(value, indent=2, sort_keys=True, default=str))
