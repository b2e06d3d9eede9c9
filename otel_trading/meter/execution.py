"""Executions: what was filled, at what price, at what cost; and what a decision cost altogether."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading import events, instruments, spans, trackers
from otel_trading._attributes import AttributeSet, Keywords
from otel_trading._guard import count, guarded, lose
from otel_trading._numbers import number
from otel_trading.semconv import attributes as a
from otel_trading.semconv import events as happened
from otel_trading.semconv import execution as metrics
from otel_trading.semconv import spans as declared
from otel_trading.trackers.execution import direction

if TYPE_CHECKING:
    from otel_trading._numbers import Number

__all__ = ["decision_executed", "order_filled", "trade_closed"]

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
_DECIDED: Final = Keywords(
    "decision_executed", side=a.ORDER_SIDE, venue=a.VENUE, symbol=a.SYMBOL, strategy=a.STRATEGY, account=a.ACCOUNT
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
    execution_id: str | None = None,
    position_id: str | None = None,
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
        execution_id: The venue's id of this execution (FIX 17); a second report of one of its last 10,000 is ignored
            and counted, and it never leaves as a label.
        position_id: Your or the venue's id of the position (FIX 2618); on the event and the span.
        complete: Whether the order is done; None lets its quantity tell.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.execution.fills`, `.notional`, `.fee`, `.rebate`, `.slippage`, `trading.order.transitions`,
    `trading.order.fill.duration`, through the portfolio `trading.trade.*`, and later `trading.execution.markout`; the
    event `trading.execution.filled` and the span `trading.execution.process`, in the trace of the order.
    """
    owned = trackers.default()
    orders, portfolio = owned.orders, owned.portfolio
    known = trace = None
    if client_id is not None:
        known, trace = orders.attributes(client_id), orders.context(client_id)
    if known is not None:
        venue, symbol = venue or known.get(a.VENUE), symbol or known.get(a.SYMBOL)
        strategy, account = strategy or known.get(a.STRATEGY), account or known.get(a.ACCOUNT)
    bought = side or (known and known.get(a.ORDER_SIDE))
    kind = type or (known and known.get(a.ORDER_TYPE))
    attributes = _FILLED.resolve(
        venue, symbol, bought, kind, liquidity, currency, fee_type, benchmark, strategy, account
    )
    if execution_id is not None and _repeated(attributes, execution_id):
        return
    with spans.start(
        declared.EXECUTION,
        attributes,
        parent=trace,
        client_id=client_id,
        execution_id=execution_id,
        position_id=position_id,
    ):
        events.emit(
            happened.EXECUTION_FILLED,
            attributes,
            client_id=client_id,
            execution_id=execution_id,
            position_id=position_id,
        )
        owned.pending.add(metrics.FILLS, attributes)
        size = None if quantity is None else number(quantity, "quantity", minimum=0)
        if client_id is not None:
            orders.filled(client_id, size, complete=complete)
        paid = None if price is None else number(price, "price")
        charged = 0.0 if fee is None else number(fee, "fee") or 0.0
        _cost(attributes, charged)
        if paid is None or size is None:
            return
        value = number(size * portfolio.terms(attributes).value(paid), "price * quantity")
        if value is None:
            return
        owned.pending.add(metrics.NOTIONAL, attributes, value)
        sign = _SIGN.get(attributes.get(a.ORDER_SIDE) or "")
        if sign is None:
            return
        stated = attributes.values
        if a.SYMBOL.name in stated and a.CURRENCY.name in stated:
            portfolio.filled(attributes, sign * size, paid, charged, execution_id)
        owned.executions.filled(attributes, sign, paid)
        if expected_price is not None:
            _slippage(attributes, paid, number(expected_price, "expected_price"), sign)


def _repeated(attributes: AttributeSet, execution_id: str) -> bool:
    # Here and nowhere deeper: a resent fill must reach neither the counters nor the order nor the position.
    repeated = trackers.default().executions.repeated(attributes, str(execution_id))
    if repeated:
        count("duplicate")  # without a warning: that venues resend after a reconnect is no mistake of the bot
    return repeated


def _cost(attributes: AttributeSet, fee: float) -> None:
    if fee > 0:
        trackers.default().pending.add(metrics.FEE, attributes, fee)
    elif fee < 0:
        trackers.default().pending.add(metrics.REBATE, attributes, -fee)


def _slippage(attributes: AttributeSet, price: float, expected: float | None, sign: float) -> None:
    if not expected:
        return  # relative to nothing there is no slippage
    worse = sign * (price - expected)
    size = number(abs(worse / expected), "slippage")
    if size is not None:
        instruments.of(metrics.SLIPPAGE).record(size, attributes.plus(a.DIRECTION, direction(worse)))


@guarded
def decision_executed(
    *,
    side: a.OrderSide,
    decision_price: Number,
    quantity: Number,
    price: Number | None = None,
    filled: Number | None = None,
    last_price: Number | None = None,
    fee: Number = 0,
    symbol: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Record what a decision to trade cost against its price on paper, once no order of it works any more.

    Implementation shortfall of Perold (1988): filled quantity at its price, which holds delay and execution; fees; and
    the unfilled quantity at the price that was missed; all relative to the value of the decision.

    Args:
        side: FIX 54.
        decision_price: Price when the strategy decided.
        quantity: Size that it decided to trade.
        price: Average price of what was filled (FIX 6); not needed when nothing was.
        filled: What was filled (FIX 14); None for all of it.
        last_price: Price now, for the unfilled part; not needed when all was filled.
        fee: Charged when positive, a rebate when negative, in the currency of the price.
        symbol: Venue or ccxt symbol.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.execution.shortfall`.
    """
    attributes = _DECIDED.resolve(side, venue, symbol, strategy, account)
    sign = _SIGN.get(attributes.get(a.ORDER_SIDE) or "")
    start = number(decision_price, "decision_price")
    size = number(quantity, "quantity", minimum=0)
    done = size if filled is None else number(filled, "filled", minimum=0)
    paid = number(fee, "fee")
    if sign is None or start is None or size is None or done is None or paid is None:
        return
    missed = max(size - done, 0.0)
    traded = number(price, "price") if done else start
    left = number(last_price, "last_price") if missed else start
    if traded is None or left is None:
        return
    if not size * start:
        lose("invalid_value", "decision_executed() of no value has no shortfall. Pass quantity= and decision_price=.")
        return
    worse = (sign * (done * (traded - start) + missed * (left - start)) + paid) / abs(size * start)
    cost = number(abs(worse), "shortfall")
    if cost is not None:
        instruments.of(metrics.SHORTFALL).record(cost, attributes.plus(a.DIRECTION, direction(worse)))


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
