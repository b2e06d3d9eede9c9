"""One scripted day of trading: every metric of the convention, through public helpers only."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final

from otel_trading import backtest, meter, trackers

if TYPE_CHECKING:
    from otel_trading.semconv.attributes import OrderSide

__all__ = ["day_of_trading"]

SYMBOLS: Final = ("BTC/USD", "ETH/USD", "SOL/USD")
#: A little more than each horizon of a markout.
_HORIZONS: Final = (1.1, 10.1, 60.1, 300.1, 3600.1)
_DAY: Final = 86_400
_PRICES: Final = {"BTC/USD": 64_000.0, "ETH/USD": 3_200.0, "SOL/USD": 150.0}


def day_of_trading(seed: int = 0) -> None:
    """Play one short day of a bot with three symbols; equal seeds give equal counts.

    It ends with one open position and one order that the venue never acknowledged. Two values are wrong on purpose, so
    call it outside strict mode.

    Args:
        seed: Of the prices and sizes.

    Emits: every metric of the convention but `trading.sdk.export.duration`, which belongs to an export, and
    `trading.sdk.heartbeat.time`, `.running` and `.start.time`, which belong to a configured process.
    """
    dice = random.Random(seed)  # noqa: S311  a script, not a secret
    meter.defaults(mode="live", venue="kraken", strategy="day", account="acct-day", currency="USD")
    clock = _Clock()
    trackers.default().executions = trackers.ExecutionTracker(clock)  # no script waits an hour for a markout
    _past()
    _open()
    _account()
    for number, symbol in enumerate(SYMBOLS):
        _watch(symbol, dice)
        _trade(f"day-{number}", symbol, dice, "buy")
        if number:
            _trade(f"day-{number}-close", symbol, dice, "sell")
        _wait(symbol, dice, clock)
    _replace()
    _refuse()
    _backtest()
    _close(dice)


class _Clock:
    """Seconds that pass when the script says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _past() -> None:
    """Three sessions before this one, because a Sharpe ratio needs some."""
    clock = _Clock()
    trackers.default().portfolio = trackers.PortfolioTracker(clock)
    for days_ago, equity in ((3, 100_000), (2, 101_000), (1, 99_500), (0, 100_000)):
        clock.now = time.time() - days_ago * _DAY
        meter.equity(value=equity)


def _account() -> None:
    meter.balance(free=60_000, used=40_000, debt=0)
    meter.margin(usage=40_000, limit=80_000)
    meter.deposited(value=1_000)
    meter.withdrawn(value=1_000)
    meter.conversion_rate(currency="EUR", reporting_currency="USD", rate=1.08)
    meter.contract(symbol="BTC/USD:BTC", multiplier=100, inverse=True)
    meter.order_filled(symbol="BTC/USD:BTC", side="buy", price=64_000, quantity=10, currency="BTC")
    meter.order_filled(symbol="BTC/USD:BTC", side="sell", price=63_000, quantity=5, currency="BTC")
    meter.order_filled(symbol="BTC/USD:BTC", side="sell", price=63_000, quantity=5, currency="BTC")
    meter.funding_rate(symbol="BTC/USD:BTC", rate=0.0001)
    meter.funding_paid(symbol="BTC/USD:BTC", value=0.00001, currency="BTC")
    meter.funding_received(symbol="BTC/USD:BTC", value=0.00002, currency="BTC")
    meter.fee_charged(value=1.5, type="financing")


def _open() -> None:
    meter.strategy_state(state="running")
    meter.connection_changed(name="market_data", state="connected")
    meter.connection_changed(name="market_data", state="disconnected", error="1006")
    meter.connection_changed(name="market_data", state="connected", error="1006")
    meter.connection_ping(name="market_data", seconds=0.021)
    meter.risk_limit(name="daily_loss", limit=10_000, usage=0)
    meter.watch_market_hours(calendar="24/7")
    meter.venue_session(status="halted")
    meter.venue_session(status="open")
    meter.credential_expiry(time=1_900_000_000)
    meter.value_at_risk(value=1_500)
    meter.kill_switch_changed(scope="account", state="armed")
    meter.clock_offset(seconds=0.012)
    with meter.venue_call(operation="fetch_balance"):
        meter.equity(value=100_000)
    _resilience()


def _resilience() -> None:
    meter.health(name="order_api", ok=True, seconds=0.02)
    meter.breaker_changed(name="order_api", state="open")
    meter.breaker_called(name="order_api", outcome="short_circuited", seconds=0.0001)
    meter.breaker_changed(name="order_api", state="half_open")
    meter.breaker_called(name="order_api", outcome="success", seconds=0.04)
    meter.breaker_changed(name="order_api", state="closed")
    meter.retried(operation="fetch_balance", error="timeout")
    meter.error_logged(logger="bot.orders")
    meter.watch_cache(name="bars", size=lambda: 1_000_000)
    meter.watch_event_bus(object(), queue_size=lambda: 3, subscribers=lambda: 2)
    meter.event_published(type="tick")
    with meter.event_handler(type="tick"):
        pass


