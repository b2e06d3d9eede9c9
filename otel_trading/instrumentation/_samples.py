"""Which messages of a busy feed are looked at more closely."""

from __future__ import annotations

import time
from typing import Final

__all__ = ["Sample"]

_ALL: Final = 10
_EVERY: Final = 16


class Sample:
    """Of one feed the messages whose delay is recorded: of each second the first ten, then every sixteenth.

    A delay is a value of a histogram, which costs several times of what it costs to count its message. Of a feed with
    no more than ten messages a second none is left out; counts and ages are of all messages, always.
    """

    __slots__ = ("_number", "_until")

    def __init__(self) -> None:
        self._number, self._until = 0, 0.0

    def takes(self) -> bool:
        """Return whether the message that came now belongs to it."""
        now = time.monotonic()
        if now >= self._until:
            self._number, self._until = 0, now + 1.0
        self._number += 1
        return self._number <= _ALL or not self._number % _EVERY
