"""Orders: sent, acknowledged, rejected, canceled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading import events, instruments, spans, trackers
from otel_trading._attributes import AttributeSet, Keywords
from otel_trading._guard import guarded
from otel_trading._numbers import number
from otel_trading._timer import Timer, error_type, timer
from otel_trading.semconv import attributes as a
from otel_trading.semconv import events as happened
from otel_trading.semconv import order as metrics
from otel_trading.semconv import spans as declared
from otel_trading.semconv import venue as venue_metrics

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from otel_trading._numbers import Number
    from otel_trading._timer import Close

__all__ = [
    "order_acknowledged",
    "order_canceled",
    "order_denied",
    "order_expired",
    "order_rejected",
    "order_request",
    "order_sent",
    "order_status_changed",
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
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)
_CHANGED: Final = Keywords(
    "order_status_changed",
    "order_acknowledged",
    "order_canceled",
    "order_expired",
    status=a.ORDER_STATUS,
    venue=a.VENUE,
    symbol=a.SYMBOL,
    side=a.ORDER_SIDE,
    type=a.ORDER_TYPE,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)
_REJECTED: Final = Keywords(
    "order_rejected",
    "order_denied",
    source=a.REJECT_SOURCE,
    reason=a.REJECT_REASON,
    venue=a.VENUE,
    symbol=a.SYMBOL,
    side=a.ORDER_SIDE,
    type=a.ORDER_TYPE,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)
#: What the order itself carries, as against the one message about it.
_ORDER: Final = metrics.TRANSITIONS.keys - {a.ORDER_STATUS.name}
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
        error: Why sending failed: an exception, a code, or None.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.order.requests`, `trading.order.transitions`, `trading.tick_to_trade.duration` inside a
    `tick_to_trade`; the span `trading.order {operation}`, without length.
    """
    values = (venue, symbol, side, type, time_in_force, instrument_type, strategy, account)
    failed = error_type(error)
    attributes = _SENT.resolve(operation, failed, *values)
    instruments.of(metrics.REQUESTS).record(1, attributes)
    span = spans.start(declared.ORDER, attributes, client_id=client_id)
    if error is None:
        _remember(operation, (client_id, original_client_id, signal_id), attributes, quantity, span.context)
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
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> Timer:
    """Time a call that sends an order message and waits for its reply; a `with` block or a decorator.

    An exception that leaves the block becomes `error.type`; the order stays unacknowledged until a report says more.

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
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.order.requests`, `trading.order.request.duration`, `trading.venue.request.duration`,
    `trading.order.transitions`, `trading.tick_to_trade.duration` inside a `tick_to_trade`; the span
    `trading.order {operation}`, parent of the HTTP call's own.
    """
    values = (venue, symbol, side, type, time_in_force, instrument_type, strategy, account)

    @guarded
    def start() -> Close:
        attributes = _SENT.resolve(operation, None, *values)
        span = spans.start(declared.ORDER, attributes, client_id=client_id)
        _remember(operation, (client_id, original_client_id, signal_id), attributes, quantity, span.context)
        return span.enter().close

    @guarded
    def finish(seconds: float, error: str | None) -> None:
        attributes = _SENT.find(operation, error, *values)
        instruments.of(metrics.REQUESTS).record(1, attributes)
        instruments.of(metrics.REQUEST_DURATION).record(seconds, attributes)
        call = attributes.plus(a.VENUE_OPERATION, _VERB.get(operation, operation))
        instruments.of(venue_metrics.REQUEST_DURATION).record(seconds, call)

    return Timer(finish, start)


def _remember(
    operation: str,
    ids: tuple[str | None, str | None, str | None],
    attributes: AttributeSet,
    quantity: Number | None,
    context: Context | None,
) -> None:
    client_id, original, signal_id = ids
    size = None if quantity is None else number(quantity, "quantity", minimum=0)
    known = trackers.default()
    if operation == "new":
        known.orders.sent(client_id, attributes.only(_ORDER), size, context)
        if signal_id is not None and client_id is not None:
            known.signals.ordered(signal_id, client_id)
    elif operation in {"replace", "cancel"} and client_id is not None and original is not None:
        known.orders.asked(operation, client_id, original, size)
    if operation != "new":
        known.orders.requested(original or client_id, context)
    if operation != "status":
        known.ticks.written()


