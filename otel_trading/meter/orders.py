"""Orders: what is sent to the venue; `order_reports` has what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading import spans, trackers
from otel_trading._attributes import OTHER, AttributeSet, Keywords
from otel_trading._guard import guarded
from otel_trading._numbers import number
from otel_trading._timer import Timer, error_type, timer
from otel_trading.semconv import attributes as a
from otel_trading.semconv import order as metrics
from otel_trading.semconv import spans as declared
from otel_trading.semconv import venue as venue_metrics

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from otel_trading._numbers import Number
    from otel_trading._timer import Close

__all__ = [
    "ORDER",
    "order_request",
    "order_sent",
]

_SENT: Final = Keywords(
    "order_sent",
    "order_request",
    operation=a.ORDER_OPERATION,
    error=a.ERROR_TYPE,
    venue=a.VENUE,
    symbol=a.SYMBOL,
    side=a.ORDER_SIDE,
    type=a.ORDER_TYPE,
    time_in_force=a.TIME_IN_FORCE,
    instrument_type=a.INSTRUMENT_TYPE,
    post_only=a.POST_ONLY,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)
#: What the order itself carries, as against the one message about it.
ORDER: Final = metrics.TRANSITIONS.keys - {a.ORDER_STATUS.name}
#: ccxt's verb for each order message: an order call is a venue call too.
_VERB: Final = {
    "new": "create_order",
    "replace": "edit_order",
    "cancel": "cancel_order",
    "mass_cancel": "cancel_all_orders",
    "status": "fetch_order",
}


@guarded
def order_sent(
    *,
    client_id: str | None = None,
    operation: a.OrderOperation = "new",
    symbol: str | None = None,
    side: a.OrderSide | None = None,
    type: a.OrderType | None = None,  # noqa: A002  FIX calls it so
    quantity: Number | None = None,
    original_client_id: str | None = None,
    signal_id: str | None = None,
    time_in_force: a.TimeInForce | None = None,
    instrument_type: a.InstrumentType | None = None,
    post_only: bool | None = None,
    order_id: str | None = None,
    error: str | BaseException | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Count an order message that was sent, and start to wait for its acknowledgement.

    Use `order_request` instead where the venue replies to the call itself. With `original_client_id=` a replace or a
    cancel joins its order: reports under either id are about it, and a rejection leaves it as it was.

    Args:
        client_id: Client order id (FIX 11); joins later reports to this order and never leaves as a label.
        operation: new, replace, cancel, mass_cancel or status.
        symbol: Venue or ccxt symbol (FIX 55).
        side: FIX 54.
        type: FIX 40.
        quantity: Order quantity (FIX 38), so that the completing fill can be told.
        original_client_id: FIX 41: the order that a replace or a cancel with an id of its own is about.
        signal_id: The id of the signal that this order follows from, as said to `signal_emitted`; needs `client_id=`.
        time_in_force: FIX 59.
        instrument_type: FIX 167.
        post_only: Whether it may only add liquidity (FIX 18=6); on the span.
        order_id: Your own id of the order, where it is not the client order id; on spans and events.
        error: Why sending failed: an exception, a code, or None.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.order.requests`, `trading.order.transitions`, `trading.tick_to_trade.duration` inside a
    `tick_to_trade`; the span `trading.order {operation}`, without length.
    """
    values = (venue, symbol, side, type, time_in_force, instrument_type, _said(post_only), strategy, account)
    failed = error_type(error)
    attributes = _SENT.resolve(operation, failed, *values)
    trackers.default().pending.add(metrics.REQUESTS, attributes)
    span = spans.start(declared.ORDER, attributes, client_id=client_id, order_id=order_id)
    if error is None:
        _remember(operation, (client_id, original_client_id, signal_id, order_id), attributes, quantity, span.context)
    span.close(failed)


@timer
def order_request(
    *,
    client_id: str | None = None,
    operation: a.OrderOperation = "new",
    symbol: str | None = None,
    side: a.OrderSide | None = None,
    type: a.OrderType | None = None,  # noqa: A002  FIX calls it so
    quantity: Number | None = None,
    original_client_id: str | None = None,
    signal_id: str | None = None,
    time_in_force: a.TimeInForce | None = None,
    instrument_type: a.InstrumentType | None = None,
    post_only: bool | None = None,
    order_id: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> Timer:
    """Time a call that sends an order message and waits for its reply; a `with` block or a decorator.

    An exception that leaves the block becomes `error.type`; the order stays unacknowledged until a report says more,
    and is `lost` after 15 minutes without one.

    Args:
        client_id: Client order id (FIX 11).
        operation: new, replace, cancel, mass_cancel or status.
        symbol: Venue or ccxt symbol (FIX 55).
        side: FIX 54.
        type: FIX 40.
        quantity: Order quantity (FIX 38).
        original_client_id: FIX 41: the order that a replace or a cancel with an id of its own is about.
        signal_id: The id of the signal that this order follows from, as said to `signal_emitted`; needs `client_id=`.
        time_in_force: FIX 59.
        instrument_type: FIX 167.
        post_only: Whether it may only add liquidity (FIX 18=6); on the span.
        order_id: Your own id of the order, where it is not the client order id; on spans and events.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.order.requests`, `trading.order.request.duration`, `trading.venue.request.duration`,
    `trading.order.transitions`, `trading.tick_to_trade.duration` inside a `tick_to_trade`; the span
    `trading.order {operation}`, parent of the HTTP call's own.
    """
    values = (venue, symbol, side, type, time_in_force, instrument_type, _said(post_only), strategy, account)

    def start() -> Close:
        attributes = _SENT.resolve(operation, None, *values)
        span = spans.start(declared.ORDER, attributes, client_id=client_id, order_id=order_id)
        _remember(operation, (client_id, original_client_id, signal_id, order_id), attributes, quantity, span.context)
        return span.enter().close

    def finish(seconds: float, error: str | None) -> None:
        attributes, known = _SENT.find(operation, error, *values), trackers.default()
        if error is not None and operation == "new":
            known.orders.failed(client_id)
        known.pending.add(metrics.REQUESTS, attributes)
        known.pending.record(metrics.REQUEST_DURATION, seconds, attributes)
        stated = attributes.get(a.ORDER_OPERATION) or OTHER  # as it was admitted: a bot may pass anything
        call = attributes.plus(a.VENUE_OPERATION, _VERB.get(stated, stated))
        known.pending.record(venue_metrics.REQUEST_DURATION, seconds, call)

    return Timer(finish, start)


def _said(post_only: bool | None) -> str | None:  # noqa: FBT001  the user's keyword, handed on
    return None if post_only is None else "true" if post_only else "false"


def _remember(
    operation: str,
    ids: tuple[str | None, str | None, str | None, str | None],
    attributes: AttributeSet,
    quantity: Number | None,
    context: Context | None,
) -> None:
    client_id, original, signal_id, order_id = ids
    size = None if quantity is None else number(quantity, "quantity", minimum=0)
    known = trackers.default()
    if operation == "new":
        known.orders.sent(client_id, attributes.only(ORDER), size, context, order_id)
        if signal_id is not None and client_id is not None:
            known.signals.ordered(signal_id, client_id)
    elif operation in {"replace", "cancel"} and client_id is not None and original is not None:
        known.orders.asked(operation, client_id, original, size)
    if operation != "new":
        known.orders.requested(original or client_id, context)
    if operation != "status":
        known.ticks.written()
