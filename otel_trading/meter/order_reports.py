"""Orders: what the venue, the broker or our own risk check says about them."""

from __future__ import annotations

from typing import Final

from otel_trading import events, instruments, trackers
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded
from otel_trading.meter.orders import ORDER
from otel_trading.semconv import attributes as a
from otel_trading.semconv import events as happened
from otel_trading.semconv import order as metrics

__all__ = [
    "order_acknowledged",
    "order_canceled",
    "order_denied",
    "order_expired",
    "order_rejected",
    "order_status_changed",
]

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


@guarded
def order_status_changed(
    *,
    status: a.OrderStatus,
    client_id: str | None = None,
    order_id: str | None = None,
    venue_order_id: str | None = None,
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
        order_id: Your own id of the order; on events and its span, with every later report too.
        venue_order_id: The venue's id of it (FIX 37); likewise.
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
    trackers.default().orders.moved(
        client_id, attributes.only(ORDER), state, order_id=order_id, venue_order_id=venue_order_id
    )


@guarded
def order_acknowledged(
    *,
    client_id: str | None = None,
    venue_order_id: str | None = None,
    symbol: str | None = None,
    venue: str | None = None,
) -> None:
    """Enter an order into `new`: the venue has it.

    Args:
        client_id: Client order id (FIX 11).
        venue_order_id: The venue's id of the order (FIX 37); on events and its span, with every later report too.
        symbol: Venue or ccxt symbol, when the order is not known by its id.
        venue: Venue, when the order is not known by its id.

    Emits: `trading.order.transitions`, `trading.order.acknowledgement.duration`.
    """
    order_status_changed(status="new", client_id=client_id, venue_order_id=venue_order_id, symbol=symbol, venue=venue)


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
    order_id: str | None = None,
    venue_order_id: str | None = None,
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
        order_id: Your own id of the order.
        venue_order_id: The venue's id of it (FIX 37).
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
    ids = orders.ids(client_id)
    events.emit(
        happened.ORDER_REJECTED,
        attributes,
        client_id=client_id,
        order_id=order_id or ids.get("order_id"),
        venue_order_id=venue_order_id or ids.get("venue_order_id"),
    )
    state = "denied" if source == "risk" else "rejected"
    orders.moved(client_id, attributes.only(ORDER), state, order_id=order_id, venue_order_id=venue_order_id)


@guarded
def order_denied(
    *,
    reason: a.RejectReason = "other",
    client_id: str | None = None,
    order_id: str | None = None,
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
        order_id: Your own id of the order.
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
        order_id=order_id,
        symbol=symbol,
        side=side,
        type=type,
        venue=venue,
        strategy=strategy,
        account=account,
    )
