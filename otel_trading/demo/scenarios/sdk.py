"""A bot whose telemetry loses something."""

from __future__ import annotations

from itertools import count

from otel_trading import meter
from otel_trading.demo.scenarios._model import Cause, scenario


@scenario("SdkDropping")
def dropping(cause: Cause) -> None:
    """The bot reports fills whose price is no number."""
    while cause.holds(every=0.5):
        meter.order_filled(symbol="BTC/USD", side="buy", price=float("nan"), quantity=1)


@scenario("SeriesFolded", environment={"OTEL_TRADING_MAX_SERIES": "100"})
def folded(cause: Cause) -> None:
    """The bot invents a new symbol for every signal, more than it may have series."""
    for number in count():
        if not cause.holds():
            return
        for letter in "ABCDEFGH":
            meter.signal_emitted(type="buy", symbol=f"{letter}-{number}")
