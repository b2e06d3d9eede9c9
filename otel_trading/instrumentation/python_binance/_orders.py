"""What Binance's orders, executions and refusals mean in FIX's terms."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

from otel_trading import meter
from otel_trading.instrumentation import _replies
from otel_trading.instrumentation._orders import Execution, Orders, Report, quantity

if TYPE_CHECKING:
    from otel_trading.semconv import attributes as a

__all__ = ["ORDERS", "executed", "fields", "kind", "learned", "pair", "placed", "reason", "reported", "streamed"]

ORDERS: Final = Orders()
_STATUSES: Final[dict[str, a.OrderStatus]] = {
    "NEW": "new",
    "PARTIALLY_FILLED": "partially_filled",
    "FILLED": "filled",
    "CANCELED": "canceled",
    "PENDING_CANCEL": "pending_cancel",
    "REJECTED": "rejected",
    "EXPIRED": "expired",
    "EXPIRED_IN_MATCH": "expired",
}
_TYPES: Final[dict[str, a.OrderType]] = {
    "MARKET": "market",
    "LIMIT": "limit",
    "LIMIT_MAKER": "limit",
    "STOP": "stop_limit",
    "STOP_LOSS": "stop",
    "STOP_MARKET": "stop",
    "STOP_LOSS_LIMIT": "stop_limit",
    "TAKE_PROFIT": "market_if_touched",
    "TAKE_PROFIT_MARKET": "market_if_touched",
    "TAKE_PROFIT_LIMIT": "limit_if_touched",
    "TRAILING_STOP_MARKET": "trailing_stop",
}
_SIDES: Final[dict[str, a.OrderSide]] = {"BUY": "buy", "SELL": "sell"}
_IN_FORCE: Final[dict[str, a.TimeInForce]] = {"GTC": "gtc", "IOC": "ioc", "FOK": "fok", "GTX": "gtx", "GTD": "gtd"}
#: FIX 103 by Binance's code; one of an unknown execution status (-1000, -1001, -1006, -1007) has none.
_REASONS: Final[dict[int, a.RejectReason]] = {
    -1002: "permission",
    -1003: "rate_limited",
    -1013: "invalid_order",
    -1015: "rate_limited",
    -1021: "stale",
    -1022: "permission",
    -1121: "unknown_symbol",
    -2010: "other",
    -2014: "permission",
    -2015: "permission",
    -2018: "insufficient_funds",
    -2019: "insufficient_funds",
    -2021: "invalid_order",
    -2022: "invalid_order",
    -4131: "price_band",
    -4164: "size_limit",
    -5022: "post_only_would_cross",
}
_UNKNOWN: Final = frozenset({-1000, -1001, -1006, -1007})
#: Two codes hold many reasons; the text says which, and goes no further.
_TEXTS: Final[tuple[tuple[str, a.RejectReason], ...]] = (
    ("insufficient balance", "insufficient_funds"),
    ("immediately match", "post_only_would_cross"),
    ("duplicate order", "duplicate"),
    ("market is closed", "market_closed"),
    ("lot_size", "size_limit"),
    ("notional", "size_limit"),
    ("percent_price", "price_band"),
)
_WORDY: Final = frozenset({-1013, -2010})
#: Codes for parameters that are wrong.
_PARAMETERS: Final = range(-1199, -1099)
_BANNED: Final = (418, 429)
_REFUSED: Final = range(400, 500)
#: The longest first; exchange information, once the bot asks for it, knows better.
_QUOTES: Final = re.compile(
    r"(.+?)_?(FDUSD|USDT|USDC|BUSD|TUSD|USDP|BIDR|USD1|EURI|AEUR|DAI|USD|EUR|GBP|TRY|BRL|JPY|MXN|ARS|COP|PLN|RON|UAH|ZAR"
    r"|BTC|ETH|BNB|TRX|XRP|DOGE|SOL)(?:_\w+)?$"
)
_pairs: Final[dict[str, tuple[str, str]]] = {}


def fields(value: Any) -> dict[str, Any]:
    """Return a dictionary of Binance's, or an empty one for what is none."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def pair(symbol: str) -> tuple[str | None, str | None]:
    """Return what is traded and what it is paid in."""
    return _pairs.get(symbol) or _guessed(symbol)


@lru_cache(maxsize=4096)
def _guessed(symbol: str) -> tuple[str | None, str | None]:
    found = _QUOTES.fullmatch(symbol)
    return (found[1], found[2]) if found else (None, None)


def learned(venue: str, told: dict[str, Any]) -> None:
    """Take exchange information: assets of symbols, terms of contracts, sizes of budgets."""
    for symbol in told.get("symbols") or ():
        _pairs[symbol["symbol"]] = (symbol["baseAsset"], symbol.get("marginAsset") or symbol["quoteAsset"])
        if symbol.get("contractSize"):
            meter.contract(symbol=symbol["symbol"], multiplier=symbol["contractSize"], inverse=True, venue=venue)
    for limit in told.get("rateLimits") or ():
        window = f"{limit['intervalNum']}{str(limit['interval'])[0].lower()}"
        budget = {"REQUEST_WEIGHT": "request_weight", "ORDERS": "orders"}.get(limit["rateLimitType"])
        if budget is not None:
            _replies.allow(venue, f"{budget}_{window}", float(limit["limit"]))


