"""The front door: say what happened, in one typed call that never raises into a trading bot.

::

    from otel_trading import meter

    meter.defaults(venue="kraken", strategy="momentum", currency="USD")
    meter.order_filled(symbol="BTC/USD", side="buy", price=64000, quantity=0.5, expected_price=63990)

Helpers are past-tense verbs with keywords only. A value that cannot be recorded is counted in `trading.sdk.dropped`
and warned about once per call site; under pytest and with OTEL_TRADING_STRICT=1 it raises.
"""

from __future__ import annotations

from otel_trading.meter.accounts import (
    balance,
    conversion_rate,
    deposited,
    fee_charged,
    funding_paid,
    funding_rate,
    funding_received,
    margin,
    withdrawn,
)
from otel_trading.meter.breakers import watch_breaker
from otel_trading.meter.connections import connection_changed, connection_closed, connection_ping
from otel_trading.meter.custom import counter, gauge, histogram, up_down_counter
from otel_trading.meter.data_sources import market_data_fetch, market_data_quality
from otel_trading.meter.defaults import defaults, scope
from otel_trading.meter.event_bus import event_handler, event_published, watch_event_bus
from otel_trading.meter.execution import decision_executed, order_filled, trade_closed
from otel_trading.meter.intents import intent_created, intent_ended, intent_moved
from otel_trading.meter.market_data import (
    market_data_missed,
    market_data_received,
    market_data_resynced,
    market_data_subscribed,
    market_data_unsubscribed,
)
from otel_trading.meter.order_reports import (
    order_acknowledged,
    order_canceled,
    order_denied,
    order_expired,
    order_rejected,
    order_status_changed,
)
from otel_trading.meter.orders import order_request, order_sent
from otel_trading.meter.plumbing import cache_hit, cache_missed, watch_cache
from otel_trading.meter.portfolio import equity, pnl, position, price_marked
from otel_trading.meter.positions import contract, liquidation_price, position_protected, position_split
from otel_trading.meter.rate_limits import rate_limit, rate_limit_wait, rate_limited
from otel_trading.meter.resilience import before_sleep, breaker_called, breaker_changed, error_logged, health, retried
from otel_trading.meter.restart import portfolio_snapshot, restore_portfolio
from otel_trading.meter.risk import kill_switch_changed, reconciled, risk_checked, risk_limit, value_at_risk
from otel_trading.meter.sessions import venue_session, watch_market_hours
from otel_trading.meter.strategy import indicator, iteration, signal_emitted, strategy_state
from otel_trading.meter.tick_to_trade import tick_to_trade
from otel_trading.meter.timed import timed
from otel_trading.meter.venue import clock_offset, credential_expiry, venue_call

__all__ = [
    "balance",
    "before_sleep",
    "breaker_called",
    "breaker_changed",
    "cache_hit",
    "cache_missed",
    "clock_offset",
    "connection_changed",
    "connection_closed",
    "connection_ping",
    "contract",
    "conversion_rate",
    "counter",
    "credential_expiry",
    "decision_executed",
    "defaults",
    "deposited",
    "equity",
    "error_logged",
    "event_handler",
    "event_published",
    "fee_charged",
    "funding_paid",
    "funding_rate",
    "funding_received",
    "gauge",
    "health",
    "histogram",
    "indicator",
    "intent_created",
    "intent_ended",
    "intent_moved",
    "iteration",
    "kill_switch_changed",
    "liquidation_price",
    "margin",
    "market_data_fetch",
    "market_data_missed",
    "market_data_quality",
    "market_data_received",
    "market_data_resynced",
    "market_data_subscribed",
    "market_data_unsubscribed",
    "order_acknowledged",
    "order_canceled",
    "order_denied",
    "order_expired",
    "order_filled",
    "order_rejected",
    "order_request",
    "order_sent",
    "order_status_changed",
    "pnl",
    "portfolio_snapshot",
    "position",
    "position_protected",
    "position_split",
    "price_marked",
    "rate_limit",
    "rate_limit_wait",
    "rate_limited",
    "reconciled",
    "restore_portfolio",
    "retried",
    "risk_checked",
    "risk_limit",
    "scope",
    "signal_emitted",
    "strategy_state",
    "tick_to_trade",
    "timed",
    "trade_closed",
    "up_down_counter",
    "value_at_risk",
    "venue_call",
    "venue_session",
    "watch_breaker",
    "watch_cache",
    "watch_event_bus",
    "watch_market_hours",
    "withdrawn",
]
