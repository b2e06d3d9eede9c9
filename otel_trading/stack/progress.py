"""What the stack says while it works: a bar with an estimate on a terminal, else one line per state change."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress_bar import ProgressBar

if TYPE_CHECKING:
    from collections.abc import Generator

    from rich.progress import Task

__all__ = ["Progress"]

#: A bar that waits for an estimate never claims to be done.
_ALMOST = 0.98


class _Estimated(ProgressColumn):
    """A bar that fills with the time that passed, because `go build` does not say how far it is."""

    def render(self, task: Task) -> ProgressBar:
        seconds = float(task.fields["seconds"])
        return ProgressBar(total=seconds, completed=min(task.elapsed or 0.0, _ALMOST * seconds), width=40)


class Progress:
    """Tells a person what is happening.

    Args:
        console: Where to write; stderr when none is given.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)

    def say(self, line: str) -> None:
        """Write one line."""
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def step(self, what: str, seconds: float) -> Generator[None]:
        """Show that something long is under way.

        Args:
            what: What is done, as in "building prometheus".
            seconds: How long it is expected to take, in seconds.
        """
        begun = time.monotonic()
        if self._console.is_terminal:
            estimate = TextColumn(f"of about {seconds:.0f} s")
            with Bars(
                SpinnerColumn(),
                TextColumn(what),
                _Estimated(),
                TimeElapsedColumn(),
                estimate,
                console=self._console,
                transient=True,
            ) as bars:
                bars.add_task(what, total=None, seconds=seconds)
                yield
        else:
            self.say(f"{what}, about {seconds:.0f} s ...")
            yield
        self.say(f"{what}: done in {time.monotonic() - begun:.0f} s")
