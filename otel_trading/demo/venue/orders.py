"""Orders, fills, and the checks that turn a bad order into a reject with a reason (FIX 103)."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

__all__ = ["Fill", "Order", "RejectError", "check_collar", "parse"]

_SIDES: Final = ("buy", "sell")
_TYPES: Final = ("market", "limit")
_TIMES_IN_FORCE: Final = ("day", "ioc")
MAX_QUANTITY: Final = 5000
#: How far a limit price may be from the last trade.
COLLAR: Final = 0.1


class RejectError(Exception):
    """The venue says no.

    Args:
        reason: One of the convention's reject reasons.
        text: What is wrong, for people.
    """

    def __init__(self, *, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


@dataclass(slots=True)
class Order:
    """One order and how far it got."""

    client_id: str
    symbol: str
    side: str
    type: str
    quantity: float
    price: float | None = None
    time_in_force: str = "day"
    filled: float = 0.0
    status: str = "new"
    rested: bool = False

    @property
    def open(self) -> bool:
        """Whether it can still trade."""
        return self.status in {"new", "partially_filled"}

    @property
    def remaining(self) -> float:
        """What is left to trade."""
        return self.quantity - self.filled

    @property
    def sign(self) -> int:
        """1 to buy, -1 to sell."""
        return 1 if self.side == "buy" else -1

    def terms(self) -> tuple[object, ...]:
        """What was asked for: two orders with the same client id must agree on it."""
        return (self.symbol, self.side, self.type, self.quantity, self.price, self.time_in_force)

    def report(self) -> dict[str, Any]:
        """Return how it stands, as the private stream shows it; `type` there says what kind of message it is."""
        return {
            "type": "order",
            "client_id": self.client_id,
            "symbol": self.symbol,
            "status": self.status,
            "filled": self.filled,
        }

    def json(self) -> dict[str, Any]:
        """Return it as the API shows it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution."""

    client_id: str
    symbol: str
    side: str
    price: float
    quantity: float
    liquidity: str
    fee: float
    currency: str
    complete: bool

    def json(self) -> dict[str, Any]:
        """Return it as the private stream shows it."""
        return {"type": "fill", **asdict(self)}


def parse(data: Any) -> Order:
    """Read an order from a request body.

    Raises:
        RejectError: It is not an order; says which field is wrong.
    """
    if not isinstance(data, dict):
        raise RejectError(reason="invalid_order", text="An order is a JSON object.")
    fields = cast("dict[str, Any]", data)
    order = Order(
        client_id=_text(fields, "client_id"),
        symbol=_text(fields, "symbol"),
        side=_one_of(fields, "side", _SIDES),
        type=_one_of(fields, "type", _TYPES),
        quantity=_positive(fields, "quantity"),
        price=_positive(fields, "price") if fields.get("type") == "limit" else None,
        time_in_force=_one_of({"time_in_force": "day", **fields}, "time_in_force", _TIMES_IN_FORCE),
    )
    if order.quantity > MAX_QUANTITY:
        raise RejectError(
            reason="size_limit", text=f"quantity is {order.quantity:g}, at most {MAX_QUANTITY} are allowed."
        )
    return order


def check_collar(order: Order, last: float) -> None:
    """Refuse a limit price that is far from the market.

    Raises:
        RejectError: It is.
    """
    if order.price is not None and abs(order.price / last - 1) > COLLAR:
        raise RejectError(
            reason="price_band", text=f"price {order.price:g} is more than {COLLAR:.0%} from the last trade {last:g}."
        )


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise RejectError(reason="invalid_order", text=f"{name} is {value!r}, a text is needed.")
    return value


def _one_of(data: dict[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = data.get(name)
    if value not in allowed:
        raise RejectError(reason="invalid_order", text=f"{name} is {value!r}, one of {', '.join(allowed)} is needed.")
    return str(value)


def _positive(data: dict[str, Any], name: str) -> float:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
        raise RejectError(reason="invalid_order", text=f"{name} is {value!r}, a number above zero is needed.")
    return float(value)
