"""What a position is beyond its fills: contract terms, splits, what protects it, and where the venue liquidates it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from otel_trading import trackers
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded, lose
from otel_trading._numbers import number
from otel_trading.semconv import attributes as a
from otel_trading.trackers.portfolio import Contract

if TYPE_CHECKING:
    from otel_trading._numbers import Number

__all__ = ["contract", "liquidation_price", "position_protected", "position_split"]

_SYMBOL: Final = Keywords("contract", "position_split", symbol=a.SYMBOL, venue=a.VENUE)
_PROTECTED: Final = Keywords(
    "position_protected", symbol=a.SYMBOL, venue=a.VENUE, strategy=a.STRATEGY, account=a.ACCOUNT
)
_HELD: Final = Keywords(
    "liquidation_price", symbol=a.SYMBOL, currency=a.CURRENCY, venue=a.VENUE, strategy=a.STRATEGY, account=a.ACCOUNT
)


@guarded
def contract(
    *,
    symbol: str,
    multiplier: Number = 1,
    inverse: bool = False,
    signed_price: bool = False,
    venue: str | None = None,
) -> None:
    """State the terms of a symbol, before its first fill: they hold for positions opened from now on.

    Args:
        symbol: Venue or ccxt symbol.
        multiplier: Units of the underlying per contract (FIX 231); of an inverse contract its value in the quote
            currency.
        inverse: Settled in the underlying, as BitMEX's XBTUSD: P&L and exposure are then in coins.
        signed_price: Whether a mark of zero or below is legal, as for spreads and power; else one is refused and
            counted, because it mostly comes from a broken feed. A fill there is always taken.
        venue: ccxt id, ISO 10383 MIC or broker id.

    Emits: nothing by itself; feeds `trading.portfolio.pnl`, `.exposure`, `trading.position.pnl`.
    """
    size = number(multiplier, "multiplier")
    if size is None or size <= 0:
        lose("invalid_value", f"contract(multiplier={multiplier}) is not above zero. Pass the size of one contract.")
        return
    terms = Contract(Decimal(repr(size)), inverse=bool(inverse), signed=bool(signed_price))
    trackers.default().portfolio.contract(_SYMBOL.resolve(symbol, venue).without(a.STRATEGY, a.ACCOUNT), terms)


@guarded
def position_split(*, symbol: str, ratio: Number, venue: str | None = None) -> None:
    """Tell of a stock split: each unit of every position in the symbol becomes `ratio` units, worth the same in all.

    Args:
        symbol: Venue or ccxt symbol.
        ratio: New units per old one: 4 for a 4-for-1 split, 0.1 for a 1-for-10 reverse split.
        venue: ccxt id, ISO 10383 MIC or broker id.

    Emits: nothing by itself; feeds `trading.position.quantity`.
    """
    units = number(ratio, "ratio")
    if units is None or units <= 0:
        lose("invalid_value", f"position_split(ratio={ratio}) is not above zero. Pass the new units per old one.")
        return
    trackers.default().portfolio.split(_SYMBOL.resolve(symbol, venue).without(a.STRATEGY, a.ACCOUNT), units)


@guarded
def liquidation_price(
    *,
    symbol: str,
    price: Number | None,
    currency: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """State at which price the venue liquidates a position; the distance then follows each mark.

    Args:
        symbol: Venue or ccxt symbol.
        price: The venue's liquidation price; None when there is none any more.
        currency: Currency of the position's P&L.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: nothing by itself; feeds `trading.position.liquidation.distance`.
    """
    stated = None if price is None else number(price, "price", minimum=0)
    attributes = _HELD.resolve(symbol, currency, venue, strategy, account)
    if stated is not None or price is None:
        trackers.default().portfolio.liquidated_at(attributes, stated)


@guarded
def position_protected(
    *,
    symbol: str,
    quantity: Number,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """State how much of a position working stop orders would close: after each change of them, and after a restart.

    The alert `PositionUnprotected` compares it with the position once you ask for it: with
    `risk_limit(name="position_protection", unit="ratio", limit=1)`, or with a threshold of your own.

    Args:
        symbol: Venue or ccxt symbol.
        quantity: Absolute size; 0 when the last stop is gone.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: nothing by itself; feeds `trading.position.protected`.
    """
    stated = number(quantity, "quantity", minimum=0)
    if stated is not None:
        trackers.default().accounts.protected(_PROTECTED.resolve(symbol, venue, strategy, account), stated)
