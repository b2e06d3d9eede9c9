"""Trackers own state and are observed; the default ones are what the simple verbs of `meter` feed."""

from __future__ import annotations

from otel_trading.trackers.connections import ConnectionTracker
from otel_trading.trackers.execution import ExecutionTracker
from otel_trading.trackers.feeds import FeedTracker
from otel_trading.trackers.intents import IntentTracker
from otel_trading.trackers.orders import OrderTracker
from otel_trading.trackers.portfolio import PortfolioTracker
from otel_trading.trackers.reconciliation import ReconciliationTracker
from otel_trading.trackers.resilience import HealthTracker
from otel_trading.trackers.risk import KillSwitchTracker, LimitTracker
from otel_trading.trackers.sessions import SessionTracker
from otel_trading.trackers.signals import SignalTracker
from otel_trading.trackers.strategies import StrategyTracker
from otel_trading.trackers.ticks import TickTracker
from otel_trading.trackers.venues import VenueTracker

__all__ = [
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
    "SessionTracker",
    "SignalTracker",
    "StrategyTracker",
    "TickTracker",
    "Trackers",
    "VenueTracker",
    "default",
    "set_default",
]


class Trackers:
    """One tracker of each kind: the state of one process."""

    def __init__(self) -> None:
        self.signals = SignalTracker()
        self.orders = OrderTracker(acknowledged=self.signals.accepted)
        self.intents = IntentTracker()
        self.executions = ExecutionTracker()
        self.portfolio = PortfolioTracker()
        self.limits = LimitTracker()
        self.kill_switches = KillSwitchTracker()
        self.reconciliation = ReconciliationTracker()
        self.feeds = FeedTracker()
        self.connections = ConnectionTracker()
        self.venues = VenueTracker()
        self.sessions = SessionTracker()
        self.ticks = TickTracker()
        self.strategies = StrategyTracker()
        self.health = HealthTracker()


class _State:
    default: Trackers | None = None


def default() -> Trackers:
    """Return the process's own trackers."""
    if _State.default is None:
        _State.default = Trackers()
    return _State.default


def set_default(trackers: Trackers | None) -> Trackers | None:
    """Put other trackers in place, None for new ones on first use; returns those before. For tests."""
    before, _State.default = _State.default, trackers
    return before
