"""Market data that does not come, or not as it should."""

from __future__ import annotations

from otel_trading import meter
from otel_trading.demo.scenarios._model import Cause, from_then_on, scenario


@scenario("MarketDataStale", thresholds={"market_data_age_seconds": 2})
def stale(cause: Cause) -> None:
    """A feed falls silent after its first quote, and comes back when the fault is over."""
    meter.market_data_received(source="exchange", kind="quote", symbol="BTC/USD", connection="public")
    cause.hold()
    for _ in from_then_on():
        meter.market_data_received(source="exchange", kind="quote", symbol="BTC/USD", connection="public")
