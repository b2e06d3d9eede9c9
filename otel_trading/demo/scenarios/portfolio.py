"""Money that is lost, or that nobody guards."""

from __future__ import annotations

from otel_trading import meter
from otel_trading.demo.scenarios._model import Cause, scenario


@scenario("DailyLossLimitBreached")
def loss(cause: Cause) -> None:
    """A round trip loses 600 USD where 500 are allowed; a winner brings it back."""
    meter.risk_limit(name="daily_loss", limit=500)
    _round_trip(60_000, 54_000)
    cause.hold()
    _round_trip(60_000, 66_000)


@scenario("DailyLossLimitMissing")
def no_limit(cause: Cause) -> None:
    """A bot trades and has no loss limit until somebody gives it one."""
    _round_trip(60_000, 60_001)
    cause.hold()
    meter.risk_limit(name="daily_loss", limit=500)


def _round_trip(bought: float, sold: float) -> None:
    meter.order_filled(symbol="BTC/USD", side="buy", price=bought, quantity=0.1)
    meter.order_filled(symbol="BTC/USD", side="sell", price=sold, quantity=0.1)
