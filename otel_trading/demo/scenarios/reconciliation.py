"""Books that do not agree with the venue's."""

from __future__ import annotations

from otel_trading import meter
from otel_trading.demo.scenarios._model import Cause, from_then_on, scenario


@scenario("PositionDrift")
def drift(cause: Cause) -> None:
    """The venue holds two bitcoin where the bot believes to hold one."""
    while cause.holds(every=0.5):
        meter.reconciled(object="position", local={"BTC/USD": 1}, at_venue={"BTC/USD": 2})
    for _ in from_then_on():
        meter.reconciled(object="position", local={"BTC/USD": 2}, at_venue={"BTC/USD": 2})


@scenario("ReconciliationBreakUnresolved", thresholds={"reconciliation_break_seconds": 2})
def unresolved(cause: Cause) -> None:
    """The venue has an open order that the bot knows nothing of, run after run."""
    order = {"id": "1", "symbol": "BTC/USD", "quantity": 1, "price": 60_000, "status": "new"}
    while cause.holds(every=0.5):
        meter.reconciled(object="order", local={"1": {**order, "quantity": 2}}, at_venue={"1": order})
    for _ in from_then_on():
        meter.reconciled(object="order", local={"1": order}, at_venue={"1": order})


@scenario("ReconciliationNotRunning")
def not_running(cause: Cause) -> None:
    """The reconciliation runs once and never again, until somebody repairs it."""
    meter.reconciled(object="balance", local={"USD": 1}, at_venue={"USD": 1})
    cause.hold()
    for _ in from_then_on():
        meter.reconciled(object="balance", local={"USD": 1}, at_venue={"USD": 1})
