"""Orders that should never have been sent."""

from __future__ import annotations

from otel_trading import meter
from otel_trading.demo.scenarios._model import Cause, scenario
from otel_trading.demo.scenarios.order import acknowledged


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
