"""Trackers own state and are observed; the default ones are what the simple verbs of `meter` feed."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from otel_trading import _locks
from otel_trading._locks import Lock
from otel_trading.trackers._pending import Pending
from otel_trading.trackers.accounts import AccountTracker
from otel_trading.trackers.connections import ConnectionTracker
from otel_trading.trackers.execution import ExecutionTracker
from otel_trading.trackers.feeds import FeedTracker
from otel_trading.trackers.intents import IntentTracker
from otel_trading.trackers.orders import OrderTracker
from otel_trading.trackers.plumbing import BusTracker, CacheTracker
from otel_trading.trackers.portfolio import PortfolioTracker, Session
from otel_trading.trackers.reconciliation import ReconciliationTracker
from otel_trading.trackers.resilience import BreakerTracker, HealthTracker
from otel_trading.trackers.risk import KillSwitchTracker, LimitTracker
from otel_trading.trackers.sessions import SessionTracker
from otel_trading.trackers.signals import SignalTracker
from otel_trading.trackers.strategies import StrategyTracker
from otel_trading.trackers.ticks import TickTracker
from otel_trading.trackers.venues import VenueTracker

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

__all__ = [
    "AccountTracker",
    "BreakerTracker",
    "BusTracker",
    "CacheTracker",
    "ConnectionTracker",
    "ExecutionTracker",
    "FeedTracker",
    "HealthTracker",
    "IntentTracker",
    "KillSwitchTracker",
    "LimitTracker",
    "OrderTracker",
    "PortfolioTracker",
    "ReconciliationTracker",
    "Session",
    "SessionTracker",
    "SignalTracker",
    "StrategyTracker",
    "TickTracker",
    "Trackers",
    "VenueTracker",
    "default",
    "scope",
    "set_default",
]


class Trackers:
    """One tracker of each kind: the state of one process.

    Args:
        portfolio: A portfolio of your own, for instance with FIFO cost or another session.
    """

    def __init__(self, portfolio: PortfolioTracker | None = None) -> None:
        self.pending = Pending()
        self.signals = SignalTracker()
        self.orders = OrderTracker(acknowledged=self.signals.accepted, pending=self.pending)
        self.intents = IntentTracker()
        self.executions = ExecutionTracker()
        self.portfolio = portfolio or PortfolioTracker()
        self.accounts = AccountTracker()
        self.limits = LimitTracker()
        self.kill_switches = KillSwitchTracker()
        self.reconciliation = ReconciliationTracker()
        self.feeds = FeedTracker(pending=self.pending)
        self.connections = ConnectionTracker()
        self.venues = VenueTracker()
        self.sessions = SessionTracker()
        self.ticks = TickTracker()
        self.strategies = StrategyTracker()
        self.health = HealthTracker()
        self.breakers = BreakerTracker()
        self.caches = CacheTracker()
        self.buses = BusTracker()

    def flush(self) -> None:
        """Record what was added up since the last collection, before this is dropped."""
        self.pending.flush()
        self.feeds.flush()


class _State:
    lock = Lock()
    default: Trackers | None = None


#: Of a block: none or one, and none any more once it is closed, for who still holds its context.
_local: ContextVar[Sequence[Trackers]] = ContextVar("otel_trading_trackers", default=())


def default() -> Trackers:
    """Return the trackers in force here: of the block, else the process's own."""
    for local in _local.get():
        return local
    held = _State.default
    if held is None:
        # Never made with the lock held: to watch a metric waits for a collection, which may wait for us.
        with _locks.inside:
            made = Trackers()
        with _State.lock:  # two threads that begin at once share what they know
            held = _State.default = _State.default or made
    return held


def set_default(trackers: Trackers | None) -> Trackers | None:
    """Put other trackers in place, None for new ones on first use; returns those before.

    ::

        set_default(Trackers(PortfolioTracker(cost="fifo", session=Session("America/New_York", "17:00"))))
    """
    before, _State.default = _State.default, trackers
    if before is not None and trackers is not None:  # with None a child forgets what its parent will record
        before.flush()
    return before


@contextmanager
def scope(trackers: Trackers) -> Generator[None, None, None]:
    """Put other trackers in force inside the block, for this thread or task and the tasks that it starts."""
    held = [trackers]
    token = _local.set(held)
    try:
        yield
    finally:
        trackers.flush()
        held.clear()
        _local.reset(token)
