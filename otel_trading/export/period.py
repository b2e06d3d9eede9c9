"""From when to when: as long ago, or as a date and time, which are UTC unless they say otherwise."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Final

from otel_trading.errors import ConfigError

__all__ = ["Period", "milliseconds", "parse", "written"]

_UNITS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DURATION: Final = re.compile(r"([0-9]{1,7})(ms|s|m|h|d|w)")


@dataclass(frozen=True, slots=True)
class Period:
    """What is asked for: after `start`, up to and with `end`, in milliseconds since 1970."""

    start: int
    end: int


def milliseconds(option: str, text: str) -> int:
    """Return how long a duration such as `90s`, `5m` or `1d` is.

    Args:
        option: Whose value it is, for the message.
        text: What was given.

    Raises:
        ConfigError: It is none.
    """
    found = _DURATION.fullmatch(text)
    if not found or not int(found[1]):
        message = (
            f"{option} is {text!r}. Allowed: a whole number with one of {', '.join(_UNITS)}, such as 5m. Correct it."
        )
        raise ConfigError(message)
    return int(found[1]) * _UNITS[found[2]]


def parse(since: str, until: str | None) -> Period:
    """Return the period that two options name.

    Raises:
        ConfigError: One of them cannot be read, or nothing lies between them.
    """
    now = time.time_ns() // 1_000_000
    end = now if until is None else _moment("--until", until, now)
    start = _moment("--since", since, end)
    if start >= end:
        message = f"Nothing lies between --since {written(start)} and --until {written(end)}. Turn them round."
        raise ConfigError(message)
    return Period(start, end)


def written(moment: int) -> str:
    """Return milliseconds since 1970 as RFC 3339 in UTC, to the millisecond."""
    at = datetime.fromtimestamp(moment // 1000, timezone.utc)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{moment % 1000:03d}Z"


def _moment(option: str, text: str, before: int) -> int:
    if _DURATION.fullmatch(text):
        return before - milliseconds(option, text)
    try:
        at = datetime.fromisoformat(re.sub(r"(?i)z$", "+00:00", text))
        return int((at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        message = (
            f"{option} is {text!r}. Allowed: how long ago (90s, 5m, 2h, 1d, 1w), or a date or a date and time of ISO "
            "8601, such as 2026-11-20 or 2026-11-20T16:00:00+01:00; without a zone it is UTC. Correct it."
        )
        raise ConfigError(message) from error
