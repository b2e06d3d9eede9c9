"""What ccxt's orders and trades mean in FIX's terms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, cast

from otel_trading import meter
from otel_trading.instrumentation._orders import Execution, Orders, Report, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_trading.semconv import attributes as a

__all__ = [
    "ORDERS",
    "batch",
    "executed",
    "fields",
    "kind",
    "market",
    "placed",
    "reason",
    "replied",
    "replied_to_all",
    "reported",
    "terms",
]

#: Shared by all instances: one sends over REST, another one streams.
ORDERS: Final = Orders()
#: ccxt's word for a state; `open` and `closed` depend on what was filled.
_STATUSES: Final[dict[str, a.OrderStatus]] = {
    "canceled": "canceled",
    "canceling": "pending_cancel",
    "closed": "filled",
    "expired": "expired",
    "open": "new",
    "rejected": "rejected",
}
#: FIX 103 by ccxt's class of exception, the most exact one first. Where the venue may have the order all the same
#: (`RequestTimeout`, `ExchangeNotAvailable`, `BadResponse`) there is none: the order is not rejected but unknown.
_REASONS: Final[dict[str, a.RejectReason]] = {
    "InsufficientFunds": "insufficient_funds",
    "DuplicateOrderId": "duplicate",
    "OrderImmediatelyFillable": "post_only_would_cross",
    "InvalidOrder": "invalid_order",
    "BadSymbol": "unknown_symbol",
    "ContractUnavailable": "unknown_symbol",
    "MarketClosed": "market_closed",
    "OnMaintenance": "market_closed",
    "RestrictedLocation": "permission",
    "AuthenticationError": "permission",
    "RateLimitExceeded": "rate_limited",
    "DDoSProtection": "rate_limited",
    "ChecksumError": "other",
    "InvalidNonce": "stale",
    "ArgumentsRequired": "invalid_order",
    "BadRequest": "invalid_order",
    "ExchangeError": "other",
}
_TYPES: Final[dict[str, a.OrderType]] = {
    "market": "market",
    "limit": "limit",
    "limit_maker": "limit",
    "post_only": "limit",
    "stop": "stop",
    "stop_loss": "stop",
    "stop_market": "stop",
    "stop_limit": "stop_limit",
    "stop_loss_limit": "stop_limit",
    "take_profit": "market_if_touched",
    "take_profit_market": "market_if_touched",
    "take_profit_limit": "limit_if_touched",
    "trailing_stop": "trailing_stop",
    "trailing_stop_market": "trailing_stop",
    "trailing_stop_limit": "trailing_stop_limit",
}
#: What a plain type becomes under a parameter of ccxt's.
_TRIGGERED: Final[dict[str, dict[str, a.OrderType]]] = {
    "triggerPrice": {"market": "stop", "limit": "stop_limit"},
    "stopPrice": {"market": "stop", "limit": "stop_limit"},
    "stopLossPrice": {"market": "stop", "limit": "stop_limit"},
    "takeProfitPrice": {"market": "market_if_touched", "limit": "limit_if_touched"},
    "trailingAmount": {"market": "trailing_stop", "limit": "trailing_stop_limit"},
    "trailingPercent": {"market": "trailing_stop", "limit": "trailing_stop_limit"},
}
_IN_FORCE: Final[dict[str, a.TimeInForce]] = {
    "GTC": "gtc", "IOC": "ioc", "FOK": "fok", "GTX": "gtx", "GTD": "gtd", "DAY": "day", "PO": "gtx",
}  # fmt: skip
_KINDS: Final[dict[str, a.InstrumentType]] = {
    "spot": "spot", "margin": "spot", "swap": "perpetual", "future": "future", "option": "option",
}  # fmt: skip
_SIDES: Final[dict[str, a.OrderSide]] = {"buy": "buy", "sell": "sell"}
_LIQUIDITY: Final[dict[str, a.Liquidity]] = {"maker": "maker", "taker": "taker"}
#: Libraries whose exceptions ccxt passes on as the cause of its own, and those of them that are an answer all the same.
_TRANSPORTS: Final = frozenset({"aiohttp", "requests", "urllib3"})
_ANSWERS: Final = frozenset({"ClientResponseError", "HTTPError"})
#: Where venues take the client order id; ccxt makes one up for some of them.
_CLIENT_IDS: Final = (
    "clientOrderId", "newClientOrderId", "cl_ord_id", "clOrdId", "orderLinkId", "clientOid", "client_order_id",
)  # fmt: skip


def fields(value: Any) -> dict[str, Any]:
    """Return a dictionary of ccxt's, or an empty one for what is none."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def market(exchange: Any, symbol: Any) -> dict[str, Any]:
    """Return ccxt's market of a symbol, by its own name or the venue's; an empty one when it is not known."""
    found = fields(exchange.markets).get(symbol)
    same = fields(exchange.markets_by_id).get(symbol) if found is None else None
    return fields(same[0] if same else found)


