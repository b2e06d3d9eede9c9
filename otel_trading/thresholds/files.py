"""The two files of rules that the declarations become; they are committed and a test compares.

Only for a checkout: it needs PyYAML, which an installed package can do without.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Final

import yaml

from otel_trading.thresholds import ALL, rules

__all__ = ["FILES", "Dumper", "render", "write"]

_ALERTS: Final = Path(__file__).parents[2] / "alerts"
_MADE: Final = "# Made by `python -m otel_trading.thresholds` from otel_trading/thresholds/; do not edit.\n"
_DEFAULTS: Final = """\
#
# Every number that alerts and boards compare with, as series. `otel-trading alerts --set NAME=VALUE` sets your own; it
# goes into config/my-rules/ of the stack's home, which `otel-trading up` never touches.
#
# Who wins: the app's own limit (`trading.risk.limit`), then yours for one strategy or account (threshold_scope is
# "strategy" or "account"), then yours for all ("local"), then the default. Rules and boards read only the winner,
# trading:threshold_in_force:*. Of two numbers of the same scope the stricter one holds.
#
# Money has no default: 500 USD is nothing to one account and everything to the next. Without a loss limit from the app
# or from you, DailyLossLimitMissing warns.
"""
_IN_FORCE: Final = """\
#
# For each live bot and strategy the number that wins: the app's own limit, then a user's for that strategy, then a
# user's for all, then the default.
"""
FILES: Final = {Path("thresholds.yaml"): _DEFAULTS, Path("rules", "in_force.yaml"): _IN_FORCE}


class Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and lists of a mapping indented."""

    def increase_indent(self, flow: bool = False, *_: bool, **__: bool) -> None:  # noqa: FBT001, FBT002  PyYAML's
        """Indent the lists of a mapping."""
        super().increase_indent(flow=flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


Dumper.add_representer(str, _text)


def render(file: Path) -> str:
    """Return the text of one of `FILES`."""
    groups = rules.defaults() if file == Path("thresholds.yaml") else rules.in_force()
    body = yaml.dump({"groups": groups}, Dumper=Dumper, sort_keys=False, width=10_000, allow_unicode=True)
    return _MADE + FILES[file] + _explained(body)


def _explained(body: str) -> str:
    """Put the brief of a threshold before its first rule, for whoever reads the file."""
    for each in ALL:
        first = f"      - record: {each.record}\n"
        brief = textwrap.fill(each.brief, 120, initial_indent="      # ", subsequent_indent="      # ")
        body = body.replace(first, f"{brief}\n{first}", 1)
    return body


def write(folder: Path = _ALERTS) -> list[Path]:
    """Write the files and return them."""
    for file in FILES:
        (folder / file).write_text(render(file), encoding="utf-8")
    return [folder / file for file in FILES]
