"""Orders: what was sent, and what TWS says about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from otel_trading import meter
from otel_trading.instrumentation._hooks import quietly
from otel_trading.instrumentation._ib import names

if TYPE_CHECKING:
    from otel_trading.semconv import attributes as a

__all__ = ["all_canceled", "sent", "status_changed"]

#: FIX 39 by TWS's word; Submitted counts as a fill once some of it is filled. Others (ValidationError) are left out.
_STATUS: Final[dict[str, a.OrderStatus]] = {
    "ApiPending": "pending_new",
    "PendingSubmit": "pending_new",
    "PreSubmitted": "new",
    "Submitted": "new",
    "PendingCancel": "pending_cancel",
    "ApiCancelled": "canceled",
    "Cancelled": "canceled",
    "Filled": "filled",
    "Inactive": "suspended",
}
_WORKING: Final = frozenset({"PreSubmitted", "Submitted"})
#: The library enters Cancelled for every error of an order; these are not rejections.
_CANCELED: Final = frozenset({0, 161, 202, 10147, 10148})
_REJECTED: Final = 201
#: FIX 103 by TWS's code.
_REASON: Final[dict[int, a.RejectReason]] = {
    100: "rate_limited",
    103: "duplicate",
    109: "price_band",
    110: "invalid_order",
    163: "price_band",
    200: "unknown_symbol",
    203: "permission",
    321: "invalid_order",
    383: "size_limit",
    387: "invalid_order",
    388: "size_limit",
    391: "invalid_order",
    434: "invalid_order",
    435: "invalid_order",
    460: "permission",
    10052: "invalid_order",
    10268: "invalid_order",
    10311: "invalid_order",
}
#: 201 says why in words only, which are looked at and not recorded.
_WORDS: Final[tuple[tuple[a.RejectReason, str], ...]] = (
    ("insufficient_funds", r"(?i)margin|available funds|buying power|insufficient|equity with loan"),
    ("permission", r"(?i)permission|not allowed|not permitted|restricted"),
    ("market_closed", r"(?i)exchange is closed|market is closed|outside .*hours"),
    ("duplicate", r"(?i)duplicate"),
)


@quietly
def sent(
    client: Any,
    operation: a.OrderOperation,
    contract: Any,
    order: Any,
    *,
    account: str | None,
    error: BaseException | None = None,
) -> None:
    """Tell of an order message that was written to TWS, or could not be.

    Args:
        client: Of the `IB` object.
        operation: new, replace or cancel.
        contract: What is traded.
        order: The order.
        account: Its alias.
        error: What `placeOrder` or `cancelOrder` raised.
    """
    meter.order_sent(
        operation=operation,
        client_id=names.client_id(client, order),
        quantity=float(order.totalQuantity),
        error=error,
        account=account,
        **names.about(contract, order),
        **names.more(contract, order),
    )


@quietly
def all_canceled(error: BaseException | None = None) -> None:
    """Tell of a `reqGlobalCancel`."""
    meter.order_sent(operation="mass_cancel", venue=names.VENUE, error=error)


def status_changed(client: Any, trade: Any, account: str | None) -> None:
    """Tell of the state that an order entered."""
    joined: dict[str, Any] = {
        "client_id": names.client_id(client, trade.order),
        "venue_order_id": str(trade.orderStatus.permId) if trade.orderStatus.permId else None,
        "account": account,
        **names.about(trade.contract, trade.order),
    }
    entry = trade.log[-1] if trade.log else None
    code = int(getattr(entry, "errorCode", 0) or 0)
    if trade.orderStatus.status == "Cancelled" and _is_rejection(code, trade):
        meter.order_rejected(source="broker", reason=_reason(code, str(entry.message) if entry else ""), **joined)
        return
    status = _STATUS.get(trade.orderStatus.status)
    if status == "new" and trade.orderStatus.filled:
        status = "partially_filled"
    if status is not None:
        meter.order_status_changed(status=status, **joined)


def _is_rejection(code: int, trade: Any) -> bool:
    if code == _REJECTED:
        return True
    return code not in _CANCELED and not any(entry.status in _WORKING for entry in trade.log)


def _reason(code: int, said: str) -> a.RejectReason:
    if code in _REASON:
        return _REASON[code]
    return _in_words(said)


def _in_words(said: str) -> a.RejectReason:
    for reason, words in _WORDS:
        if re.search(words, said):
            return reason
    return "other"
