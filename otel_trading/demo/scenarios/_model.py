"""What a scenario is: the cause of one alert, played by a bot that uses nothing but the public API."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["ALL", "Cause", "Scenario", "from_then_on", "scenario"]

_STEP: Final = 0.1
#: By name; filled by the modules of this package.
ALL: Final[dict[str, Scenario]] = {}


class Cause:
    """The time for which what is wrong stays wrong; ends when `end` is called."""

    def __init__(self) -> None:
        self._ended = False

    def end(self) -> None:
        """End it; may be called by a signal handler."""
        self._ended = True

    def holds(self, every: float = _STEP) -> bool:
        """Wait a moment and say whether it goes on: `while cause.holds(): ...` repeats what is wrong.

        Args:
            every: Seconds between two repetitions.
        """
        until = time.monotonic() + every
        while not self._ended and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _STEP))
        return not self._ended

    def hold(self) -> None:
        """Wait until it ends: what is wrong stays so by itself."""
        while self.holds():
            pass


def from_then_on(every: float = 0.5) -> Iterator[None]:
    """Go on for ever, so many seconds apart: for what a bot does again once all is well.

    Args:
        every: Seconds between two repetitions.
    """
    while True:
        yield
        time.sleep(every)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """How one alert is provoked.

    Args:
        alert: Name of the alert.
        labels: Of an alert that has several rules, what tells the one that is meant.
        play: Makes the cause, keeps it up while it holds, and sets right what does not end by itself.
        thresholds: What the bot's strategy is compared with in place of the defaults: times and sums that nobody could
            wait for.
        also: Alerts that the same cause rightly raises too.
        resolves: Whether the alert ends after the cause has.
        environment: Variables of the bot's process.
    """

    alert: str
    play: Callable[[Cause], None]
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    thresholds: Mapping[str, float] = field(default_factory=dict[str, float])
    also: tuple[str, ...] = ()
    resolves: bool = True
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def name(self) -> str:
        """Name of the alert, and what tells its rule from the others: `CredentialExpiring-critical`."""
        told = (key if value == "true" else value for key, value in self.labels.items() if value)
        return "-".join((self.alert, *told))

    @property
    def about(self) -> str:
        """One sentence: what goes wrong."""
        return (self.play.__doc__ or "").splitlines()[0]

    @property
    def service(self) -> str:
        """Name of the bot in telemetry: one of its own, so that no two scenarios mix."""
        return f"scenario-{self.name}"

    @property
    def strategy(self) -> str:
        """Name of the bot's strategy."""
        return self.name

    @property
    def venue(self) -> str:
        """Name of the bot's venue."""
        return f"venue-of-{self.name.lower()}"

    @property
    def account(self) -> str:
        """Alias of the bot's account."""
        return f"account-of-{self.name}"

    def is_meant_by(self, labels: Mapping[str, str]) -> bool:
        """Say whether an alert with these labels is the one that this provokes."""
        mine = {"alertname": self.alert, "service_name": self.service, **self.labels}
        return all(labels.get(name, "") == value for name, value in mine.items())


def scenario(
    alert: str,
    *,
    labels: Mapping[str, str] | None = None,
    thresholds: Mapping[str, float] | None = None,
    also: tuple[str, ...] = (),
    resolves: bool = True,
    environment: Mapping[str, str] | None = None,
) -> Callable[[Callable[[Cause], None]], Callable[[Cause], None]]:
    """Register a function as the scenario of an alert; see `Scenario` for the arguments."""

    def register(play: Callable[[Cause], None]) -> Callable[[Cause], None]:
        made = Scenario(
            alert=alert,
            labels=labels or {},
            play=play,
            thresholds=thresholds or {},
            also=also,
            resolves=resolves,
            environment=environment or {},
        )
        ALL[made.name] = made
        return play

    return register
