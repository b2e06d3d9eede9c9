"""`otel-trading demo --scenario NAME`: one fault, its alert on the way, what arrives, and its end."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from otel_trading import stack
from otel_trading.demo import servers
from otel_trading.demo.scenarios import player, thresholds
from otel_trading.stack import loopback

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console

    from otel_trading.demo.scenarios._model import Scenario
    from otel_trading.demo.scenarios.player import Notification, Playing
    from otel_trading.stack import Stack

__all__ = ["Options", "Show"]

#: An hour of a rule passes in a minute.
SPEEDUP: Final = 60.0
_POLL: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for.

    Args:
        kind: Which stack.
        home: The stack's home; the demo's own when not given.
        keep: Leave the stack running.
        patience: Seconds in which the alert has to arrive, and afterwards has to end.
    """

    kind: Literal["auto", "native", "docker"] = "auto"
    home: Path | None = None
    keep: bool = False
    patience: float = 180.0


class Show:
    """One scenario, told line by line.

    Args:
        scenario: What goes wrong.
        options: What the command line asks for.
        console: Who is told.
    """

    def __init__(self, scenario: Scenario, options: Options, console: Console) -> None:
        self._scenario = scenario
        self._options = options
        self._console = console
        self._begun = time.monotonic()

    def run(self) -> dict[str, Any]:
        """Play the scenario to its end and return what was delivered.

        Raises:
            StackError: The stack or the bot cannot be started or ended by itself.
        """
        home = self._options.home or stack.demo_home()
        with contextlib.ExitStack() as ends:
            running = servers.up(home, self._options.kind, stack.Progress(self._console), speedup=SPEEDUP)
            if running.started and not self._options.keep:
                ends.callback(stack.down, home=home)
            ends.enter_context(thresholds.in_force(running, [self._scenario]))
            self._begun = time.monotonic()
            self._say(f"[bold]{self._scenario.name}[/]: {self._scenario.about}")
            playing = ends.enter_context(player.play(running, self._scenario, home / "logs"))
            with contextlib.suppress(KeyboardInterrupt):
                self._follow(running, playing)
            return {
                "scenario": self._scenario.name,
                "about": self._scenario.about,
                "delivered": [asdict(one) for one in playing.arrived()],
                "alerts_file": str(running.alerts_file),
                "kept": self._options.keep or not running.started,
                "urls": dict(running.urls),
            }

    def _follow(self, running: Stack, playing: Playing) -> None:
        told = self._wait(playing, "firing", lambda: self._state(running))
        if told is None:
            return
        self._say(f"[bold red]delivered[/] to {told.receiver}: {told.annotations['summary']}")
        for name in ("description", "action", "runbook_url", "dashboard_url"):
            self._console.print(f"         {name:<14}{told.annotations[name]}", markup=False, soft_wrap=True)
        playing.end_cause()
        if self._scenario.resolves:
            self._say("the cause has ended")
            if self._wait(playing, "resolved", lambda: "") is not None:
                self._say("[bold green]resolved[/], and delivered as such")

    def _wait(self, playing: Playing, status: str, state: Callable[[], str]) -> Notification | None:
        until, last = time.monotonic() + self._options.patience, ""
        while time.monotonic() < until:
            playing.bot.check()
            for one in playing.arrived():
                if one.status == status and self._scenario.is_meant_by(one.labels):
                    return one
            if (now := state()) != last:
                self._say(f"{now} in Prometheus")
                last = now
            time.sleep(_POLL)
        self._say(f"not {status} within {self._options.patience:g} s")
        return None

    def _state(self, running: Stack) -> str:
        alerts = json.loads(loopback.ask(f"{running.urls['prometheus']}/api/v1/alerts"))["data"]["alerts"]
        return next(
            (str(one["state"]) for one in alerts if self._scenario.is_meant_by(one["labels"])), "not yet pending"
        )

    def _say(self, line: str) -> None:
        self._console.print(f"{time.monotonic() - self._begun:5.1f} s  {line}", soft_wrap=True, highlight=False)
