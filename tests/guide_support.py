"""Guides whose commands are executed: what stands in their fenced blocks, and what a command did not show of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Step", "missing", "rows", "sections"]

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"(?ms)^```(\w*)\n(.*?)^```$")


@dataclass(frozen=True)
class Step:
    """A command of a guide, and the lines that it shows."""

    command: str
    shown: tuple[str, ...]


def sections(guide: str) -> dict[str, list[Step]]:
    """Return the commands below each heading of a guide that has any."""
    found: dict[str, list[Step]] = {}
    for part in re.split(r"(?m)^## ", (ROOT / guide).read_text(encoding="utf-8"))[1:]:
        steps: list[Step] = []
        for kind, text in _BLOCK.findall(part):
            assert kind in {"sh", "text"}, f"{guide} has a block that is neither a command nor what it shows: {text}"
            if kind == "sh":
                steps.append(Step(text.strip(), ()))
            else:
                steps[-1] = Step(steps[-1].command, tuple(text.strip().splitlines()))
        if steps:
            found[part.splitlines()[0]] = steps
    return found


def missing(shown: tuple[str, ...], output: str) -> list[str]:
    """Return the promised lines that did not come in this order; `...` stands for anything, blanks count as one."""
    lines = iter([" ".join(line.split()) for line in output.splitlines()])
    wanted = {line: ".*".join(re.escape(" ".join(part.split())) for part in line.split("...")) for line in shown}
    return [line for line, pattern in wanted.items() if not any(re.fullmatch(pattern, given) for given in lines)]


def rows(guide: str, heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without its head."""
    (part,) = re.findall(rf"(?ms)^## {heading}$(.*?)(?=^## |\Z)", (ROOT / guide).read_text(encoding="utf-8"))
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in lines]
