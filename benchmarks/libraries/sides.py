"""The sides of a comparison: the same file run once for each, in processes of their own that take turns.

A process stays on its side for good. To switch the hooks on and off in one process, as this benchmark once did, makes
CPython forget after each switch what it had specialised for every class that was touched and all below it: the next
calls paid for that, with the hooks more of them than without, which no bot ever does. All sides run on one core, since
a process that shares its core with somebody else's work looks dearer than it is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["BARE", "HOOKED", "SIDES", "TRACED", "TRACED_WITHOUT", "Asked", "Turns", "asked"]

BARE: Final = "bare"
HOOKED: Final = "hooked"
TRACED_WITHOUT: Final = "traced without"
TRACED: Final = "traced"
#: Nothing; our hook; OpenTelemetry's own instrumentation and traces; all that `otel-trading run` switches on.
SIDES: Final = (BARE, HOOKED, TRACED_WITHOUT, TRACED)
_VARIABLE: Final = "OTEL_TRADING_COST_SIDE"


@dataclass(frozen=True)
class Asked:
    """What the process that takes this side is asked for."""

    side: str
    name: str
    commands: TextIO
    answers: TextIO

    def tell(self, answer: Any) -> None:
        """Answer a command."""
        print(json.dumps(answer), file=self.answers, flush=True)


def asked() -> Asked | None:
    """Return what this process is asked for, or None when it is the one that asks."""
    if _VARIABLE not in os.environ:
        return None
    side, name, commands, answers = json.loads(os.environ[_VARIABLE])
    return Asked(side, name, os.fdopen(os.dup(commands)), os.fdopen(os.dup(answers), "w"))


class Turns:
    """Runs this file once for each side, and lets them answer by turns.

    Args:
        name: The comparison in this file that they are to take part in.
    """

    def __init__(self, name: str) -> None:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        self._processes: list[subprocess.Popen[bytes]] = []
        self._pipes = {side: self._start(side, name) for side in SIDES}

    def _start(self, side: str, name: str) -> tuple[TextIO, TextIO]:
        commands, out = os.pipe()
        back, answers = os.pipe()
        environment = {
            **os.environ,
            _VARIABLE: json.dumps([side, name, commands, answers]),
            "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",  # as `otel-trading run` sets it
            "PYTHONHASHSEED": "0",  # else the dictionaries of two sides lie differently
        }
        started = subprocess.Popen([sys.executable, *sys.argv], env=environment, pass_fds=(commands, answers))
        os.close(commands)
        os.close(answers)
        self._processes.append(started)
        return os.fdopen(out, "w"), os.fdopen(back)

    def ask(self, side: str, command: str = "") -> Any:
        """Return what a side answers to a command."""
        commands, answers = self._pipes[side]
        print(command, file=commands, flush=True)
        line = answers.readline()
        if not line:
            message = f"The side {side!r} ended before it answered; what it said stands above."
            raise SystemExit(message)
        return json.loads(line)

    def end(self) -> None:
        """Let all of them end."""
        for commands, _ in self._pipes.values():
            commands.close()
        for process in self._processes:
            process.wait(timeout=60)
