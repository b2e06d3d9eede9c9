"""What Alpaca's orders and trade updates mean in FIX's terms."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

from otel_trading import meter
from otel_trading.instrumentation._orders import Execution, Orders, Report, quantity

if TYPE_CHECKING:
    from otel_trading.semconv import attributes as a

__all__ = [
    "ORDERS",
    "VENUE",
    "field",
    "kind",
    "moment",
    "placed",
    "reason",
    "replaced",
    "replied",
    "reported",
    "updated",
]

VENUE: Final = "alpaca"
#: Shared by all clients and streams: one sends, another one tells.
ORDERS: Final = Orders()
#: What goes before `new` (pending_new, accepted, pending_review, held) is no news: the reply acknowledged the order.
_STATUSES: Final[dict[str, a.OrderStatus]] = {
    "accepted_for_bidding": "accepted_for_bidding",
    "calculated": "calculated",
    "canceled": "canceled",
    "done_for_day": "done_for_day",
    "expired": "expired",
    "filled": "filled",
    "new": "new",
    "partially_filled": "partially_filled",
    "pending_cancel": "pending_cancel",
    "pending_replace": "pending_replace",
    "rejected": "rejected",
    "stopped": "stopped",
    "suspended": "suspended",
}
_FILLS: Final = frozenset({"fill", "partial_fill"})
_SIDES: Final[dict[str, a.OrderSide]] = {"buy": "buy", "sell": "sell", "sell_short": "sell_short"}
_TYPES: Final[dict[str, a.OrderType]] = {
    "market": "market",
    "limit": "limit",
    "stop": "stop",
    "stop_limit": "stop_limit",
    "trailing_stop": "trailing_stop",
}
_IN_FORCE: Final[dict[str, a.TimeInForce]] = {
    "day": "day", "gtc": "gtc", "opg": "opg", "cls": "at_close", "ioc": "ioc", "fok": "fok",
}  # fmt: skip
#: FIX 103 by Alpaca's code of error, else by HTTP status. No other status says that the order was refused.
_REASONS: Final[dict[int, a.RejectReason]] = {
    40010001: "invalid_order",
    40310000: "insufficient_funds",
    42210000: "invalid_order",
    400: "invalid_order",
    401: "permission",
    403: "permission",
    404: "unknown_symbol",
    422: "invalid_order",
    429: "rate_limited",
}
_MULTIPLIER_OF_OPTIONS: Final = 100


def field(source: Any, name: str) -> Any:
    """Return a field of a model or of raw data; an enum's value; None for what is not there."""
    value = cast("dict[str, Any]", source).get(name) if isinstance(source, dict) else getattr(source, name, None)
    return getattr(value, "value", value)


def kind(order: Any) -> dict[str, Any]:
    """Return what an order is, as keywords of `meter.order_request`; what has no word in FIX is left out."""
    return {
        "symbol": _symbol(order),
        "side": _SIDES.get(str(field(order, "side"))),
        "type": _TYPES.get(str(field(order, "type"))),
        "time_in_force": _IN_FORCE.get(str(field(order, "time_in_force"))),
        "quantity": quantity(field(order, "qty")),
    }


def placed(order: Any) -> dict[str, Any]:
    """Remember an order that is about to leave, and return it as keywords of `meter.order_request`."""
    keywords = kind(order)
    client_id = str(field(order, "client_order_id") or ORDERS.number(VENUE))
    ORDERS.sent(VENUE, client_id, currency=_currency(keywords["symbol"]))
    return {"client_id": client_id, **keywords}


def replied(client_id: str, order: Any) -> None:
    """Take the reply to a new order: Alpaca has it, under its own id."""
    symbol = _symbol(order)
    if symbol is not None and field(order, "asset_class") == "us_option":
        meter.contract(symbol=symbol, multiplier=_MULTIPLIER_OF_OPTIONS, venue=VENUE)
    if field(order, "id") is not None and field(order, "status") != "rejected":
        ORDERS.acknowledged(VENUE, client_id, str(field(order, "id")), field(order, "client_order_id"))
    reported(order)


def replaced(old: object, new: object, client_id: object = None) -> None:
    """Take the news that an order goes on under another id, once, whoever tells of it first."""
    known = ORDERS.client_id(VENUE, old)
    if known is not None and new is not None and ORDERS.client_id(VENUE, new) is None:
        ORDERS.renamed(VENUE, known, str(new), client_id)


def reported(order: Any) -> None:
    """Take an order as Alpaca tells of it."""
    identity = field(order, "id")
    status = field(order, "status")
    if status == "replaced":
        replaced(identity, field(order, "replaced_by"))
        return
    ORDERS.reported(
        VENUE,
        Report(
            id=None if identity is None else str(identity),
            client_id=field(order, "client_order_id"),
            status=_STATUSES.get(str(status)),
            filled=quantity(field(order, "filled_qty")),
            average=quantity(field(order, "filled_avg_price")),
        ),
    )


def updated(data: Any) -> None:
    """Take a message of trade_updates, as it came."""
    order = field(data, "order")
    if field(data, "event") in _FILLS:
        identity = field(order, "id")
        filled = field(order, "filled_qty")
        ORDERS.executed(
            VENUE,
            None if identity is None else str(identity),
            Execution(
                id=str(field(data, "execution_id") or f"{identity}:{filled}"),
                price=quantity(field(data, "price")),
                quantity=quantity(field(data, "qty")),
                symbol=_symbol(order),
                side=_SIDES.get(str(field(order, "side"))),
                time=moment(field(data, "timestamp")),
            ),
            _currency(_symbol(order)),
        )
    reported(order)


def reason(error: BaseException) -> a.RejectReason | None:
    """Return why an order was refused, or None when it is not known to be."""
    status = getattr(error, "status_code", None)
    if status not in _REASONS:
        return None
    try:
        code: Any = getattr(error, "code", None)
    except Exception:  # noqa: BLE001  it parses the body, which may be anything
        code = None
    return _REASONS.get(code, _REASONS[status])


def _symbol(order: Any) -> str | None:
    symbol = field(order, "symbol")
    return None if not symbol else str(symbol)


def _currency(symbol: str | None) -> str:
    return "USD" if symbol is None or "/" not in symbol else symbol.rpartition("/")[2]


def moment(stamp: Any) -> float | None:
    """Return the Unix time of a model's time or of raw data's; None for what is none."""
    if isinstance(stamp, datetime):
        return stamp.timestamp()
    try:
        # nanoseconds, which Python 3.10 does not read
        text, _, rest = str(stamp).replace("Z", "+00:00").partition(".")
        zone = rest.lstrip("0123456789")
        return datetime.fromisoformat(text + zone).timestamp()
    except ValueError:
        return None