def _backtest() -> None:
    with backtest.run(strategy="day", timeframe="1h", flush=False) as run:
        run.result(sharpe_ratio=1.4, max_drawdown=0.08, total_return=0.23, win_rate=0.55, trades=42)


def _watch(symbol: str, dice: random.Random) -> None:
    with meter.market_data_fetch(source="kraken", symbol=symbol):
        meter.market_data_quality(source="kraken", score=0.98)
    meter.market_data_subscribed(source="kraken", kind="trade", connection="market_data", symbol=symbol)
    for sequence in (1, 2, 4):  # three is missing
        meter.market_data_received(
            source="kraken",
            kind="trade",
            connection="market_data",
            symbol=symbol,
            venue_time=time.time() - dice.uniform(0.001, 0.05),
            sequence=sequence,
        )
    meter.market_data_resynced(source="kraken", kind="trade", connection="market_data", symbol=symbol, sequence=4)
    with meter.iteration(period=1.0), meter.indicator(name="ema"), meter.timed("decide"):
        meter.cache_missed(name="bars", level="l1")
        meter.cache_hit(name="bars", level="l1")
        meter.signal_emitted(type="buy", confidence="high", symbol=symbol, signal_id=symbol)


def _wait(symbol: str, dice: random.Random, clock: _Clock) -> None:
    for seconds in _HORIZONS:
        clock.now += seconds
        meter.price_marked(symbol=symbol, price=_PRICES[symbol] * dice.uniform(0.99, 1.01))


def _replace() -> None:
    meter.order_sent(client_id="day-first", symbol="BTC/USD", side="buy", type="limit", quantity=1)
    meter.order_acknowledged(client_id="day-first")
    meter.order_sent(operation="replace", client_id="day-second", original_client_id="day-first", quantity=2)
    meter.order_status_changed(client_id="day-second", status="replaced")
    meter.order_sent(operation="cancel", client_id="day-third", original_client_id="day-second")
    meter.order_canceled(client_id="day-third")
    meter.decision_executed(
        side="buy", symbol="BTC/USD", decision_price=64_000, quantity=1, filled=0, last_price=64_100, fee=0
    )


def _trade(client_id: str, symbol: str, dice: random.Random, side: OrderSide) -> None:
    price = _PRICES[symbol] * dice.uniform(0.99, 1.01)
    meter.intent_created(intent_id=client_id, symbol=symbol)
    meter.intent_moved(intent_id=client_id, state="ready")
    meter.risk_checked(check="max_order_value")
    order = meter.order_request(
        client_id=client_id, symbol=symbol, side=side, type="limit", quantity=1, time_in_force="gtc", signal_id=symbol
    )
    with meter.tick_to_trade(source="kraken"), order:
        meter.rate_limit(name="request_weight", remaining=dice.randint(10, 99), limit=100)
    meter.intent_moved(intent_id=client_id, state="sent")
    meter.order_acknowledged(client_id=client_id)
    for part in (0.4, 0.6):
        meter.order_filled(
            client_id=client_id,
            execution_id=f"{client_id}-{part}",
            price=price,
            quantity=part,
            liquidity="taker" if part > 0.5 else "maker",  # noqa: PLR2004  the larger part takes
            fee=price * part * (0.0026 if part > 0.5 else -0.0001),  # noqa: PLR2004
            expected_price=price * dice.uniform(0.999, 1.001),
        )
    meter.intent_ended(intent_id=client_id)
    meter.liquidation_price(symbol=symbol, price=price / 2)
    meter.position_protected(symbol=symbol, quantity=1)
    meter.price_marked(symbol=symbol, price=price * dice.uniform(0.99, 1.01))


def _refuse() -> None:
    with meter.order_request(client_id="day-broke", symbol="BTC/USD", side="buy", type="market", quantity=50):
        pass
    meter.order_rejected(client_id="day-broke", reason="insufficient_funds")
    meter.rate_limited(name="request_weight", error="429")
    with meter.rate_limit_wait(name="request_weight"):
        pass
    meter.risk_checked(check="price_collar", outcome="deny")
    meter.risk_limit(name="max_messages", unit="message", limit=100, usage=100)
    meter.kill_switch_changed(scope="account", state="halted", trigger="error_rate")
    meter.kill_switch_changed(scope="account", state="armed")
    meter.order_sent(client_id="day-silent", symbol="BTC/USD", side="sell", type="market", quantity=1)


def _close(dice: random.Random) -> None:
    meter.position_split(symbol="BTC/USD", ratio=2)
    meter.equity(value=100_000 + dice.uniform(-500, 500))
    meter.pnl(type="combined", value=120, session=-80, currency="EUR")
    meter.position(symbol="SOL/USD", quantity=0)
    meter.reconciled(object="position", local={"BTC/USD": 1}, at_venue={"BTC/USD": 0.6, "SOL/USD": 0})
    meter.reconciled(object="position", local={"BTC/USD": 0.6}, at_venue={"BTC/USD": 0.6})
    meter.reconciled(object="balance", error="timeout")
    meter.order_filled(symbol="BTC/USD", side="buy", price=float("nan"), quantity=1)  # refused and counted
    for level in range(1_001):  # one more than an attribute may have values: folded and counted
        meter.cache_hit(name="flood", level=f"l{level}")
