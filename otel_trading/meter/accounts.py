"""Accounts: balances, margin, payments in and out, funding and fees that belong to no fill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading import instruments, trackers
from otel_trading._attributes import AttributeSet, Keywords
from otel_trading._guard import guarded, lose
from otel_trading._numbers import number
from otel_trading.semconv import attributes as a
from otel_trading.semconv import execution
from otel_trading.semconv import portfolio as metrics

if TYPE_CHECKING:
    from otel_trading._numbers import Number

__all__ = [
    "balance",
    "conversion_rate",
    "deposited",
    "fee_charged",
    "funding_paid",
    "funding_rate",
    "funding_received",
    "margin",
    "withdrawn",
]

_MONEY: Final = Keywords(
    "deposited", "withdrawn", "margin", currency=a.CURRENCY, venue=a.VENUE, strategy=a.STRATEGY, account=a.ACCOUNT
)
_BALANCE: Final = Keywords("balance", currency=a.CURRENCY, venue=a.VENUE, account=a.ACCOUNT)
_CONVERSION: Final = Keywords("conversion_rate", currency=a.CURRENCY)
_RATE: Final = Keywords("funding_rate", symbol=a.SYMBOL, venue=a.VENUE)
_FUNDING: Final = Keywords(
    "funding_paid",
    "funding_received",
    direction=a.FUNDING_DIRECTION,
    symbol=a.SYMBOL,
    currency=a.CURRENCY,
    venue=a.VENUE,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)
_FEE: Final = Keywords(
    "fee_charged",
    type=a.FEE_TYPE,
    symbol=a.SYMBOL,
    currency=a.CURRENCY,
    venue=a.VENUE,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)


@guarded
def balance(
    *,
    free: Number | None = None,
    used: Number | None = None,
    debt: Number | None = None,
    currency: str | None = None,
    venue: str | None = None,
    account: str | None = None,
) -> None:
    """State the balance of a currency, by ccxt's parts; what is left out stays as it was.

    Args:
        free: May be used for new orders.
        used: Bound in orders and margin.
        debt: Borrowed.
        currency: ISO 4217 or venue asset code.
        venue: ccxt id, ISO 10383 MIC or broker id.
        account: Alias of the account.

    Emits: nothing by itself; feeds `trading.account.balance`.
    """
    given = {"free": free, "used": used, "debt": debt}
    parts = {state: number(value, state) for state, value in given.items() if value is not None}
    attributes = _with_currency("balance", _BALANCE.resolve(currency, venue, account))
    if attributes is not None:
        known = {state: value for state, value in parts.items() if value is not None}
        trackers.default().accounts.balance(attributes.without(a.STRATEGY), known)


@guarded
def margin(
    *,
    usage: Number | None = None,
    limit: Number | None = None,
    currency: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """State the margin in use and how much may be used.

    Args:
        usage: Margin in use.
        limit: Margin that may be used before the venue acts.
        currency: ISO 4217 or venue asset code.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy, when each has a margin of its own.
        account: Alias of the account.

    Emits: nothing by itself; feeds `trading.account.margin.usage`, `.limit`, `.utilization`.
    """
    used = None if usage is None else number(usage, "usage")
    allowed = None if limit is None else number(limit, "limit", minimum=0)
    attributes = _with_currency("margin", _MONEY.resolve(currency, venue, strategy, account))
    if attributes is not None:
        trackers.default().accounts.margin(attributes, used, allowed)


@guarded
def deposited(
    *,
    value: Number,
    currency: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Tell of money paid in, the starting capital included: it changes equity and is no return.

    Equity is then deposits and P&L; where the bot states `equity` itself, tell of the deposit before the new equity.

    Args:
        value: Amount, positive.
        currency: ISO 4217 or venue asset code.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy whose capital it is.
        account: Alias of the account.

    Emits: nothing by itself; feeds `trading.portfolio.value`, `.return`, `.drawdown`.
    """
    _pay("deposited", value, 1, _MONEY.resolve(currency, venue, strategy, account))


