"""Starts the bot of a scenario and follows its alert through the receiver's file."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from otel_trading.demo import child

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from otel_trading.demo.child import Child
    from otel_trading.demo.scenarios._model import Scenario
    from otel_trading.stack import Stack

__all__ = ["Notification", "Playing", "notifications", "play"]

#: Seconds between two exports of the bot.
EXPORT: Final = 0.5
_RUN: Final = ("-c", "from otel_trading.cli import main; main()", "run")


@dataclass(frozen=True, slots=True)
class Notification:
    """One alert as it arrived at a receiver.

    Args:
        received: When it came, RFC 3339.
        receiver: Whose it is.
        status: firing or resolved.
        labels: Of the alert.
        annotations: Its texts.
    """

    received: str
    receiver: str
    status: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def alert(self) -> str:
        """Name of the alert."""
        return self.labels["alertname"]


def notifications(file: Path, service: str) -> list[Notification]:
    """Return what the receiver's file holds of one bot, in the order in which it came."""
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines if line.endswith("\n")]
    return [
        Notification(row["received"], row["receiver"], row["status"], row["labels"], row["annotations"])
        for row in rows
        if row["labels"].get("service_name") == service
    ]


class Playing:
    """A bot at play.

    Args:
        scenario: What it plays.
        bot: Its process.
        file: The receiver's.
        before: How many notifications of it an earlier run left there.
    """

    def __init__(self, scenario: Scenario, bot: Child, file: Path, before: int) -> None:
        self.bot = bot
        self._scenario = scenario
        self._file = file
        self._before = before

    def end_cause(self) -> None:
        """Set right what is wrong; the bot stays, and goes on where it had been suspended."""
        for sign in (signal.SIGUSR1, signal.SIGCONT):
            self.bot.signal(sign)

    def arrived(self) -> list[Notification]:
        """Return every notification of this bot since its start."""
        return notifications(self._file, self._scenario.service)[self._before :]


@contextlib.contextmanager
def play(running: Stack, scenario: Scenario, logs: Path) -> Generator[Playing]:
    """Play a scenario inside the block: its bot sends to this stack, and is ended afterwards.

    Args:
        running: Where telemetry goes.
        scenario: What to play.
        logs: Folder for what the bot says.

    Raises:
        StackError: The bot cannot be started.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    environment = {
        **own,
        "OTEL_SERVICE_NAME": scenario.service,
        # No money is at stake, but only live may page.
        "OTEL_TRADING_MODE": "live",
        "OTEL_EXPORTER_OTLP_ENDPOINT": running.otlp_endpoint,
        "OTEL_METRIC_EXPORT_INTERVAL": f"{EXPORT * 1000:.0f}",
        # How busy this machine is belongs to no scenario.
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "system_metrics",
        **scenario.environment,
    }
    command = (*_RUN, sys.executable, "-m", "otel_trading.demo.scenarios", scenario.name)
    before = len(notifications(running.alerts_file, scenario.service))
    log = logs / f"{scenario.service}.log"
    with child.python(scenario.service, command, environment=environment, log=log, answers=True) as bot:
        bot.first_line()
        try:
            yield Playing(scenario, bot, running.alerts_file, before)
        finally:
            bot.signal(signal.SIGCONT)
