"""What a venue's reply tells besides its body: budgets, refusals, and its clock."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from otel_trading import meter
from otel_trading.instrumentation._hooks import covered, quietly
from otel_trading.instrumentation._hosts import venue_of
from otel_trading.semconv import venue as _venue

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EMITS", "allow", "clock", "read", "tell"]

EMITS: Final = (
    _venue.CLOCK_OFFSET,
    _venue.RATE_LIMIT_LIMIT,
    _venue.RATE_LIMIT_REJECTIONS,
    _venue.RATE_LIMIT_USAGE,
    _venue.RATE_LIMIT_UTILIZATION,
)

_BINANCE: Final = re.compile(r"x-mbx-(used-weight|order-count)-(\d+[smhd])")
_BUDGETS: Final = {"used-weight": "request_weight", "order-count": "orders"}
_FAMILIES: Final = ("x-ratelimit-", "ratelimit-")
_NUMBER: Final = re.compile(r"^\s*(\d+(?:\.\d+)?)")
#: `"default";r=50;t=30` with a policy `"default";q=100;w=60`, and the older `limit=100, remaining=50`.
_LEFT: Final = re.compile(r"\b(?:r|remaining)=(\d+)")
_ALLOWED: Final = re.compile(r"\b(?:q|limit)=(\d+)")
_REQUESTS: Final = "requests"
_REFUSED: Final = (418, 429)
_REFUSED_IF_TOLD_TO_WAIT: Final = (403, 503)
#: By venue and budget.
_limits: Final[dict[tuple[str, str], float]] = {}
#: `Date` is in whole seconds: each reply bounds the offset, and the bounds of this many seconds hold together.
_WINDOW: Final = 300.0


@quietly
def read(response: Any, sent: float) -> None:
    """Record what a reply tells.

    Args:
        response: Of requests, httpx or aiohttp. Of its URL only host and port are looked at.
        sent: Unix seconds at which the request left.
    """
    venue = None if covered() else venue_of(str(response.url))
    if venue is not None:
        status = response.status_code if hasattr(response, "status_code") else response.status
        tell(venue, int(status), response.headers, sent)


def tell(venue: str, status: int, given: Mapping[Any, Any], sent: float) -> None:
    """Record what a venue's reply tells, for a library above that knows which venue it is.

    Args:
        venue: Which.
        status: Of HTTP.
        given: Its headers.
        sent: Unix seconds at which the request left.
    """
    headers = {str(name).lower(): str(value) for name, value in getattr(given, "lower_items", given.items)()}
    for name, value in headers.items():
        if name.startswith("x-mbx-") and (found := _BINANCE.fullmatch(name)):
            _budget(venue, f"{_BUDGETS[found[1]]}_{found[2]}", usage=_number(value))
    for family in _FAMILIES:
        if f"{family}limit" not in headers and f"{family}used" not in headers:
            continue  # a remainder alone says nothing
        used, left = (_number(headers.get(family + word, "")) for word in ("used", "remaining"))
        _budget(venue, _REQUESTS, usage=used, left=left, limit=_number(headers.get(f"{family}limit", "")))
    if told := headers.get("ratelimit"):
        policy = f"{told},{headers.get('ratelimit-policy', '')}"
        _budget(venue, _REQUESTS, left=_first(_LEFT, told), limit=_first(_ALLOWED, policy))
    if status in _REFUSED or (status in _REFUSED_IF_TOLD_TO_WAIT and "retry-after" in headers):
        meter.rate_limited(name=_REQUESTS, error=str(status), venue=venue)
    if "date" in headers and "age" not in headers:  # a reply with an age is a cache's, not the venue's
        clock(venue, _unix(headers["date"]), sent)


@lru_cache(maxsize=64)
def _unix(date: str) -> float:
    """Return the time of a `Date`: busy bots get many replies in one second."""
    return parsedate_to_datetime(date).timestamp()


def allow(venue: str, name: str, limit: float) -> None:
    """Remember how large a budget is, where headers tell its usage alone.

    Args:
        venue: Whose.
        name: Of the budget, as `request_weight_1m`.
        limit: What its window allows.
    """
    _limits[venue, name] = limit


def _budget(
    venue: str, name: str, *, usage: float | None = None, left: float | None = None, limit: float | None = None
) -> None:
    if usage is None and left is not None and limit is not None:
        usage = max(0.0, limit - left)
    if usage is not None:
        known = _limits.get((venue, name)) if limit is None else limit
        meter.rate_limit(name=name, usage=usage, limit=known, venue=venue)


def _number(text: str) -> float | None:
    return _first(_NUMBER, text)


def _first(pattern: re.Pattern[str], text: str) -> float | None:
    found = pattern.search(text)
    return float(found[1]) if found else None


@dataclass(slots=True)
class _Bounds:
    """Between what the local clock minus the venue's must lie."""

    low: float
    high: float
    since: float

    def narrowed(self, other: _Bounds) -> _Bounds | None:
        """Return what both allow; None when they contradict each other: a clock was set."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return _Bounds(low, high, self.since) if low <= high else None


#: The bounds of the window that runs and of the one before it, by venue.
_clocks: Final[dict[str, tuple[_Bounds, _Bounds]]] = {}


def clock(venue: str, stamped: float, sent: float, *, resolution: float = 1.0) -> None:
    """State the offset nearest to zero that all replies allow: never too much, and nearly exact after some replies.

    Args:
        venue: Whose clock.
        stamped: What it showed, as Unix seconds.
        sent: Unix seconds at which the request left that was just answered.
        resolution: Of what it showed, in seconds.
    """
    received = time.time()
    now = _Bounds(sent - stamped - resolution, received - stamped, received)
    before, running = _clocks.get(venue, (now, now))
    if received - running.since > _WINDOW:
        before, running = running, now
    running = running.narrowed(now) or now
    both = running.narrowed(before)
    _clocks[venue] = (before if both else running, running)
    known = both or running
    meter.clock_offset(seconds=min(max(0.0, known.low), known.high), venue=venue)
