"""Calls as a bot writes them: mypy and pyright accept every one."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timezone
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import tenacity
from typing_extensions import assert_type

import otel_trading
from otel_trading import backtest, health, meter
from otel_trading.trackers.reconciliation import Comparer, Record

if TYPE_CHECKING:
    import pybreaker

    from otel_trading.semconv import attributes as a
    from otel_trading.testing import CapturingMeter


@meter.timed("decide")
def decide(price: float, *, size: int = 1) -> float:
    return price * size


@meter.timed("fetch")
async def fetch(symbol: str) -> list[str]:
    await asyncio.sleep(0)
    return [symbol]


@meter.market_data_fetch(source="polygon")
def history(symbol: str) -> list[float]:
    return [float(len(symbol))]


@meter.iteration(period=5)
def loop() -> None:
    with meter.indicator(name="rsi"), meter.venue_call(operation="fetch_ticker") as call:
        del call


async def main() -> None:
    async with meter.order_request(client_id="1", side="buy", type="limit", quantity=Decimal(1)):
        assert_type(await fetch("BTC/USD"), list[str])


def trade(side: a.OrderSide, status: a.OrderStatus) -> None:
    meter.defaults(mode="paper", venue="kraken", strategy="momentum", currency="USD")
    assert_type(decide(1.5, size=2), float)
    assert_type(history("AAPL"), list[float])
    meter.order_sent(client_id="1", symbol="BTC/USD", side=side, type="market", quantity="0.5", error=ValueError())
    meter.order_filled(client_id="1", side="sell_short", price=Decimal("64000.5"), quantity=np.float64(0.5), fee=-1)
    meter.order_filled(side="buy", price=Fraction(1, 3), quantity=2, liquidity="maker", benchmark="vwap")
    meter.order_filled(side="buy", price=1, quantity=1, execution_id="e-1")
    meter.order_sent(operation="replace", client_id="2", original_client_id="1", quantity=3)
    meter.intent_created(intent_id="1", outcome="created", state="pending")
    meter.intent_moved(intent_id="1", state="sent")
    meter.decision_executed(side="sell", decision_price="100", quantity=Decimal(2), price=99.5, filled=np.int64(2))
    meter.order_status_changed(client_id="1", status=status)
    meter.order_rejected(client_id="1", reason="insufficient_funds", source="broker")
    meter.market_data_received(source="kraken", kind="order_book", venue_time=1.5, sequence=7)
    meter.connection_changed(name="orders", state="connected", transport="fix", error="1006")
    meter.market_data_subscribed(source="kraken", kind="trade", symbols=("BTC/USD", "ETH/USD"))
    meter.market_data_resynced(source="kraken", sequence=9, channel="market_data")
    meter.market_data_quality(source="kraken", score=Decimal("0.9"))
    meter.credential_expiry(time=datetime.now(timezone.utc))
    meter.venue_session(venue="xnas", status="auction")
    meter.rate_limit(name="weight", remaining="7", limit=10)
    with meter.tick_to_trade(source="kraken", received=1.5), meter.order_request(client_id="1", signal_id="s"):
        meter.connection_closed(name="orders")
    meter.position(symbol="BTC/USD", quantity=np.int64(-1), price=None)
    taken: bool | None = meter.restore_portfolio(snapshot=json.dumps(meter.portfolio_snapshot()))
    assert taken
    meter.pnl(value=1, session="2.5", type="realized")
    meter.risk_checked(check="price_collar", outcome="warn")
    meter.value_at_risk(value=Decimal(1500), currency="USD")
    meter.kill_switch_changed(scope="account", state="halted", trigger="drawdown")
    meter.reconciled(object="position", local={"BTC/USD": Decimal("0.5")}, at_venue=lambda: [Record("BTC/USD")])
    meter.reconciled(object="order", local=list[object], at_venue=[{"id": "1"}], comparer=Comparer(0.5))
    meter.health(name="api", ok=True, seconds=0.1)
    with meter.scope(mode="backtest", strategy="other"):
        meter.signal_emitted(type="close", confidence=None)
    meter.counter("my.things", unit="{thing}").add(Decimal(1), venue="kraken", flavor=3)
    meter.histogram("my.time", boundaries=[1, 2.5]).record(1.5)


@tenacity.retry(before_sleep=meter.before_sleep(operation="balance"), stop=tenacity.stop_after_attempt(3))
def balance() -> Decimal:
    return Decimal(1)


@meter.event_handler(type="fill")
def on_fill(quantity: float) -> float:
    return quantity


async def ping() -> tuple[bool, str]:
    return await asyncio.sleep(0, (True, "pong"))


def plumbing(breaker: pybreaker.CircuitBreaker, bus: object, bars: dict[str, float]) -> None:
    meter.watch_breaker(breaker, name="kraken_rest", enabled=True)
    meter.breaker_changed(name="b", state="half_open")
    meter.breaker_called(name="b", outcome="failure", seconds=0.1, error=OSError())
    meter.watch_cache(name="bars", size=lambda: len(bars))
    meter.watch_event_bus(bus, publish="publish", queue_size=bars.__len__, subscribers=lambda: Decimal(2))
    meter.event_published(type="fill")
    assert_type(on_fill(1), float)
    assert_type(balance(), Decimal)
    checks = health.Registry()
    checks.register("api", lambda: True)
    checks.register("feed", lambda: (False, "silent"))
    checks.register("database", ping)
    assert_type(checks.run_all(), dict[str, health.Result])


def simulate() -> None:
    with backtest.run(strategy="momentum", timeframe="1h") as run:
        assert_type(run.wrap(decide)(1.5, size=2), float)
        run.result(sharpe_ratio=np.float64(1.2), max_drawdown=Decimal("0.1"), total_return="0.2", trades=3)


def test_fills(capmeter: CapturingMeter) -> None:
    assert_type(capmeter.value("trading.execution.fills", venue="kraken"), float)


assert_type(otel_trading.configure(), None)
