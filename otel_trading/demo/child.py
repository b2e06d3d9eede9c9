"""Processes of the demo: started in order, ended in reverse order, none left behind."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Final

from otel_trading.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

__all__ = ["Child", "python"]

_GRACE: Final = 8.0
_START: Final = 30.0
_LAST_LINES: Final = 5


class Child:
    """A running process.

    Args:
        name: What people call it.
        process: The process.
        log: The file that takes what it says.
    """

    def __init__(self, name: str, process: subprocess.Popen[str], log: Path) -> None:
        self._name = name
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def first_line(self) -> str:
        """Wait for its first line on stdout and return it; one that says nothing is ended.

        Raises:
            StackError: It ended without one.
        """
        impatience = threading.Timer(_START, self._process.kill)
        impatience.start()
        line = self._process.stdout.readline().strip() if self._process.stdout else ""
        impatience.cancel()
        if not line:
            self._process.wait(_GRACE)
            self.check()
        return line

    def check(self) -> None:
        """Make sure that it still runs.

        Raises:
            StackError: It does not; with the last lines of its log.
        """
        code = self._process.poll()
        if code is not None:
            last = "\n".join(self._log.read_text().splitlines()[-_LAST_LINES:])
            message = f"The demo's {self._name} ended by itself (exit {code}). The end of {self._log}:\n{last}"
            raise StackError(message)

    def signal(self, number: int) -> None:
        """Send it a signal; one that has ended takes none."""
        self._process.send_signal(number)

    def end(self) -> None:
        """Ask it to end, force it when it does not."""
        self._process.terminate()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def python(
    name: str, arguments: Sequence[str], *, environment: Mapping[str, str], log: Path, answers: bool = False
) -> Generator[Child]:
    """Run Python with these arguments inside the block.

    Args:
        name: What people call it.
        arguments: Of the interpreter.
        environment: All of its variables.
        log: File that takes what it says; written anew.
        answers: Its stdout is for `first_line` instead.

    Raises:
        StackError: It cannot be started.
    """
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if answers else errors,
                stderr=errors,
                env=environment,
                text=True,
                # Ctrl-C is ours: we end them in order, the bot before the venue that it still talks to.
                start_new_session=True,
            )
    except OSError as error:
        message = f"The demo's {name} cannot be started: {error}. Make room for {log} or choose another --home."
        raise StackError(message) from error
    child = Child(name, process, log)
    with process:
        try:
            yield child
        finally:
            child.end()
