"""Executions: what was filled, at what price, at what cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading import instruments, trackers
from otel_trading._attributes import AttributeSet, Keywords
from otel_trading._guard import guarded
from otel_trading._numbers import number
from otel_trading.semconv import attributes as a
from otel_trading.semconv import execution as metrics

if TYPE_CHECKING:
    from otel_trading._numbers import Number

__all__ = ["order_filled", "trade_closed"]

_FILLED: Final = Keywords(
    "order_filled",
    venue=a.VENUE,
    symbol=a.SYMBOL,
    side=a.ORDER_SIDE,
    type=a.ORDER_TYPE,
    liquidity=a.LIQUIDITY,
    currency=a.CURRENCY,
    fee_type=a.FEE_TYPE,
    benchmark=a.BENCHMARK,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)
_CLOSED: Final = Keywords(
    "trade_closed", outcome=a.TRADE_OUTCOME, venue=a.VENUE, symbol=a.SYMBOL, strategy=a.STRATEGY, account=a.ACCOUNT
)

#: Which way a fill moves the position.
_SIGN: Final = {"buy": 1.0, "sell": -1.0, "sell_short": -1.0, "sell_short_exempt": -1.0}


@guarded
def order_filled(
    *,
    side: a.OrderSide | None = None,
    price: Number | None = None,
    quantity: Number | None = None,
    symbol: str | None = None,
    currency: str | None = None,
    client_id: str | None = None,
    type: a.OrderType | None = None,  # noqa: A002  FIX calls it so
    liquidity: a.Liquidity | None = None,
    fee: Number | None = None,
    fee_type: a.FeeType = "commission",
    expected_price: Number | None = None,
    benchmark: a.Benchmark = "arrival",
    complete: bool | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Count one execution, with its value, cost and slippage; the position, its P&L and the order follow from it.

    Args:
        side: FIX 54; a known order brings it.
        price: Price per unit (FIX 31).
        quantity: Size of the fill (FIX 32), never negative: the side is the sign.
        symbol: Venue or ccxt symbol (FIX 55).
        currency: ISO 4217 or venue asset code (FIX 15).
        client_id: Client order id (FIX 11); joins the fill to its order.
        type: FIX 40.
        liquidity: maker, taker, routed or auction (FIX 851).
        fee: Charged when positive, a rebate when negative, in the same currency.
        fee_type: FIX 139.
        expected_price: Price of the benchmark, for slippage.
        benchmark: What `expected_price` is.
        complete: Whether the order is done; None lets its quantity tell.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.execution.fills`, `.notional`, `.fee`, `.rebate`, `.slippage`, `trading.order.transitions`,
    `trading.order.fill.duration`, and through the portfolio `trading.trade.*`.
    """
    orders = trackers.default().orders
    known = orders.attributes(client_id)
    if known is not None:
        venue, symbol = venue or known.get(a.VENUE), symbol or known.get(a.SYMBOL)
        strategy, account = strategy or known.get(a.STRATEGY), account or known.get(a.ACCOUNT)
    bought = side or (known and known.get(a.ORDER_SIDE))
    kind = type or (known and known.get(a.ORDER_TYPE))
    attributes = _FILLED.resolve(
        venue, symbol, bought, kind, liquidity, currency, fee_type, benchmark, strategy, account
    )
    instruments.of(metrics.FILLS).record(1, attributes)
    size = None if quantity is None else number(quantity, "quantity", minimum=0)
    orders.filled(client_id, size, complete=complete)
    paid = None if price is None else number(price, "price")
    charged = 0.0 if fee is None else number(fee, "fee") or 0.0
    _cost(attributes, charged)
    if paid is None or size is None:
        return
    value = number(abs(paid) * size, "price * quantity")
    if value is None:
        return
    instruments.of(metrics.NOTIONAL).record(value, attributes)
    sign = _SIGN.get(attributes.get(a.ORDER_SIDE) or "")
    if sign is None:
        return
    if attributes.get(a.SYMBOL) and attributes.get(a.CURRENCY):
        trackers.default().portfolio.filled(attributes, sign * size, paid, charged)
    if expected_price is not None:
        _slippage(attributes, paid, number(expected_price, "expected_price"), sign)


def _cost(attributes: AttributeSet, fee: float) -> None:
    if fee > 0:
        instruments.of(metrics.FEE).record(fee, attributes)
    elif fee < 0:
        instruments.of(metrics.REBATE).record(-fee, attributes)


def _slippage(attributes: AttributeSet, price: float, expected: float | None, sign: float) -> None:
    if not expected:
        return  # relative to nothing there is no slippage
    worse = sign * (price - expected)
    direction = "adverse" if worse > 0 else "favorable" if worse < 0 else "flat"
    size = number(abs(worse / expected), "slippage")
    if size is not None:
        instruments.of(metrics.SLIPPAGE).record(size, attributes.plus(a.DIRECTION, direction))


@guarded
def trade_closed(
    *,
    outcome: a.TradeOutcome,
    seconds: Number | None = None,
    result: Number | None = None,
    symbol: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Count a round trip, for bots that do not report fills; `order_filled` does it by itself.

    Args:
        outcome: win, loss or breakeven, after costs.
        seconds: Holding time.
        result: Return of the trade as a ratio; its sign follows from the outcome.
        symbol: Venue or ccxt symbol.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.trade.closures`, `.duration`, `.return`.
    """
    attributes = _CLOSED.resolve(outcome, venue, symbol, strategy, account)
    instruments.of(metrics.TRADE_CLOSURES).record(1, attributes)
    held = None if seconds is None else number(seconds, "seconds", minimum=0)
    if held is not None:
        instruments.of(metrics.TRADE_DURATION).record(held, attributes)
    made = None if result is None else number(result, "result")
    if made is not None:
        instruments.of(metrics.TRADE_RETURN).record(abs(made), attributes)
