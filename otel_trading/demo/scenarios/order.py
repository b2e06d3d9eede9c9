"""Orders that go wrong."""

from __future__ import annotations

from itertools import count

from otel_trading import meter
from otel_trading.demo.scenarios._model import Cause, scenario


@scenario("OrderRejectionRateHigh")
def rejections(cause: Cause) -> None:
    """The venue rejects every third order."""
    for number in count():
        if not cause.holds():
            return
        meter.order_sent(client_id=f"{number}", symbol="BTC/USD", side="buy", type="limit", quantity=1)
        if number % 3:
            meter.order_acknowledged(client_id=f"{number}")
            meter.order_canceled(client_id=f"{number}")
        else:
            meter.order_rejected(client_id=f"{number}", reason="price_band")
