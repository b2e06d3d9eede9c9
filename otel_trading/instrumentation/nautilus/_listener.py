"""Listens to one message bus."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from otel_trading import meter
from otel_trading.instrumentation._hooks import quietly

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading.semconv import attributes as a

__all__ = ["Listener"]

_MODE: Final[dict[str, a.Mode]] = {"backtest": "backtest", "sandbox": "paper", "live": "live"}
_SIDE: Final[dict[str, a.OrderSide]] = {"BUY": "buy", "SELL": "sell"}
_TYPE: Final[dict[str, a.OrderType]] = {
    "MARKET": "market",
    "LIMIT": "limit",
    "STOP_MARKET": "stop",
    "STOP_LIMIT": "stop_limit",
    "MARKET_TO_LIMIT": "market_to_limit",
    "MARKET_IF_TOUCHED": "market_if_touched",
    "LIMIT_IF_TOUCHED": "limit_if_touched",
    "TRAILING_STOP_MARKET": "trailing_stop",
    "TRAILING_STOP_LIMIT": "trailing_stop_limit",
}
_TIME: Final[dict[str, a.TimeInForce]] = {
    "GTC": "gtc",
    "IOC": "ioc",
    "FOK": "fok",
    "GTD": "gtd",
    "DAY": "day",
    "AT_THE_OPEN": "opg",
    "AT_THE_CLOSE": "at_close",
}
_LIQUIDITY: Final[dict[str, a.Liquidity]] = {"MAKER": "maker", "TAKER": "taker"}
_STATUS: Final[dict[str, a.OrderStatus]] = {
    "OrderAccepted": "new",
    "OrderCanceled": "canceled",
    "OrderExpired": "expired",
}
_REQUEST: Final[dict[str, a.OrderOperation]] = {
    "OrderSubmitted": "new",
    "OrderPendingUpdate": "replace",
    "OrderPendingCancel": "cancel",
}
_TRADING: Final[dict[str, a.KillSwitchState]] = {"ACTIVE": "armed", "REDUCING": "reducing", "HALTED": "halted"}
_NANO: Final = 1e-9


class Listener:
    """Tells of what a message bus carries.

    Args:
        bus: The kernel's.
        cache: The kernel's, which knows each order and instrument.
        environment: backtest, sandbox or live.
    """

    def __init__(self, bus: Any, cache: Any, environment: str) -> None:
        self._bus, self._cache = bus, cache
        self._mode: a.Mode = _MODE[environment]
        self._words = import_module("nautilus_trader.model.enums")
        self._stated: set[Any] = set()
        self._topics: dict[str, Callable[[Any], None]] = {
            "events.order.*": self.order,
            "events.account.*": self.account,
            "events.risk": self.risk,
        }
        if environment != "backtest":
            self._topics["data.quotes.*"] = self.quote
        for topic, handler in self._topics.items():
            bus.subscribe(topic, handler)

    def leave(self) -> None:
        """Stop to listen."""
        for topic, handler in self._topics.items():
            self._bus.unsubscribe(topic, handler)

    @quietly
    def order(self, event: Any) -> None:
        """Take what happened to an order."""
        kind = type(event).__name__
        with meter.scope(mode=self._mode, strategy=str(event.strategy_id), venue=str(event.instrument_id.venue)):
            if kind == "OrderFilled":
                self._fill(event)
            elif kind in _REQUEST:
                self._request(_REQUEST[kind], event)
            elif kind in _STATUS:
                number = event.venue_order_id
                meter.order_status_changed(
                    status=_STATUS[kind], venue_order_id=None if number is None else str(number), **self._about(event)
                )
            elif kind == "OrderRejected":
                crossed = bool(getattr(event, "due_post_only", False))
                meter.order_rejected(reason="post_only_would_cross" if crossed else "other", **self._about(event))
            elif kind == "OrderDenied":
                meter.order_denied(**self._about(event))

    @quietly
    def account(self, event: Any) -> None:
        """Take the state of an account."""
        with meter.scope(mode=self._mode, venue=str(event.account_id.get_issuer())):
            for balance in event.balances:
                meter.balance(
                    free=balance.free.as_double(), used=balance.locked.as_double(), currency=balance.currency.code
                )
            used: dict[str, float] = {}
            for margin in event.margins:
                code = margin.currency.code
                used[code] = used.get(code, 0.0) + margin.maintenance.as_double()
            for code, usage in used.items():
                meter.margin(usage=usage, currency=code)

    @quietly
    def risk(self, event: Any) -> None:
        """Take the trading state of the risk engine."""
        state = _TRADING.get(self._words.trading_state_to_str(event.state))
        if state is not None:
            with meter.scope(mode=self._mode):
                meter.kill_switch_changed(scope="global", state=state)

    @quietly
    def quote(self, tick: Any) -> None:
        """Take a quote."""
        symbol, venue = str(tick.instrument_id.symbol), str(tick.instrument_id.venue)
        with meter.scope(mode=self._mode, venue=venue):
            meter.market_data_received(
                source=venue.lower(), kind="quote", symbol=symbol, venue_time=tick.ts_event * _NANO
            )
            meter.price_marked(symbol=symbol, price=(tick.bid_price.as_double() + tick.ask_price.as_double()) / 2)

    def _about(self, event: Any) -> dict[str, Any]:
        order = self._cache.order(event.client_order_id)
        known: dict[str, Any] = {
            "client_id": str(event.client_order_id),
            "symbol": str(event.instrument_id.symbol),
        }
        if order is not None:
            known["side"] = _SIDE.get(self._words.order_side_to_str(order.side))
            known["type"] = _TYPE.get(self._words.order_type_to_str(order.order_type), "other")
        return known

    def _request(self, operation: a.OrderOperation, event: Any) -> None:
        order = self._cache.order(event.client_order_id)
        meter.order_sent(
            operation=operation,
            quantity=None if order is None else order.quantity.as_double(),
            time_in_force=None if order is None else _TIME.get(self._words.time_in_force_to_str(order.time_in_force)),
            **self._about(event),
        )

    def _fill(self, event: Any) -> None:
        symbol, currency, fee = str(event.instrument_id.symbol), event.currency.code, event.commission
        self._terms(event.instrument_id, symbol)
        own = fee.as_double() if fee is not None and fee.currency.code == currency else None
        meter.order_filled(
            client_id=str(event.client_order_id),
            symbol=symbol,
            side=_SIDE.get(self._words.order_side_to_str(event.order_side)),
            type=_TYPE.get(self._words.order_type_to_str(event.order_type), "other"),
            price=event.last_px.as_double(),
            quantity=event.last_qty.as_double(),
            currency=currency,
            liquidity=_LIQUIDITY.get(self._words.liquidity_side_to_str(event.liquidity_side)),
            fee=own,
            execution_id=None if self._mode == "backtest" else str(event.trade_id),
            position_id=None if event.position_id is None else str(event.position_id),
        )
        if fee is not None and own is None and fee.as_double() > 0:
            meter.fee_charged(value=fee.as_double(), type="commission", symbol=symbol, currency=fee.currency.code)

    def _terms(self, instrument_id: Any, symbol: str) -> None:
        if instrument_id in self._stated:
            return
        instrument = self._cache.instrument(instrument_id)
        self._stated.add(instrument_id)
        if instrument is not None:
            size, inverse = instrument.multiplier.as_double(), bool(instrument.is_inverse)
            if size != 1 or inverse:
                meter.contract(symbol=symbol, multiplier=size, inverse=inverse)
