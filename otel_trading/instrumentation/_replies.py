"""What a venue's reply tells besides its body: budgets, refusals, and its clock."""

from __future__ import annotations

import itertools
import re
import time
from collections import deque
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from otel_trading import _context, meter, trackers
from otel_trading.instrumentation._hooks import covered, quietly
from otel_trading.instrumentation._hosts import venue_of
from otel_trading.meter.rate_limits import budget
from otel_trading.meter.venue import offset
from otel_trading.semconv import venue as _venue

if TYPE_CHECKING:
    from collections.abc import Mapping

    #: A header, and what it means.
    _Pairs = tuple[tuple[object, str], ...]

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
#: Budget, used, left, by the beginning of their names.
_FAMILIES: Final = tuple((f"{one}limit", f"{one}used", f"{one}remaining") for one in ("x-ratelimit-", "ratelimit-"))
_OTHERS: Final = ("age", "date", "ratelimit", "ratelimit-policy", "retry-after")
_SHARES: Final = frozenset(("ratelimit", *(name for limit, used, _ in _FAMILIES for name in (limit, used))))
_TELLING: Final = frozenset((*_OTHERS, *itertools.chain(*_FAMILIES)))
_NUMBER: Final = re.compile(r"^\s*(\d+(?:\.\d+)?)")
#: `"default";r=50;t=30` with a policy `"default";q=100;w=60`, and the older `limit=100, remaining=50`.
_LEFT: Final = re.compile(r"\b(?:r|remaining)=(\d+)")
_ALLOWED: Final = re.compile(r"\b(?:q|limit)=(\d+)")
_REQUESTS: Final = "requests"
_LEAST_REFUSED: Final = 403
_REFUSED: Final = (418, 429)
_REFUSED_IF_TOLD_TO_WAIT: Final = (403, 503)
#: By venue and budget.
_limits: Final[dict[tuple[str, str], float]] = {}
#: `Date` is in whole seconds: each reply bounds the offset, and the bounds of this many seconds hold together.
_WINDOW: Final = 300.0
#: Replies of a venue of which more than the time is kept: then they are read, where the last one came.
_MAX_UNREAD: Final = 32


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
        given: Its headers, which are read at the next collection.
        sent: Unix seconds at which the request left.
    """
    unread = trackers.default().venues.unread
    key = venue, _context.current()
    replies = unread.get(key)
    if not isinstance(replies, _Replies):
        replies = _Replies(venue)
    replies.unread.append((given, sent, time.time()))
    unread.leave(key, replies)  # again each time: a collection may have taken it away just now
    if status >= _LEAST_REFUSED and _refused(status, given):
        meter.rate_limited(name=_REQUESTS, error=str(status), venue=venue)
    if len(replies.unread) >= _MAX_UNREAD:
        replies.read()


def _refused(status: int, given: Mapping[Any, Any]) -> bool:
    return status in _REFUSED or (
        status in _REFUSED_IF_TOLD_TO_WAIT and any(str(name).lower() == "retry-after" for name in given)
    )


class _Replies:
    """What the replies of a venue since the last collection tell, of each thing the last one; called, it says so.

    They are read some at a time: one by one, in the middle of calls, the processor would have forgotten how each time.
    """

    __slots__ = ("_context", "_second", "_shares", "_usage", "_venue", "unread")

    def __init__(self, venue: str) -> None:
        self._venue = venue
        #: Headers, and when the request left and the reply came.
        self.unread: deque[tuple[Mapping[Any, Any], float, float]] = deque()
        self._usage: dict[str, Any] = {}
        self._shares: dict[str, str] = {}
        #: A `Date`, when what the last reply with it answers had left, and when the first one came.
        self._second: tuple[str, float, float] | None = None
        self._context = copy_context()  # what the bot set in force where it called

    def read(self) -> None:
        """Read what nobody has read yet."""
        with suppress(IndexError):  # no more
            while True:
                self._take(*self.unread.popleft())

    @quietly
    def _take(self, given: Mapping[Any, Any], sent: float, received: float) -> None:
        names, found = tuple(given), given
        usage, others, twice = _telling(names)
        if twice or len(names) != len(given):  # of one that comes twice the last counts; multidict 7 names it once
            found = dict(given.items())
            usage, others, _ = _telling(tuple(found))
        for name, of in usage:
            self._usage[of] = found[name]
        headers = {told: str(found[name]) for name, told in others}
        if not _SHARES.isdisjoint(headers):
            self._shares = headers
        if "date" in headers and "age" not in headers:  # a reply with an age is a cache's, not the venue's
            self._took(headers["date"], sent, received)

    def _took(self, date: str, sent: float, received: float) -> None:
        known = self._second
        if known is None or known[0] != date:
            self._second = date, sent, received
            self._compare(known)
        else:
            self._second = date, sent, known[2]

    def __call__(self) -> None:
        """Tell the meter."""
        self._context.copy().run(self._tell)

    def _tell(self) -> None:
        self.read()
        for name, text in list(self._usage.items()):
            _budget(self._venue, name, _number(str(text)))
        headers = self._shares
        for limit, used, left in _FAMILIES:
            if limit in headers or used in headers:  # a remainder alone says nothing
                _budget(self._venue, _REQUESTS, *(_number(headers.get(name, "")) for name in (used, left, limit)))
        if told := headers.get("ratelimit"):
            policy = f"{told},{headers.get('ratelimit-policy', '')}"
            _budget(self._venue, _REQUESTS, left=_first(_LEFT, told), limit=_first(_ALLOWED, policy))
        self._compare(self._second)

    def _compare(self, second: tuple[str, float, float] | None) -> None:
        """Compare the clocks by all replies of one second: its first tells most of one bound, its last of the other."""
        if second is not None:
            date, sent, received = second
            offset(_bounded(self._venue, sent - _unix(date) - 1.0, received - _unix(date), received), self._venue)


@lru_cache(maxsize=256)
def _telling(names: tuple[object, ...]) -> tuple[_Pairs, _Pairs, bool]:
    """Return by headers, as a venue's replies mostly have the same: which are usage of what, which tell something else.

    And whether one of them is there twice.
    """
    meant = [(name, *_meant(name)) for name in names]
    usage = tuple((name, budget) for name, _, budget in meant if budget)
    others = tuple((name, told) for name, told, budget in meant if told and not budget)
    lower = [str(name).lower() for name, *_ in (*usage, *others)]
    return usage, others, len(set(lower)) < len(lower)


@lru_cache(maxsize=1024)
def _meant(name: object) -> tuple[str, str]:
    """Return the name of a header that tells something, or else of the budget of Binance's whose usage it is."""
    low = str(name).lower()
    found = _BINANCE.fullmatch(low)
    return low if low in _TELLING else "", f"{_BUDGETS[found[1]]}_{found[2]}" if found else ""


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
    venue: str, name: str, usage: float | None = None, left: float | None = None, limit: float | None = None
) -> None:
    if usage is None and left is not None and limit is not None:
        usage = max(0.0, limit - left)
    if usage is not None:
        known = _limits.get((venue, name)) if limit is None else limit
        budget(name, usage, known, venue=venue)