@guarded
def order_status_changed(
    *,
    status: a.OrderStatus,
    client_id: str | None = None,
    symbol: str | None = None,
    side: a.OrderSide | None = None,
    type: a.OrderType | None = None,  # noqa: A002  FIX calls it so
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Enter an order into a state.

    Args:
        status: FIX 39, or initialized, denied, lost.
        client_id: Client order id (FIX 11); a known order brings its own attributes.
        symbol: Venue or ccxt symbol (FIX 55).
        side: FIX 54.
        type: FIX 40.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.order.transitions`, and `trading.order.acknowledgement.duration` for the first report of the venue;
    the event `trading.order.status_changed`, and the span `trading.order.lifecycle` when it ends the order.
    """
    attributes = _CHANGED.resolve(status, venue, symbol, side, type, strategy, account)
    state = attributes.values[a.ORDER_STATUS.name]
    trackers.default().orders.moved(client_id, attributes.only(_ORDER), state)


@guarded
def order_acknowledged(*, client_id: str | None = None, symbol: str | None = None, venue: str | None = None) -> None:
    """Enter an order into `new`: the venue has it.

    Args:
        client_id: Client order id (FIX 11).
        symbol: Venue or ccxt symbol, when the order is not known by its id.
        venue: Venue, when the order is not known by its id.

    Emits: `trading.order.transitions`, `trading.order.acknowledgement.duration`.
    """
    order_status_changed(status="new", client_id=client_id, symbol=symbol, venue=venue)


@guarded
def order_canceled(*, client_id: str | None = None, symbol: str | None = None, venue: str | None = None) -> None:
    """Enter an order into `canceled`.

    Args:
        client_id: Client order id (FIX 11).
        symbol: Venue or ccxt symbol, when the order is not known by its id.
        venue: Venue, when the order is not known by its id.

    Emits: `trading.order.transitions`.
    """
    order_status_changed(status="canceled", client_id=client_id, symbol=symbol, venue=venue)


@guarded
def order_expired(*, client_id: str | None = None, symbol: str | None = None, venue: str | None = None) -> None:
    """Enter an order into `expired`.

    Args:
        client_id: Client order id (FIX 11).
        symbol: Venue or ccxt symbol, when the order is not known by its id.
        venue: Venue, when the order is not known by its id.

    Emits: `trading.order.transitions`.
    """
    order_status_changed(status="expired", client_id=client_id, symbol=symbol, venue=venue)


@guarded
def order_rejected(
    *,
    reason: a.RejectReason = "other",
    source: a.RejectSource = "venue",
    client_id: str | None = None,
    symbol: str | None = None,
    side: a.OrderSide | None = None,
    type: a.OrderType | None = None,  # noqa: A002  FIX calls it so
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Count an order that somebody said no to, and end it.

    The id of a replace or a cancel (`order_sent(original_client_id=)`) ends and counts nothing: no order was rejected,
    and the one that the message was about goes on as it was.

    Args:
        reason: FIX 103.
        source: venue, broker or client; for our own risk check use `order_denied`.
        client_id: Client order id (FIX 11); a known order brings its own attributes.
        symbol: Venue or ccxt symbol (FIX 55).
        side: FIX 54.
        type: FIX 40.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.order.rejections`, `trading.order.transitions`; the event `trading.order.rejected`.
    """
    orders = trackers.default().orders
    if orders.refused(client_id):
        return
    known = orders.attributes(client_id)
    if known is not None:
        venue, symbol = venue or known.get(a.VENUE), symbol or known.get(a.SYMBOL)
        strategy, account = strategy or known.get(a.STRATEGY), account or known.get(a.ACCOUNT)
    attributes = _REJECTED.resolve(source, reason, venue, symbol, side, type, strategy, account)
    instruments.of(metrics.REJECTIONS).record(1, attributes)
    events.emit(happened.ORDER_REJECTED, attributes, client_id=client_id)
    orders.moved(client_id, attributes.only(_ORDER), "denied" if source == "risk" else "rejected")


@guarded
def order_denied(
    *,
    reason: a.RejectReason = "other",
    client_id: str | None = None,
    symbol: str | None = None,
    side: a.OrderSide | None = None,
    type: a.OrderType | None = None,  # noqa: A002  FIX calls it so
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Count an order that our own risk check refused, before or after it was registered.

    Args:
        reason: FIX 103.
        client_id: Client order id (FIX 11).
        symbol: Venue or ccxt symbol (FIX 55).
        side: FIX 54.
        type: FIX 40.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.order.rejections`, `trading.order.transitions`; the event `trading.order.rejected`.
    """
    order_rejected(
        source="risk",
        reason=reason,
        client_id=client_id,
        symbol=symbol,
        side=side,
        type=type,
        venue=venue,
        strategy=strategy,
        account=account,
    )
