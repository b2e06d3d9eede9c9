"""A strategy on live data: its orders, its feeds and what carries them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from otel_trading import meter
from otel_trading.instrumentation import _backtests
from otel_trading.instrumentation._hooks import quietly
from otel_trading.instrumentation.backtrader.names import symbol_of
from otel_trading.semconv import execution, market_data, order

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading.semconv import attributes as a

__all__ = [
    "EMITS",
    "bar",
    "canceled",
    "data_notified",
    "is_live",
    "order_notified",
    "sent",
    "store_notified",
]

EMITS: Final = (
    order.REQUESTS,
    order.TRANSITIONS,
    order.REJECTIONS,
    execution.FILLS,
    market_data.CONNECTION_STATUS,
    market_data.MESSAGES,
)
#: FIX 39 by `Order.getstatusname()`; fills tell Partial and Completed, and what is not here is not told.
_STATUSES: Final[dict[str, a.OrderStatus]] = {
    "Submitted": "pending_new",
    "Accepted": "new",
    "Canceled": "canceled",
    "Expired": "expired",
}
_REASONS: Final[dict[str, a.RejectReason]] = {"Margin": "insufficient_funds", "Rejected": "other"}
#: FIX 40 by `Order.getordername()`.
_TYPES: Final[dict[str, a.OrderType]] = {
    "Market": "market",
    "Close": "market",
    "Limit": "limit",
    "Stop": "stop",
    "StopLimit": "stop_limit",
    "StopTrail": "trailing_stop",
    "StopTrailLimit": "trailing_stop_limit",
}
#: By the name of a feed's status.
_FEEDS: Final[dict[str, a.ConnectionState]] = {
    "CONNECTED": "connected",
    "LIVE": "connected",
    "DELAYED": "degraded",
    "DISCONNECTED": "disconnected",
    "CONNBROKEN": "disconnected",
    "NOTSUBSCRIBED": "disconnected",
    "NOTSUPPORTED_TIMEFRAME": "disconnected",
}
#: Between TWS and Interactive Brokers: lost, and back with and without the subscriptions.
_IB_CODES: Final[dict[int, a.ConnectionState]] = {1100: "disconnected", 1101: "connected", 1102: "connected"}


def is_live(cerebro: Any, settings: dict[str, Any]) -> bool:
    """Return whether a run trades on live data; `settings` are those of this run alone."""
    return bool(cerebro._dolive or cerebro.p.live or settings.get("live"))  # noqa: SLF001  known nowhere else


def sent(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Tell of a `buy` or a `sell`."""
    if not is_live(instance.cerebro, {}):
        return wrapped(*args, **kwargs)
    try:
        order = wrapped(*args, **kwargs)
    except Exception as error:
        _failed(instance, wrapped.__name__, error)
        raise
    if order is not None:
        _sent(instance, order)
    return order


def canceled(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Tell of a `cancel`."""
    returned = wrapped(*args, **kwargs)
    if is_live(instance.cerebro, {}):
        _canceling(instance, *args, **kwargs)
    return returned


def data_notified(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Tell of a feed's status."""
    _status(instance, *args[:2])
    return wrapped(*args, **kwargs)


def store_notified(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Tell of the connection between TWS and Interactive Brokers."""
    _message(*args[:1])
    return wrapped(*args, **kwargs)


@quietly
def order_notified(strategy: Any, notified: Any) -> None:
    """Tell what the broker says of an order."""
    status, about = notified.getstatusname(), _about(strategy, notified)
    fills = [bit for bit in notified.executed.iterpending() if bit is not None]
    for index, bit in enumerate(fills, 1):
        meter.order_filled(
            price=bit.price,
            quantity=abs(bit.size),
            fee=bit.openedcomm + bit.closedcomm,
            complete=status == "Completed" and index == len(fills),
            **about,
        )
    if status in _REASONS:
        meter.order_rejected(reason=_REASONS[status], source="broker", **about)
    elif status in _STATUSES:
        meter.order_status_changed(status=_STATUSES[status], **about)


def bar(data: Any) -> None:
    """Tell of a bar, once its feed has caught up with the present."""
    if data._laststatus == data.LIVE:  # noqa: SLF001  known nowhere else
        name = symbol_of(data)
        meter.market_data_received(source=type(data).__name__, kind="bar", symbol=name, connection=_connection(data))


@quietly
def _sent(strategy: Any, order: Any) -> None:
    meter.order_sent(quantity=abs(order.created.size), **_about(strategy, order))


@quietly
def _failed(strategy: Any, side: Any, error: Exception) -> None:
    meter.order_sent(side=side, error=error, strategy=_strategy(strategy))


@quietly
def _canceling(strategy: Any, order: Any) -> None:
    about = _about(strategy, order)
    about["original_client_id"], about["client_id"] = about["client_id"], f"{about['client_id']}-cancel"
    meter.order_sent(operation="cancel", **about)


@quietly
def _status(cerebro: Any, data: Any, status: int) -> None:
    name = data._getstatusname(status)  # noqa: SLF001  backtrader's documentation calls it so
    state = _FEEDS.get(name)
    if state is not None and is_live(cerebro, {}):
        error = name if state == "disconnected" else None
        meter.connection_changed(name=_connection(data), state=state, transport="tcp", error=error)


@quietly
def _message(message: Any) -> None:
    code = getattr(message, "errorCode", None)
    if code in _IB_CODES:
        state = _IB_CODES[code]
        error = str(code) if state == "disconnected" else None
        meter.connection_changed(name="ib", state=state, transport="tcp", error=error)


def _about(strategy: Any, order: Any) -> dict[str, Any]:
    return {
        "client_id": f"backtrader-{order.ref}",
        "symbol": symbol_of(order.data),
        "side": "buy" if order.isbuy() else "sell",
        "type": _TYPES.get(order.getordername()),
        "strategy": _strategy(strategy),
    }


def _connection(data: Any) -> str:
    return symbol_of(data) or type(data).__name__


def _strategy(strategy: Any) -> str | None:
    return _backtests.strategy(type(strategy).__name__)
