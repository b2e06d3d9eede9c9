"""What the convention calls the things that Interactive Brokers names its own way."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from otel_trading.semconv import attributes as a

__all__ = ["LIQUIDITY", "SIDE", "VENUE", "about", "client_id", "known", "more", "multiplier", "symbol"]

VENUE: Final = "ibkr"
SIDE: Final[dict[str, a.OrderSide]] = {
    "BUY": "buy",
    "SELL": "sell",
    "SSHORT": "sell_short",
    "BOT": "buy",
    "SLD": "sell",
}
LIQUIDITY: Final[dict[int, a.Liquidity]] = {1: "maker", 2: "taker", 3: "routed"}
_TYPE: Final[dict[str, a.OrderType]] = {
    "MKT": "market",
    "MOC": "market",
    "MOO": "market",
    "LMT": "limit",
    "LOC": "limit",
    "LOO": "limit",
    "MIDPRICE": "limit",
    "STP": "stop",
    "STP PRT": "stop",
    "STP LMT": "stop_limit",
    "MIT": "market_if_touched",
    "LIT": "limit_if_touched",
    "MTL": "market_to_limit",
    "TRAIL": "trailing_stop",
    "TRAIL LIMIT": "trailing_stop_limit",
    "REL": "pegged",
    "PEG MID": "pegged",
    "PEG MKT": "pegged",
    "PEG BENCH": "pegged",
}
_TIME: Final[dict[str, a.TimeInForce]] = {
    "": "day",
    "DAY": "day",
    "GTC": "gtc",
    "OPG": "opg",
    "IOC": "ioc",
    "FOK": "fok",
    "GTD": "gtd",
}
_KIND: Final[dict[str, a.InstrumentType]] = {
    "STK": "equity",
    "BOND": "bond",
    "CASH": "fx",
    "CRYPTO": "spot",
    "FUT": "future",
    "CONTFUT": "future",
    "OPT": "option",
    "FOP": "option",
    "WAR": "option",
    "IND": "index",
    "CFD": "cfd",
    "EC": "event_contract",
}
_PAIRS: Final = frozenset({"CASH", "CRYPTO"})
#: TWS writes the largest double where it has no number.
_UNSET: Final = 1e300


def symbol(contract: Any) -> str:
    """Return AAPL, EUR/USD, or the exchange's own symbol of a future or an option."""
    kind = contract.secType
    if kind in _PAIRS:
        return f"{contract.symbol}/{contract.currency}"
    if kind in {"STK", "IND", "BAG", "CFD"}:
        return str(contract.symbol)
    local = " ".join(contract.localSymbol.split())
    if local:
        return local
    parts = contract.symbol, contract.lastTradeDateOrContractMonth, contract.right
    strike = f"{contract.strike:g}" if contract.strike else ""
    return " ".join(part for part in (*parts, strike) if part)


def multiplier(contract: Any) -> float:
    """Return the units of the underlying in one contract."""
    return float(contract.multiplier or 1)


def client_id(client: Any, order: Any) -> str | None:
    """Return what joins reports to an order: an order id counts per gateway and client; one made in TWS has none."""
    return f"{client.port}-{order.clientId}-{order.orderId}" if order.orderId > 0 else None


def about(contract: Any, order: Any) -> dict[str, Any]:
    """Return the keywords that tell of an order; an unknown side is left out, an unknown type is `other`."""
    return {
        "venue": VENUE,
        "symbol": symbol(contract),
        "side": SIDE.get(order.action),
        "type": _TYPE.get(order.orderType, "other"),
    }


def more(contract: Any, order: Any) -> dict[str, Any]:
    """Return the keywords that only the request has."""
    return {"time_in_force": _TIME.get(order.tif), "instrument_type": _KIND.get(contract.secType)}


def known(value: float) -> bool:
    """Whether TWS gave a number."""
    return math.isfinite(value) and abs(value) < _UNSET
