"""Money and positions, for bots that know them: each verb feeds the default tracker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading import trackers
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded, lose
from otel_trading._numbers import number
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from otel_trading._numbers import Number

__all__ = ["equity", "pnl", "position", "price_marked"]

_POSITION: Final = Keywords(
    "position", symbol=a.SYMBOL, currency=a.CURRENCY, venue=a.VENUE, strategy=a.STRATEGY, account=a.ACCOUNT
)
_MARK: Final = Keywords("price_marked", symbol=a.SYMBOL, venue=a.VENUE)
_PNL: Final = Keywords(
    "pnl", type=a.PNL_TYPE, currency=a.CURRENCY, venue=a.VENUE, strategy=a.STRATEGY, account=a.ACCOUNT
)
_EQUITY: Final = Keywords("equity", currency=a.CURRENCY, venue=a.VENUE, strategy=a.STRATEGY, account=a.ACCOUNT)


@guarded
def position(
    *,
    symbol: str,
    quantity: Number,
    price: Number | None = None,
    currency: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """State a position; zero closes it and its series end with the next export.

    Args:
        symbol: Venue or ccxt symbol.
        quantity: Signed size: short is negative.
        price: Average entry price.
        currency: Currency of its P&L.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: nothing by itself; feeds `trading.position.*` and `trading.portfolio.exposure`.
    """
    size = number(quantity, "quantity")
    entry = None if price is None else number(price, "price")
    if size is not None:
        attributes = _POSITION.resolve(symbol, currency, venue, strategy, account)
        trackers.default().portfolio.positioned(attributes, size, entry)


@guarded
def price_marked(*, symbol: str, price: Number, venue: str | None = None) -> None:
    """Value every open position in a symbol at a price, and compare earlier fills with it.

    Args:
        symbol: Venue or ccxt symbol.
        price: Price per unit.
        venue: ccxt id, ISO 10383 MIC or broker id.

    Emits: `trading.execution.markout` of fills whose horizon is over; feeds the unrealized part of
    `trading.portfolio.pnl` and `trading.position.pnl`.
    """
    mark = number(price, "price")
    if mark is not None:
        attributes = _MARK.resolve(symbol, venue).without(a.STRATEGY, a.ACCOUNT)
        trackers.default().portfolio.marked(attributes, mark)
        trackers.default().executions.marked(attributes, mark)


@guarded
def pnl(
    *,
    value: Number | None = None,
    session: Number | None = None,
    type: a.PnlType = "combined",  # noqa: A002  the convention's word
    currency: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """State P&L that the bot reckons itself; what the tracker reckoned from fills is then not shown for it.

    Args:
        value: Since inception.
        session: Since the session began.
        type: realized, unrealized, or combined where only one figure is known; beside both others it is not shown.
        currency: ISO 4217 or venue asset code.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: nothing by itself; feeds `trading.portfolio.pnl` and `trading.portfolio.session.pnl`.
    """
    total = None if value is None else number(value, "value")
    today = None if session is None else number(session, "session")
    attributes = _PNL.resolve(type, currency, venue, strategy, account)
    if not attributes.get(a.CURRENCY):
        lose("invalid_value", "pnl() has no currency. Pass currency= or set OTEL_TRADING_CURRENCY.")
    else:
        trackers.default().portfolio.reported(attributes, attributes.values[a.PNL_TYPE.name], total, today)


@guarded
def equity(
    *,
    value: Number,
    currency: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """State equity: cash and positions at mark; drawdown follows from it.

    Args:
        value: Equity now.
        currency: ISO 4217 or venue asset code.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: nothing by itself; feeds `trading.portfolio.value`, `.drawdown`, `.max_drawdown`.
    """
    worth = number(value, "value")
    attributes = _EQUITY.resolve(currency, venue, strategy, account)
    if not attributes.get(a.CURRENCY):
        lose("invalid_value", "equity() has no currency. Pass currency= or set OTEL_TRADING_CURRENCY.")
    elif worth is not None:
        trackers.default().portfolio.valued(attributes, worth)
