"""Money that is lost, or that nobody guards."""

from __future__ import annotations

from itertools import count

from otel_trading import meter
from otel_trading.demo.scenarios._model import Cause, from_then_on, scenario


@scenario("DailyLossLimitBreached", also=("DailyLossBudgetBurn",))
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


@scenario("DailyLossBudgetBurn", labels={"severity": "warning"})
def budget_half_gone(cause: Cause) -> None:
    """Six tenths of the day's loss limit are used up."""
    _budget(0.6)
    cause.hold()
    _budget(0.1)


@scenario("DailyLossBudgetBurn", labels={"severity": "critical"})
def budget_gone(cause: Cause) -> None:
    """Nearly all of the day's loss limit is used up."""
    _budget(0.95)
    cause.hold()
    _budget(0.1)


@scenario("LossRunsToLimit")
def running_loss(cause: Cause) -> None:
    """The loss of the day grows so steadily that it will reach the limit within the hour."""
    for step in count():
        if not cause.holds(every=0.2):
            break
        _budget(0.3 + step / 5_000)
    _budget(0.1)


@scenario("DrawdownHigh", thresholds={"drawdown_growth_ratio": 1})
def drawdown(cause: Cause) -> None:
    """Equity falls 30 % below its peak and stays there for long."""
    _budget(0)
    meter.equity(value=100_000)
    meter.equity(value=70_000)
    cause.hold()
    meter.equity(value=100_000)


@scenario("DrawdownFast", thresholds={"drawdown_growth_ratio": 0.02, "drawdown_ratio": 1})
def plunge(cause: Cause) -> None:
    """Equity falls by one percent of its peak every second."""
    _budget(0)
    for step in count():
        meter.equity(value=max(100_000 - 200 * step, 10_000))
        if not cause.holds(every=0.2):
            break
    meter.equity(value=100_000)


@scenario("WinRateLow")
def losing_streak(cause: Cause) -> None:
    """Of five trades four lose; then a streak of winners."""
    for number in count():
        if not cause.holds(every=0.2):
            break
        meter.trade_closed(outcome="loss" if number % 5 else "win", symbol="BTC/USD")
    for _ in from_then_on(every=0.01):
        meter.trade_closed(outcome="win", symbol="BTC/USD")


def _budget(used: float) -> None:
    meter.risk_limit(name="daily_loss", limit=1_000, usage=1_000 * used)


def _round_trip(bought: float, sold: float) -> None:
    meter.order_filled(symbol="BTC/USD", side="buy", price=bought, quantity=0.1)
    meter.order_filled(symbol="BTC/USD", side="sell", price=sold, quantity=0.1)
