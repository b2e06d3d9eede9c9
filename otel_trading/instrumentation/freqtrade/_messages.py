"""What freqtrade says to its messengers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from otel_trading import _context, meter
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["tell"]

_STATE: Final[dict[str, a.StrategyState]] = {
    "running": "running",
    "paused": "reducing",
    "stopped": "stopped",
    "process died": "stopped",
}
_TYPE: Final[dict[str, a.OrderType]] = {"market": "market", "limit": "limit", "stoploss": "stop"}
_BUYS: Final = {("entry", "long"), ("exit", "short")}


def tell(message: Mapping[str, Any], *, trades: bool) -> None:
    """Tell of one message; those of kinds that are not ours say nothing.

    Args:
        message: As `RPCManager.send_msg` takes it.
        trades: Whether orders and fills are to be taken from it.
    """
    kind = getattr(message["type"], "value", message["type"])
    part, _, what = kind.partition("_")
    if part in {"entry", "exit"}:
        if trades:
            _order(part, what, message)
    elif kind == "status":
        state = _STATE.get(message["status"])
        if state is not None:
            meter.strategy_state(state=state)
    elif kind == "new_candle":
        source = _context.current().values[a.VENUE.name]
        meter.market_data_received(source=source, kind="bar", symbol=message["data"][0])
    elif part == "protection":
        pair = message.get("pair")
        meter.risk_checked(check="protection", outcome="deny", symbol=None if pair == "*" else pair)
    elif kind == "liquidation_warning":
        meter.liquidation_price(symbol=message["pair"], price=message["liquidation_price"])


def _order(part: str, what: str, message: Mapping[str, Any]) -> None:
    direction = str(message["direction"]).lower()
    client_id = f"{message['trade_id']}-{part}"
    about: dict[str, Any] = {
        "client_id": client_id,
        "symbol": message["pair"],
        "side": "buy" if (part, direction) in _BUYS else "sell_short" if part == "entry" else "sell",
        "type": _TYPE.get(message["order_type"], "other"),
    }
    if not what:
        meter.order_sent(quantity=message["amount"], **about)
        meter.order_acknowledged(client_id=client_id)
    elif what == "cancel":
        meter.order_status_changed(status="canceled", **about)
    elif what == "fill":
        meter.order_filled(
            price=message["order_rate"],
            quantity=message["amount"],
            currency=message["quote_currency"],
            fee=_fees(message, direction) if part == "exit" else None,
            complete=True,
            **about,
        )


def _fees(message: Mapping[str, Any], direction: str) -> float:
    """Return what lies between the prices of entry and exit and the profit that freqtrade states."""
    gross = (message["order_rate"] - message["open_rate"]) * message["amount"] * (-1 if direction == "short" else 1)
    return round(float(gross - message["profit_amount"]), 8)