def kind(order: dict[str, Any]) -> dict[str, Any]:
    """Return what an order is, as keywords of `meter.order_request`; what has no word in FIX is left out."""
    plain = str(order.get("type"))
    return {
        "symbol": order.get("symbol"),
        "side": _SIDES.get(str(order.get("side"))),
        "type": _TYPES.get(plain),
        "quantity": quantity(order.get("quantity")),
        "time_in_force": _IN_FORCE.get(str(order.get("timeInForce"))),
        "post_only": True if plain == "LIMIT_MAKER" or order.get("timeInForce") == "GTX" else None,
    }


def placed(venue: str, order: dict[str, Any]) -> dict[str, Any]:
    """Remember an order that is about to leave, and return it as keywords of `meter.order_request`."""
    client_id = str(order.get("newClientOrderId") or ORDERS.number(venue))
    base, currency = pair(str(order.get("symbol")))
    ORDERS.sent(venue, client_id, symbol=order.get("symbol"), base=base, currency=currency)
    return {"client_id": client_id, **kind(order)}


def reported(venue: str, told: Any) -> None:
    """Take an order as REST and the WebSocket API give it."""
    order = fields(told)
    filled = quantity(order.get("executedQty"))
    value = quantity(order.get("cummulativeQuoteQty"))
    average = value / filled if value and filled else quantity(order.get("avgPrice"))
    ORDERS.reported(
        venue,
        Report(
            id=_text(order.get("orderId")),
            client_id=_text(order.get("origClientOrderId") or order.get("clientOrderId")),
            status=_STATUSES.get(str(order.get("status"))),
            filled=filled,
            average=average or quantity(order.get("price")),
            executions=[
                _execution(order.get("symbol"), order.get("side"), fill)
                for fill in order.get("fills") or ()
                if fill.get("tradeId") is not None
            ],
        ),
    )


def executed(venue: str, trade: dict[str, Any]) -> None:
    """Take one of the account's trades."""
    buys = trade.get("isBuyer", trade.get("buyer"))
    side = trade.get("side") or (None if buys is None else "BUY" if buys else "SELL")
    execution = _execution(trade.get("symbol"), side, {**trade, "tradeId": trade["id"]})
    ORDERS.executed(venue, trade.get("orderId"), execution, pair(str(trade.get("symbol")))[1])


def streamed(venue: str, event: dict[str, Any]) -> None:
    """Take an `executionReport` of spot, or what futures call `ORDER_TRADE_UPDATE`."""
    order = fields(event.get("o")) or event
    fill = {"tradeId": order.get("t"), "price": order.get("L"), "qty": order.get("l"), "time": order.get("T")}
    fill |= {"commission": order.get("n"), "commissionAsset": order.get("N"), "isMaker": order.get("m")}
    # of a cancel the id is its own, and the order's stands beside it
    client_id = _text(order.get("C")) or _text(order.get("c"))
    executions = [_execution(order.get("s"), order.get("S"), fill)] if order.get("x") == "TRADE" else []
    number = _text(order.get("i"))
    if executions and ORDERS.client_id(venue, number) is None and ORDERS.client_id(venue, client_id) is None:
        ORDERS.executed(venue, number, executions[0], pair(str(order.get("s")))[1])
    status = _STATUSES.get(str(order.get("X")))
    ORDERS.reported(venue, Report(id=number, client_id=client_id, status=status, executions=executions))


def _execution(symbol: Any, side: Any, fill: dict[str, Any]) -> Execution:
    maker, stamp = fill.get("isMaker", fill.get("maker")), quantity(fill.get("time"))
    return Execution(
        id=str(fill["tradeId"]),
        price=quantity(fill.get("price")),
        quantity=quantity(fill.get("qty")),
        symbol=symbol,
        side=_SIDES.get(str(side)),
        liquidity=None if maker is None else "maker" if maker else "taker",
        fee=quantity(fill.get("commission")),
        fee_currency=fill.get("commissionAsset"),
        time=None if stamp is None else stamp / 1000,
    )


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)


def reason(error: Any) -> a.RejectReason | None:
    """Return why an order was refused, or None when it is not known to be."""
    code, status = getattr(error, "code", None), getattr(error, "status_code", None)
    if status in _BANNED:
        return "rate_limited"
    if not isinstance(code, int) or code in _UNKNOWN:
        return None
    if code in _WORDY:
        text = str(getattr(error, "message", "")).lower()
        told: list[a.RejectReason] = [why for words, why in _TEXTS if words in text]
        return told[0] if told else _REASONS[code]
    if code in _REASONS:
        return _REASONS[code]
    if code in _PARAMETERS:
        return "invalid_order"
    return "other" if status in _REFUSED else None
