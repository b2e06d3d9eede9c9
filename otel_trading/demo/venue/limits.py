"""The request budget: so many calls per window."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LIMIT", "WINDOW", "RateLimit"]

LIMIT: Final = 200
#: Seconds.
WINDOW: Final = 10.0


class RateLimit:
    """A fixed window: the budget is whole again when the next window begins.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun = clock()
        self._used = 0

    def take(self) -> bool:
        """Use one call of the budget; False when there is none left."""
        if self._clock() - self._begun >= WINDOW:
            self._begun, self._used = self._clock(), 0
        allowed = self._used < LIMIT
        self._used += allowed
        return allowed

    def headers(self) -> dict[str, str]:
        """Return what every reply tells of the budget."""
        return {"X-RateLimit-Limit": str(LIMIT), "X-RateLimit-Remaining": str(LIMIT - self._used)}

    def retry_after(self) -> str:
        """Return the whole seconds until the next window, at least 1."""
        return str(max(1, math.ceil(WINDOW - (self._clock() - self._begun))))