@lru_cache(maxsize=4096)
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


@dataclass(slots=True)
class _Clock:
    """The bounds of the window that runs and of the one before it."""

    before: _Bounds
    running: _Bounds
    #: What both allow that is nearest to zero.
    offset: float

    def learns(self, low: float, high: float, now: float) -> bool:
        """Return whether a reply says more than those before it."""
        running = self.running
        return low > running.low or high < running.high or now - running.since > _WINDOW


_clocks: Final[dict[str, _Clock]] = {}


def clock(venue: str, stamped: float, sent: float, resolution: float) -> None:
    """State the offset nearest to zero that all replies allow: never too much, and nearly exact after some replies.

    Args:
        venue: Whose clock.
        stamped: What it showed, as Unix seconds.
        sent: Unix seconds at which the request left that was just answered.
        resolution: Of what it showed, in seconds.
    """
    received = time.time()
    known = _bounded(venue, sent - stamped - resolution, received - stamped, received)
    meter.clock_offset(seconds=known, venue=venue)


def _bounded(venue: str, low: float, high: float, now: float) -> float:
    known = _clocks.get(venue)
    if known is None or known.learns(low, high, now):  # nearly every reply says nothing new
        known = _clocks[venue] = _learned(known, _Bounds(low, high, now))
    return known.offset


def _learned(known: _Clock | None, now: _Bounds) -> _Clock:
    before, running = (now, now) if known is None else (known.before, known.running)
    if now.since - running.since > _WINDOW:
        before, running = running, now
    running = running.narrowed(now) or now
    both = running.narrowed(before)
    bounds = both or running
    return _Clock(before if both else running, running, min(max(0.0, bounds.low), bounds.high))
