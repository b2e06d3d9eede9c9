"""Every attribute of the convention, once.

A closed set is a `Literal`: the type that helpers take and the values that are checked are then one and the same list.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

from otel_trading.semconv._model import Attribute, Cardinality, Level, Use

Mode = Literal["live", "paper", "backtest", "replay"]
StrategyState = Literal["running", "paused", "reducing", "stopped"]
InstrumentType = Literal[
    "equity", "etf", "bond", "fx", "spot", "future", "perpetual", "option", "index", "cfd", "event_contract"
]
TradingStatus = Literal["pre_open", "open", "auction", "halted", "suspended", "closed"]
OrderSide = Literal["buy", "sell", "sell_short", "sell_short_exempt"]
OrderType = Literal[
    "market",
    "limit",
    "stop",
    "stop_limit",
    "market_if_touched",
    "limit_if_touched",
    "market_to_limit",
    "trailing_stop",
    "trailing_stop_limit",
    "pegged",
    "other",
]
TimeInForce = Literal["day", "gtc", "opg", "ioc", "fok", "gtx", "gtd", "at_close"]
OrderStatus = Literal[
    "initialized",
    "denied",
    "pending_new",
    "new",
    "partially_filled",
    "filled",
    "done_for_day",
    "pending_cancel",
    "canceled",
    "pending_replace",
    "replaced",
    "stopped",
    "rejected",
    "suspended",
    "calculated",
    "expired",
    "accepted_for_bidding",
    "lost",
]
IntentState = Literal["pending", "planned", "ready", "sent"]
IntentOutcome = Literal["created", "duplicate", "error"]
OrderOperation = Literal["new", "replace", "cancel", "mass_cancel", "status"]
OrderStage = Literal["first", "complete"]
RejectSource = Literal["risk", "client", "broker", "venue"]
RejectReason = Literal[
    "insufficient_funds",
    "invalid_order",
    "duplicate",
    "unknown_symbol",
    "market_closed",
    "price_band",
    "size_limit",
    "post_only_would_cross",
    "rate_limited",
    "permission",
    "stale",
    "other",
]
Liquidity = Literal["maker", "taker", "routed", "auction"]
Benchmark = Literal["decision", "arrival", "mid", "last", "vwap", "twap"]
Direction = Literal["adverse", "favorable", "flat"]
MarkoutHorizon = Literal["1s", "10s", "1m", "5m", "1h"]
FeeType = Literal["commission", "exchange", "regulatory", "financing"]
FundingDirection = Literal["paid", "received"]
PositionSide = Literal["long", "short", "flat"]
PnlType = Literal["realized", "unrealized", "combined"]
TradeOutcome = Literal["win", "loss", "breakeven"]
Window = Literal["session", "1d", "7d", "30d", "ytd", "inception"]
BalanceState = Literal["free", "used", "debt"]
ExposureType = Literal["gross", "net", "long", "short"]
SignalType = Literal["buy", "sell", "hold", "close", "other"]
Confidence = Literal["low", "medium", "high"]
DataKind = Literal["trade", "quote", "order_book", "bar", "ticker", "funding", "account", "news", "other"]
Transport = Literal["rest", "websocket", "fix", "tcp"]
ConnectionState = Literal["connecting", "connected", "degraded", "disconnected"]
LimitUnit = Literal["currency", "ratio", "order", "message", "quantity"]
RiskOutcome = Literal["pass", "deny", "warn"]
KillSwitchScope = Literal["strategy", "account", "venue", "global"]
KillSwitchState = Literal["armed", "reducing", "halted"]
KillSwitchTrigger = Literal["manual", "daily_loss", "drawdown", "error_rate", "stale_data", "heartbeat", "regulator"]
ReconciliationObject = Literal["order", "fill", "position", "balance"]
BreakType = Literal["missing_local", "missing_venue", "quantity", "price", "status", "external"]
BreakerState = Literal["closed", "open", "half_open"]
BreakerOutcome = Literal["success", "failure", "short_circuited"]
HealthState = Literal["pass", "fail"]
CacheOutcome = Literal["hit", "miss"]
SdkReason = Literal[
    "invalid_value",
    "non_finite",
    "unknown_value",
    "series_limit",
    "queue_full",
    "duplicate",
    "out_of_order",
    "invalid_snapshot",
    "export_failed",
    "internal_error",
]

_MEDIUM: Final = Cardinality.MEDIUM


def _closed(name: str, brief: str, values: object) -> Attribute:
    return Attribute(name, brief, values=get_args(values))


def _open(name: str, brief: str, *examples: str, cardinality: Cardinality = Cardinality.LOW) -> Attribute:
    return Attribute(name, brief, cardinality, examples=examples)


def _high(name: str, brief: str, example: str) -> Attribute:
    return Attribute(name, f"{brief} Spans and events only.", Cardinality.HIGH, examples=(example,))


MODE = _closed("trading.mode", "Whether money is at stake: only live may page.", Mode)
VENUE = _open(
    "trading.venue.name", "Venue: ccxt id, ISO 10383 MIC or broker id, lower case.", "binance", "xnas", "ibkr"
)
VENUE_OPERATION = _open(
    "trading.venue.operation", "Call to the venue, by ccxt's verbs.", "create_order", "cancel_order", "fetch_balance"
)
ACCOUNT = _open(
    "trading.account.id", "Alias or salted hash, never the number itself (FIX 1).", "acct-7f3a", cardinality=_MEDIUM
)
STRATEGY = _open("trading.strategy.name", "Name that the user gave the strategy.", "momentum", cardinality=_MEDIUM)
STRATEGY_STATE = _closed("trading.strategy.state", "What the strategy is doing.", StrategyState)
SYMBOL = _open("trading.instrument.symbol", "Venue or ccxt symbol (FIX 55).", "BTC/USDT", "AAPL", cardinality=_MEDIUM)
STRATEGY_VERSION = _open("trading.strategy.version", "Version of the strategy.", "2.3.1")
TRADING_STATUS = _closed("trading.instrument.trading_status", "Whether the market trades now (FIX 340).", TradingStatus)
INSTRUMENT_TYPE = _closed("trading.instrument.type", "Kind of instrument (FIX 167).", InstrumentType)
CURRENCY = _open(
    "trading.currency.code", "ISO 4217 or venue asset code (FIX 15); no rule or panel sums over it.", "USD", "USDT"
)
CURRENCY_CONVERTED = Attribute(
    "trading.currency.converted", "True on a series in the reporting currency.", examples=("true",), type="boolean"
)
ORDER_SIDE = _closed("trading.order.side", "Side of the order (FIX 54).", OrderSide)
ORDER_TYPE = _closed("trading.order.type", "Type of the order (FIX 40).", OrderType)
TIME_IN_FORCE = _closed("trading.order.time_in_force", "How long the order works (FIX 59).", TimeInForce)
POST_ONLY = Attribute(
    "trading.order.post_only", "Whether the order may only add liquidity.", examples=("true",), type="boolean"
)
ORDER_STATUS = _closed(
    "trading.order.status",
    "Status of the order (FIX 39); initialized, denied and lost are local.",
    OrderStatus,
)
ORDER_OPERATION = _closed(
    "trading.order.operation", "What was asked of the venue (FIX 35: D, G, F, q, H).", OrderOperation
)
ORDER_STAGE = _closed("trading.order.stage", "First fill or the one that completes the order.", OrderStage)
ORDER_ID = _high("trading.order.id", "Our id of the order.", "O-20260105-7")
ORDER_CLIENT_ID = _high("trading.order.client_id", "Client order id (FIX 11).", "momentum-1842")
ORDER_VENUE_ID = _high("trading.order.venue_id", "The venue's id of the order (FIX 37).", "OQCLML-BW3P3-BUCMWZ")
EXECUTION_ID = _high("trading.execution.id", "The venue's id of the execution (FIX 17).", "TZX2WP-XSEOP-FP7WYR")
POSITION_ID = _high("trading.position.id", "Id of the position (FIX 2618).", "P-BTCUSD-1")
BACKTEST_ID = _high("trading.backtest.id", "Id of the run.", "bt-2026-01-05-3")
INTENT_STATE = _closed(
    "trading.order.intent.state", "Where an order intent stands on its way to the venue.", IntentState
)
INTENT_OUTCOME = _closed("trading.order.intent.outcome", "What became of the creation of an intent.", IntentOutcome)
REJECT_SOURCE = _closed(
    "trading.order.reject.source",
    "Who said no: risk is our own check (denied), venue is theirs (rejected).",
    RejectSource,
)
REJECT_REASON = _closed("trading.order.reject.reason", "Why (FIX 103).", RejectReason)
LIQUIDITY = _closed("trading.execution.liquidity", "Whether the fill added or took liquidity (FIX 851).", Liquidity)
BENCHMARK = _closed("trading.execution.benchmark", "What the price is compared with.", Benchmark)
DIRECTION = _closed("trading.execution.direction", "Whether the difference hurt or helped.", Direction)
MARKOUT_HORIZON = _closed("trading.execution.markout.horizon", "How long after the fill.", MarkoutHorizon)
FEE_TYPE = _closed("trading.fee.type", "Kind of fee (FIX 139).", FeeType)
FUNDING_DIRECTION = _closed("trading.funding.direction", "Whether funding was paid or received.", FundingDirection)
POSITION_SIDE = _closed("trading.position.side", "Side of the position.", PositionSide)
PNL_TYPE = _closed(
    "trading.pnl.type", "Part of the P&L; combined only where one figure is known, never beside the other two.", PnlType
)
TRADE_OUTCOME = _closed("trading.trade.outcome", "How the round trip ended.", TradeOutcome)
WINDOW = _closed("trading.window", "Over which time a statistic is computed.", Window)
BALANCE_STATE = _closed("trading.balance.state", "Which part of the balance.", BalanceState)
EXPOSURE_TYPE = _closed("trading.exposure.type", "Which exposure.", ExposureType)
SIGNAL_TYPE = _closed("trading.signal.type", "What the strategy wants.", SignalType)
CONFIDENCE = _closed("trading.signal.confidence", "How sure the strategy is.", Confidence)
INDICATOR = _open("trading.indicator.name", "Name that the user gave the indicator.", "rsi", "ema_fast")
TIMEFRAME = _open("trading.timeframe", "Length of a bar.", "1m", "1h", "1d")
DATA_SOURCE = _open("trading.data.source", "Who provides the data.", "kraken", "polygon")
DATA_KIND = _closed("trading.data.kind", "What kind of data.", DataKind)
CONNECTION = _open("trading.connection.name", "Name that the user gave the connection.", "market_data", "orders")
TRANSPORT = _closed("trading.connection.transport", "What carries the connection.", Transport)
CONNECTION_STATE = _closed("trading.connection.state", "State of the connection.", ConnectionState)
RATE_LIMIT = _open(
    "trading.rate_limit.name",
    "Which budget; inbound the client class, never a client id.",
    "request_weight",
    "orders_10s",
)
RISK_CHECK = _open("trading.risk.check.name", "Which pre-trade check.", "price_collar", "max_order_value")
RISK_OUTCOME = _closed("trading.risk.outcome", "What the check said.", RiskOutcome)
KILL_SWITCH_SCOPE = _closed("trading.kill_switch.scope", "What the kill switch stops.", KillSwitchScope)
KILL_SWITCH_STATE = _closed("trading.kill_switch.state", "State of the kill switch.", KillSwitchState)
KILL_SWITCH_TRIGGER = _closed("trading.kill_switch.trigger", "What pulled the kill switch.", KillSwitchTrigger)
RECONCILIATION_OBJECT = _closed("trading.reconciliation.object", "What was compared.", ReconciliationObject)
BREAK_TYPE = _closed(
    "trading.reconciliation.break_type",
    "How the two sides differ; missing_local: only the venue has it; external: the same, and it was never ours.",
    BreakType,
)
RISK_LIMIT = _open("trading.risk.limit.name", "Which limit.", "daily_loss", "drawdown", "max_order_value")
LIMIT_UNIT = _closed("trading.risk.limit.unit", "What the limit counts.", LimitUnit)
BREAKER = _open("trading.resilience.circuit_breaker.name", "Name of the breaker.", "kraken_rest")
BREAKER_STATE = _closed("trading.resilience.circuit_breaker.state", "State of the breaker.", BreakerState)
BREAKER_OUTCOME = _closed(
    "trading.resilience.circuit_breaker.outcome", "What became of a guarded call.", BreakerOutcome
)
EVENT_TYPE = _open("trading.event.type", "Type of the event, as the bus names it.", "order_filled", cardinality=_MEDIUM)
HEALTH_CHECK = _open("trading.resilience.health_check.name", "Name of the health check.", "order_api", "database")
HEALTH_STATE = _closed("trading.resilience.health_check.state", "Result of the health check.", HealthState)
CACHE = _open("trading.cache.name", "Name of the cache.", "bars")
CACHE_LEVEL = _open("trading.cache.level", "Level of the cache.", "l1", "l2")
CACHE_OUTCOME = _closed("trading.cache.outcome", "Whether the cache had it.", CacheOutcome)
OPERATION = _open(
    "trading.operation.name", "Name that the user gave the timed block.", "rebalance", cardinality=_MEDIUM
)
LOGGER = _open("trading.log.logger", "Name of the logger.", "bot.orders", cardinality=_MEDIUM)
ERROR_TYPE = _open(
    "error.type",
    "Class of error: exception class, broker code, HTTP status, `timeout` or `_OTHER` (OTel); absent on success.",
    "RateLimitExceeded",
    "ib.1100",
    "429",
    cardinality=_MEDIUM,
)
SDK_ATTRIBUTE = _open("trading.sdk.attribute", "Which attribute overflowed its cap.", "trading.instrument.symbol")
SDK_REASON = _closed("trading.sdk.reason", "Why a measurement or a value was dropped.", SdkReason)


def required(attribute: Attribute) -> Use:
    """Put an attribute on a metric that every series of it carries."""
    return Use(attribute, Level.REQUIRED)


def conditional(attribute: Attribute) -> Use:
    """Put an attribute on a metric that stands there under a condition, such as an error."""
    return Use(attribute, Level.CONDITIONAL)


def opt_in(attribute: Attribute) -> Use:
    """Put an attribute on a metric that stands there only when the caller passes it."""
    return Use(attribute, Level.OPT_IN)


#: What every trading metric may carry (convention, section 3).
COMMON: Final = (
    required(MODE),
    Use(VENUE, Level.RECOMMENDED),
    Use(STRATEGY, Level.RECOMMENDED),
    conditional(ACCOUNT),
    opt_in(SYMBOL),
)
#: Every attribute of the convention, by name.
ALL: Final[dict[str, Attribute]] = {
    value.name: value for value in list(globals().values()) if isinstance(value, Attribute)
}
