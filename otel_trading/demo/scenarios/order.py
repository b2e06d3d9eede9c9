"""Orders that go wrong."""

from __future__ import annotations

from collections import deque
from itertools import count
from typing import TYPE_CHECKING, Final

from otel_trading import meter
from otel_trading.demo.scenarios._model import Cause, scenario

if TYPE_CHECKING:
    from otel_trading.semconv.attributes import RejectReason

__all__ = ["acknowledged"]

_ids: Final = (f"order-{number}" for number in count(1))


@scenario("OrderLost")
def lost(cause: Cause) -> None:
    """The venue no longer knows an order that it had acknowledged."""
    meter.order_status_changed(client_id=acknowledged(), status="lost")
    cause.hold()


@scenario("OrderUnacknowledged", thresholds={"order_unacknowledged_seconds": 2})
def unacknowledged(cause: Cause) -> None:
    """The venue says nothing to an order, until the fault is over."""
    order = _sent()
    cause.hold()
    meter.order_acknowledged(client_id=order)


@scenario("AcknowledgementSlow", thresholds={"order_acknowledgement_seconds": 0.1})
def slow_acknowledgements(cause: Cause) -> None:
    """The venue takes half a second to acknowledge what it took milliseconds for."""
    waiting = deque(_sent() for _ in range(10))
    while cause.holds(every=0.05):
        meter.order_acknowledged(client_id=waiting.popleft())
        waiting.append(_sent())
    for order in waiting:
        meter.order_acknowledged(client_id=order)


@scenario("OrderRejectionRateHigh")
def rejections(cause: Cause) -> None:
    """The venue rejects every third order."""
    while cause.holds(every=0.5):
        _rejected("price_band")
        acknowledged()
        acknowledged()


@scenario("RejectStorm", thresholds={"order_rejections": 5})
def storm(cause: Cause) -> None:
    """Of many orders some are rejected, again and again for the same reason."""
    while cause.holds(every=0.5):
        _rejected("insufficient_funds")
        for _ in range(20):
            acknowledged()


def _sent() -> str:
    order = next(_ids)
    meter.order_sent(client_id=order, symbol="BTC/USD", side="buy", type="limit", quantity=1)
    return order


def acknowledged() -> str:
    """Send an order that the venue takes, and return its id."""
    order = _sent()
    meter.order_acknowledged(client_id=order)
    return order


def _rejected(reason: RejectReason) -> None:
    meter.order_rejected(client_id=_sent(), reason=reason)
