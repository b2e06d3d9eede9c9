"""A trading day on which nothing happens that anybody has to be woken for; a bot as a user runs it.

Closed, open for some twenty seconds, closed again: orders, fills, a few rejections, a reconnect, feeds that stop with
the session. Everything that alerts look at is said, and stays inside its limits.
"""

from __future__ import annotations

import itertools
import random
import sys
import time
from typing import TYPE_CHECKING, Final

from otel_trading import meter

if TYPE_CHECKING:
    from typing import Literal

SYMBOL: Final = "BTC/USD"
STEP: Final = 0.1
#: Seconds before the opening, of the session, and after the close.
PHASES: Final = (6, 22, 10)
RNG: Final = random.Random(7)  # noqa: S311  a simulation
_ids: Final = itertools.count(1)


def main() -> None:
    """Live through the day."""
    meter.defaults(venue="quiet-exchange", strategy="quiet-day", account="quiet-account", currency="USD")
    before, session, after = PHASES
    _start()
    _closed(before)
    meter.venue_session(status="open")
    price = 60_000.0
    for step in range(int(session / STEP)):
        price *= 1 + RNG.gauss(0, 0.00005)
        with meter.iteration(period=STEP):
            _market(step, price)
            _trade(step, price)
            if step % 10 == 0:
                _account(price)
        time.sleep(STEP)
    _closed(after)
    meter.strategy_state(state="stopped")
    sys.stdout.write("the day is over\n")


def _start() -> None:
    meter.strategy_state(state="running")
    meter.kill_switch_changed(scope="account", state="armed")
    meter.risk_limit(name="daily_loss", limit=5_000, usage=0)
    meter.credential_expiry(time=time.time() + 90 * 86_400)
    for name in ("public", "private"):
        meter.connection_changed(name=name, state="connecting")
        meter.connection_changed(name=name, state="connected")
    meter.deposited(value=1_000_000)


def _closed(seconds: float) -> None:
    """The venue is closed: the loop goes on, the feeds are silent."""
    meter.venue_session(status="closed")
    for step in range(int(seconds / STEP)):
        with meter.iteration(period=STEP):
            if step % 10 == 0:
                _account(60_000)
        time.sleep(STEP)


def _market(step: int, price: float) -> None:
    for kind in ("quote", "trade"):
        meter.market_data_received(
            source="exchange", kind=kind, connection="public", symbol=SYMBOL, venue_time=time.time(), sequence=step
        )
    meter.price_marked(symbol=SYMBOL, price=price)
    meter.cache_hit(name="instruments")
    with meter.event_handler(type="quote"):
        meter.event_published(type="quote")
    if step == 100:
        meter.connection_changed(name="public", state="disconnected", error="going_away")
        meter.connection_changed(name="public", state="connected")


def _trade(step: int, price: float) -> None:
    if step % 3:
        return
    number = next(_ids)
    order, intent = f"order-{number}", f"intent-{number}"
    side: Literal["buy", "sell"] = "buy" if number % 2 else "sell"
    meter.signal_emitted(type=side, symbol=SYMBOL, signal_id=order)
    meter.intent_created(intent_id=intent, symbol=SYMBOL)
    meter.risk_checked(check="price_collar", symbol=SYMBOL)
    with meter.order_request(client_id=order, symbol=SYMBOL, side=side, type="limit", quantity=0.1, signal_id=order):
        time.sleep(0.002)
    meter.intent_ended(intent_id=intent)
    if number % 20 == 17:
        meter.order_rejected(client_id=order, reason="price_band")
        return
    meter.order_acknowledged(client_id=order)
    meter.order_filled(
        client_id=order, side=side, price=price, quantity=0.1, fee=0.6, liquidity="maker", expected_price=price
    )


def _account(price: float) -> None:
    meter.margin(usage=20_000, limit=100_000)
    meter.risk_limit(name="daily_loss", limit=5_000, usage=50)
    meter.rate_limit(name="weight_1m", usage=RNG.randint(100, 300), limit=1_200)
    meter.clock_offset(seconds=RNG.uniform(-0.01, 0.01))
    meter.health(name="venue", ok=True, seconds=0.01)
    with meter.venue_call(operation="fetch_balance"):
        time.sleep(0.002)
    meter.reconciled(object="position", local={}, at_venue={})
    meter.reconciled(object="order", local={}, at_venue={})
    meter.price_marked(symbol=SYMBOL, price=price)


if __name__ == "__main__":
    main()