def kind(order: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """Return what an order is, as keywords of `meter.order_request`; what has no word in FIX is left out."""
    plain = str(order.get("type") or "").lower().replace("-", "_").replace(" ", "_")
    # most orders have no parameters
    type_ = next((kinds.get(plain) for name, kinds in _TRIGGERED.items() if params.get(name)), None) if params else None
    return {
        "side": _SIDES.get(str(order.get("side")).lower()),
        "type": type_ or _TYPES.get(plain),
        "quantity": quantity(order.get("amount")),
        "time_in_force": _IN_FORCE.get(str(params.get("timeInForce")).upper()),
        "post_only": True if params.get("postOnly") or plain in {"limit_maker", "post_only"} else None,
    }


def placed(exchange: Any, order: dict[str, Any], sent: Any) -> dict[str, Any]:
    """Remember an order that is about to leave, and return it as keywords of `meter.order_request`.

    Args:
        exchange: Sends it.
        order: As the bot gave it to ccxt.
        sent: As ccxt gives it to the venue.
    """
    params = fields(order.get("params"))
    traded = market(exchange, order.get("symbol"))
    client_id = _client_id(fields(sent)) or _client_id(params) or ORDERS.number(exchange.id)
    terms(exchange, traded)
    symbol = traded.get("symbol", order.get("symbol"))
    ORDERS.sent(exchange.id, client_id, symbol=symbol, base=traded.get("base"), currency=_currency(traded))
    return {
        "client_id": client_id,
        "symbol": symbol,
        "instrument_type": _KINDS.get(str(traded.get("type"))),
        **kind(order, params),
    }


def _client_id(params: dict[str, Any]) -> str | None:
    for name in _CLIENT_IDS if params else ():
        given = params.get(name)
        if given:
            return str(given)
    return None


def terms(exchange: Any, traded: dict[str, Any]) -> None:
    """State what one contract of a derivative is; said again it is the same."""
    if traded.get("contract") and traded.get("contractSize"):
        meter.contract(
            symbol=traded["symbol"],
            multiplier=float(traded["contractSize"]),
            inverse=bool(traded.get("inverse")),
            venue=exchange.id,
        )


def replied(exchange: Any, client_id: str, order: Any) -> None:
    """Take the reply to a new order: the venue has it, under its own id."""
    told = fields(order)
    if told.get("id") is not None and told.get("status") != "rejected":
        ORDERS.acknowledged(exchange.id, client_id, told["id"], told.get("clientOrderId"))
    _report(exchange, told, client_id)


def batch(sent: Any, number: int) -> Sequence[dict[str, Any] | None]:
    """Return what of a request carries its orders, one by one; as many times None where that is not known."""
    places = [sent, *fields(sent).values()]
    found = [cast("list[dict[str, Any]]", place) for place in places if isinstance(place, list)]
    return next((orders for orders in found if len(orders) == number and all(map(fields, orders))), [None] * number)


def replied_to_all(exchange: Any, orders: list[dict[str, Any]], replies: Any) -> None:
    """Take the replies to several new orders, which ccxt sorts by time: one that could be of two is of none.

    Args:
        exchange: Sent them.
        orders: As `placed` returned them.
        replies: Of those that the venue took and of those that it refused.
    """
    left = {order["client_id"]: order for order in orders}
    others: list[dict[str, Any]] = []
    for told in map(fields, replies):
        known = ORDERS.client_id(exchange.id, told.get("clientOrderId"))
        if known is not None and known in left:
            del left[known]
            replied(exchange, known, told)
        else:
            others.append(told)
    for order in list(left.values()):
        mine = [told for told in others if _is_reply(order, told)]
        if len(mine) == 1 and sum(_is_reply(one, mine[0]) for one in left.values()) == 1:
            others.remove(mine[0])
            replied(exchange, left.pop(order["client_id"])["client_id"], mine[0])
    if len(others) == len(left) and all(told.get("status") == "rejected" for told in others):
        for client_id, told in zip(left, others, strict=True):  # nothing in a refusal says of which it is
            replied(exchange, client_id, {"status": told["status"]})


def _is_reply(order: dict[str, Any], told: dict[str, Any]) -> bool:
    size, amount = order["quantity"], quantity(told.get("amount"))
    same = size is not None and amount is not None and math.isclose(size, amount)
    return same and (order["symbol"], order["side"]) == (told.get("symbol"), told.get("side"))


def reported(exchange: Any, order: Any) -> None:
    """Take an order that ccxt read from any message of the venue."""
    told = fields(order)
    _report(exchange, told, told.get("clientOrderId"))


def _report(exchange: Any, order: dict[str, Any], client_id: Any) -> None:
    fee = fields(order.get("fee"))
    filled = quantity(order.get("filled"))
    status = _STATUSES.get(str(order.get("status")))
    if status == "filled" and filled == 0:
        status = None  # ended without a fill: canceled or expired, ccxt does not say
    elif status == "new" and filled:
        status = "partially_filled"
    ORDERS.reported(
        exchange.id,
        Report(
            id=None if order.get("id") is None else str(order["id"]),
            client_id=None if client_id is None else str(client_id),
            status=status,
            filled=filled,
            average=quantity(order.get("average") or order.get("price")),
            fee=quantity(fee.get("cost")),
            fee_currency=fee.get("currency"),
            executions=[_execution(trade) for trade in order.get("trades") or () if trade.get("id") is not None],
        ),
    )


def executed(exchange: Any, trade: Any, *, own: bool = False) -> None:
    """Take a trade that ccxt read.

    Args:
        exchange: Where.
        trade: As ccxt gives it.
        own: Whether it is the account's for sure; else only if it is of an order of ours.
    """
    order = trade.get("order")
    if trade.get("id") is None or (not own and (order is None or ORDERS.client_id(exchange.id, order) is None)):
        return
    ORDERS.executed(exchange.id, order, _execution(trade), _currency(market(exchange, trade.get("symbol"))))


def _execution(trade: dict[str, Any]) -> Execution:
    fee = fields(trade.get("fee"))
    stamp = quantity(trade.get("timestamp"))
    return Execution(
        id=str(trade["id"]),
        price=quantity(trade.get("price")),
        quantity=quantity(trade.get("amount")),
        symbol=trade.get("symbol"),
        side=_SIDES.get(str(trade.get("side"))),
        liquidity=_LIQUIDITY.get(str(trade.get("takerOrMaker"))),
        fee=quantity(fee.get("cost")),
        fee_currency=fee.get("currency"),
        time=None if stamp is None else stamp / 1000,
    )


def _currency(traded: dict[str, Any]) -> str | None:
    currency = traded.get("settle") or traded.get("quote")
    return None if currency is None else str(currency)


def reason(error: BaseException) -> a.RejectReason | None:
    """Return why an order was refused, or None when it is not known to be: see `_REASONS`."""
    if type(error).__name__ == "ExchangeError" and _broken(error.__cause__):
        return None
    for kind_ in type(error).__mro__:
        if not kind_.__module__.startswith("ccxt."):
            return None
        if kind_.__name__ in _REASONS:
            return _REASONS[kind_.__name__]
    return None


def _broken(cause: BaseException | None) -> bool:
    """Whether a reply broke off: ccxt makes its plainest exception of that, as of a status that nobody explains."""
    kind_ = type(cause)
    return kind_.__module__.split(".")[0] in _TRANSPORTS and kind_.__name__ not in _ANSWERS
