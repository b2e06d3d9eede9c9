"""Orders that should never have been sent."""

from __future__ import annotations

from typing import Final

from otel_trading import meter
from otel_trading.demo.scenarios._model import Cause, scenario
from otel_trading.demo.scenarios.order import acknowledged

#: As fast as it likes: how many it sends is the point, not how soon.
_ANY_RATE: Final = {"order_burst_per_second": 10_000, "order_rate_per_second": 10_000}


@scenario("RunawayOrders", thresholds={"order_burst_per_second": 10})
def runaway(cause: Cause) -> None:
    """A loop that lost its head sends thirty orders a second."""
    while cause.holds():
        for _ in range(3):
            acknowledged()


@scenario("OrdersWhileHalted", also=("KillSwitchActive",))
def while_halted(cause: Cause) -> None:
    """The kill switch is pulled and orders go on."""
    meter.kill_switch_changed(scope="account", state="halted", trigger="manual")
    while cause.holds(every=0.5):
        acknowledged()
    meter.kill_switch_changed(scope="account", state="armed")


@scenario("PaperLiveMixUp", environment={"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=staging"})
def mix_up(cause: Cause) -> None:
    """A bot of the staging environment trades live."""
    while cause.holds(every=0.5):
        acknowledged()


@scenario("RiskCheckBypassed")
def bypassed(cause: Cause) -> None:
    """Every other order is sent without the price check that the bot has."""
    while cause.holds(every=0.5):
        meter.risk_checked(check="price_collar")
        acknowledged()
        acknowledged()


@scenario("OrderToTradeRatioHigh", labels={"severity": "warning"}, thresholds=_ANY_RATE)
def many_messages(cause: Cause) -> None:
    """More than a thousand orders without a fill, at a venue that allows 1300 messages for each."""
    _without_fill(cause, allowed=1_300)


@scenario("OrderToTradeRatioHigh", labels={"severity": "critical"}, thresholds=_ANY_RATE)
def too_many_messages(cause: Cause) -> None:
    """More than a thousand orders without a fill, at a venue that allows 500 messages for each."""
    _without_fill(cause, allowed=500)


def _without_fill(cause: Cause, *, allowed: float) -> None:
    meter.risk_limit(name="order_to_trade", limit=allowed, unit="ratio")
    for _ in range(110):
        for _ in range(10):
            acknowledged()
        cause.holds(every=0.05)
    cause.hold()
    meter.risk_limit(name="daily_loss", limit=1_000_000)
    for _ in range(50):
        meter.order_filled(symbol="BTC/USD", side="buy", price=60_000, quantity=0.001)
        meter.order_filled(symbol="BTC/USD", side="sell", price=60_000, quantity=0.001)
