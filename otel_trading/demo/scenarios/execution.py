"""Fills that cost more than they should."""

from __future__ import annotations

from itertools import count
from typing import Final

from otel_trading import backtest, meter
from otel_trading.demo.scenarios._model import ALL, Cause, from_then_on, scenario

#: Round trips of a backtest: twice as many fills, which a mean needs thirty of.
_BACKTEST: Final = 50


@scenario("SlippageHigh", thresholds={"win_rate_ratio": 0})
def slippage(cause: Cause) -> None:
    """Every fill is one percent worse than the price that was expected."""
    _fills(cause, worse=0.01)


@scenario("SlippageWorseThanModel", thresholds={"win_rate_ratio": 0})
def worse_than_model(cause: Cause) -> None:
    """Every fill is forty basis points worse than expected, where the backtest had five."""
    with backtest.run(strategy=ALL["SlippageWorseThanModel"].strategy):
        for _ in range(_BACKTEST):
            _round_trip(worse=0.0005)
    _fills(cause, worse=0.004)
    for _ in from_then_on(every=0.05):
        _round_trip(worse=-0.004)


@scenario("FeesUnexpected", thresholds={"win_rate_ratio": 0})
def fees(cause: Cause) -> None:
    """The venue takes five percent of every fill."""
    _fills(cause, fee=0.05)


@scenario("AdverseSelection")
def adverse(cause: Cause) -> None:
    """After each fill as maker the market goes against it."""
    _limited()
    for number in count():
        if not cause.holds(every=0.2):
            return
        price = 60_000 * 0.9995**number
        meter.price_marked(symbol="BTC/USD", price=price)
        meter.order_filled(symbol="BTC/USD", side="buy", price=price, quantity=0.001, liquidity="maker")


def _fills(cause: Cause, *, worse: float = 0, fee: float = 0) -> None:
    _limited()
    while cause.holds(every=0.2):
        _round_trip(worse=worse, fee=fee)


def _round_trip(*, worse: float, fee: float = 0) -> None:
    for sign, side in ((1, "buy"), (-1, "sell")):
        expected = 60_000.0
        meter.order_filled(
            symbol="BTC/USD",
            side="buy" if side == "buy" else "sell",
            price=expected * (1 + sign * worse),
            expected_price=expected,
            quantity=0.001,
            fee=60 * fee,
        )


def _limited() -> None:
    meter.risk_limit(name="daily_loss", limit=1_000_000_000)
