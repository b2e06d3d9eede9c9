"""What stands between a position and its forced end."""

from __future__ import annotations

from otel_trading import meter
from otel_trading.demo.scenarios._model import Cause, scenario


@scenario("KillSwitchActive")
def kill_switch(cause: Cause) -> None:
    """Somebody pulls the kill switch of the account, and arms it again later."""
    meter.kill_switch_changed(scope="account", state="armed")
    meter.kill_switch_changed(scope="account", state="halted", trigger="manual")
    cause.hold()
    meter.kill_switch_changed(scope="account", state="armed")


@scenario("MarginCallNear")
def margin(cause: Cause) -> None:
    """95 % of the margin are in use."""
    meter.margin(usage=9_500, limit=10_000)
    cause.hold()
    meter.margin(usage=2_000, limit=10_000)


@scenario("LiquidationNear")
def liquidation(cause: Cause) -> None:
    """The mark is two percent away from the price at which the venue liquidates the position."""
    _position(1)
    meter.liquidation_price(symbol="BTC/USD:USD", price=58_800)
    cause.hold()
    meter.liquidation_price(symbol="BTC/USD:USD", price=30_000)


@scenario("LeverageHigh")
def leverage(cause: Cause) -> None:
    """A position of ten times the account's equity, cut to a tenth of it later."""
    meter.equity(value=6_000)
    _position(1)
    cause.hold()
    _position(0.01)


@scenario("FundingAdverse")
def funding(cause: Cause) -> None:
    """A long position pays ten basis points of funding per interval."""
    _position(1)
    meter.funding_rate(symbol="BTC/USD:USD", rate=0.001)
    cause.hold()
    meter.funding_rate(symbol="BTC/USD:USD", rate=0)


@scenario("ConcentrationHigh")
def concentration(cause: Cause) -> None:
    """One symbol is 95 % of what the account holds, where the bot wants no more than six tenths."""
    meter.risk_limit(name="concentration", limit=0.6, unit="ratio")
    meter.position(symbol="ETH/USD:USD", quantity=1, price=3_000)
    meter.price_marked(symbol="ETH/USD:USD", price=3_000)
    _position(1)
    cause.hold()
    _position(0.05)


@scenario("PositionUnprotected")
def unprotected(cause: Cause) -> None:
    """A position has no stop order though the bot wants one for all of it."""
    meter.risk_limit(name="position_protection", limit=1, unit="ratio")
    _position(1)
    cause.hold()
    meter.position_protected(symbol="BTC/USD:USD", quantity=1)


def _position(quantity: float) -> None:
    meter.risk_limit(name="daily_loss", limit=1_000_000)
    meter.position(symbol="BTC/USD:USD", quantity=quantity, price=60_000)
    meter.price_marked(symbol="BTC/USD:USD", price=60_000)