@guarded
def withdrawn(
    *,
    value: Number,
    currency: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Tell of money paid out: it changes equity and is no loss.

    Args:
        value: Amount, positive.
        currency: ISO 4217 or venue asset code.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy whose capital it was.
        account: Alias of the account.

    Emits: nothing by itself; feeds `trading.portfolio.value`, `.return`, `.drawdown`.
    """
    _pay("withdrawn", value, -1, _MONEY.resolve(currency, venue, strategy, account))


@guarded
def conversion_rate(*, reporting_currency: str, rate: Number, currency: str | None = None) -> None:
    """State what one unit of a currency is worth in the reporting currency.

    Value, P&L and exposure of an account then also stand in the reporting currency, with
    `trading.currency.converted=true`, as long as every currency of the account has a rate.

    Args:
        reporting_currency: ISO 4217 or asset code; another one than before forgets all rates.
        rate: Price of one unit.
        currency: What is converted.

    Emits: nothing by itself; feeds `trading.portfolio.value`, `.pnl`, `.session.pnl`, `.exposure`.
    """
    price = number(rate, "rate")
    attributes = _with_currency("conversion_rate", _CONVERSION.resolve(currency))
    if attributes is None or price is None:
        return
    if price <= 0:
        lose("invalid_value", f"conversion_rate(rate={price}) is not above zero. Pass the price of one unit.")
        return
    trackers.default().portfolio.converted(attributes.values[a.CURRENCY.name], str(reporting_currency), price)


@guarded
def funding_rate(*, symbol: str, rate: Number, venue: str | None = None) -> None:
    """State the funding rate of a perpetual, per funding interval.

    Args:
        symbol: Venue or ccxt symbol.
        rate: As a ratio: 0.0001 is one basis point; positive when longs pay.
        venue: ccxt id, ISO 10383 MIC or broker id.

    Emits: nothing by itself; feeds `trading.funding.rate`.
    """
    stated = number(rate, "rate")
    if stated is not None:
        attributes = _RATE.resolve(symbol, venue).without(a.STRATEGY, a.ACCOUNT)
        trackers.default().accounts.funding_rate(attributes, stated)


@guarded
def funding_paid(
    *,
    value: Number,
    symbol: str | None = None,
    currency: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Count funding that was paid; it is a realized loss.

    Args:
        value: Amount, positive.
        symbol: Venue or ccxt symbol.
        currency: ISO 4217 or venue asset code.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.funding.payment`; feeds the realized part of `trading.portfolio.pnl`.
    """
    _fund(value, -1, _FUNDING.resolve("paid", symbol, currency, venue, strategy, account))


@guarded
def funding_received(
    *,
    value: Number,
    symbol: str | None = None,
    currency: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Count funding that was received; it is a realized profit.

    Args:
        value: Amount, positive.
        symbol: Venue or ccxt symbol.
        currency: ISO 4217 or venue asset code.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.funding.payment`; feeds the realized part of `trading.portfolio.pnl`.
    """
    _fund(value, 1, _FUNDING.resolve("received", symbol, currency, venue, strategy, account))


@guarded
def fee_charged(
    *,
    value: Number,
    type: a.FeeType = "financing",  # noqa: A002  the convention's word
    symbol: str | None = None,
    currency: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Count a fee that belongs to no fill, such as borrowing; it is a realized loss. Fees of fills: `order_filled`.

    Args:
        value: Amount, positive.
        type: commission, exchange, regulatory or financing.
        symbol: Venue or ccxt symbol.
        currency: ISO 4217 or venue asset code.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.execution.fee`; feeds the realized part of `trading.portfolio.pnl`.
    """
    amount = number(value, "value", minimum=0)
    attributes = _with_currency("fee_charged", _FEE.resolve(type, symbol, currency, venue, strategy, account))
    if attributes is not None and amount is not None:
        instruments.of(execution.FEE).record(amount, attributes)
        trackers.default().portfolio.booked(attributes, -amount)


def _pay(helper: str, value: Number, sign: int, attributes: AttributeSet) -> None:
    amount = number(value, "value", minimum=0)
    paid = _with_currency(helper, attributes)
    if paid is not None and amount is not None:
        trackers.default().portfolio.paid_in(paid, sign * amount)


def _fund(value: Number, sign: int, attributes: AttributeSet) -> None:
    amount = number(value, "value", minimum=0)
    paid = _with_currency("funding_paid" if sign < 0 else "funding_received", attributes)
    if paid is not None and amount is not None:
        instruments.of(metrics.FUNDING_PAYMENT).record(amount, paid)
        trackers.default().portfolio.booked(paid, sign * amount)


def _with_currency(helper: str, attributes: AttributeSet) -> AttributeSet | None:
    if attributes.get(a.CURRENCY):
        return attributes
    lose("invalid_value", f"{helper}() has no currency. Pass currency= or set OTEL_TRADING_CURRENCY.")
    return None
