"""What goes wrong, and when: a seeded script, and whatever the admin endpoint adds."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["KINDS", "Fault", "Faults", "script"]

#: What each fault does, for as long as it lasts.
KINDS: Final = {
    "silence": "a market data line says nothing, its connections stay up",
    "drop": "a line's connections are cut, new ones are refused",
    "reject_storm": "every new order is rejected",
    "latency": "every reply takes half a second longer",
    "gap": "a market data line loses messages, once",
    "rate_limit": "every call is answered 429",
}
#: Seconds until the script begins again.
ROUND: Final = 90.0
_SCRIPT: Final = (
    ("gap", "a", 7.0, 1.0),
    ("latency", "", 9.0, 3.0),
    # Longer than VenueConnectionLost waits (30 s) and its way to the file.
    ("drop", "b", 12.0, 42.0),
    ("reject_storm", "", 17.0, 4.0),
    ("rate_limit", "", 26.0, 2.0),
    ("silence", "a", 34.0, 6.0),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Args:
        kind: One of `KINDS`.
        line: Which stream it hits: a market data line, `fills`, or empty where it does not matter.
        start: When, in seconds since the venue started.
        seconds: For how long.
        every: Seconds until it comes again, or 0 for once.
    """

    kind: str
    line: str
    start: float
    seconds: float
    every: float = 0.0

    def active(self, now: float) -> bool:
        """Whether it holds at a time."""
        since = now - self.start
        return since >= 0 and (since % self.every if self.every else since) < self.seconds


def script(seed: int) -> list[Fault]:
    """Return the demo's faults, each moved by up to half a second: the same seed gives the same ones."""
    rng = random.Random(f"faults/{seed}")  # noqa: S311  a script, not a secret
    return [Fault(kind, line, start + rng.uniform(-0.5, 0.5), last, ROUND) for kind, line, start, last in _SCRIPT]


class Faults:
    """The faults in force.

    Args:
        planned: Known from the start.
        clock: Monotonic seconds.
    """

    def __init__(self, planned: list[Fault], clock: Callable[[], float] = time.monotonic) -> None:
        self._faults = list(planned)
        self._clock = clock
        self._start = clock()

    def add(self, kind: str, *, line: str = "", seconds: float = 5.0) -> Fault:
        """Begin a fault now.

        Raises:
            ValueError: For a kind that does not exist.
        """
        if kind not in KINDS:
            message = f"kind is {kind!r}, one of {', '.join(KINDS)} is needed."
            raise ValueError(message)
        fault = Fault(kind, line, self._now(), seconds)
        self._faults.append(fault)
        return fault

    def active(self, kind: str, line: str = "") -> bool:
        """Whether a fault of this kind hits this line now."""
        now = self._now()
        return any(fault.kind == kind and fault.line == line and fault.active(now) for fault in self._faults)

    def _now(self) -> float:
        return self._clock() - self._start
