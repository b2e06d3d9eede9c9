"""Calls that are wrong, one per line: mypy and pyright refuse every line that says so."""

from __future__ import annotations

from otel_trading import backtest, health, meter


@meter.timed("decide")
def decide(price: float) -> float:
    return price


meter.order_filled(side="long", price=1, quantity=1)  # refused
meter.order_filled("buy", 1, 1)  # refused
meter.order_filled(side="buy", prize=1)  # refused
meter.order_filled(side="buy", price=None, quantity=[1])  # refused
meter.order_filled(side="buy", price=1j)  # refused
meter.order_filled(symbol=5)  # refused
meter.order_sent(type="limt")  # refused
meter.order_sent(time_in_force="forever")  # refused
meter.order_status_changed(status="cancelled")  # refused
meter.order_status_changed()  # refused
meter.order_rejected(reason="because")  # refused
meter.intent_created(outcome="ok")  # refused
meter.intent_moved(intent_id="1", state="filled")  # refused
meter.intent_ended()  # refused
meter.decision_executed(side="buy", quantity=1)  # refused
meter.market_data_received(source="kraken", kind="trades")  # refused
meter.connection_changed(name="orders", state="up")  # refused
meter.connection_ping(name="orders")  # refused
meter.market_data_subscribed(source="kraken", kind="trade", symbols=5)  # refused
meter.venue_session(status="lunch")  # refused
meter.credential_expiry(time=[1])  # refused
meter.tick_to_trade("kraken")  # refused
meter.strategy_state(state="started")  # refused
meter.signal_emitted(type="long")  # refused
meter.risk_limit(name="daily_loss", unit="usd")  # refused
meter.risk_checked(check="price_collar", outcome="failed")  # refused
meter.kill_switch_changed(scope="global", state="off")  # refused
meter.reconciled(object="cash")  # refused
meter.reconciled(object="position", local=5, at_venue={})  # refused
meter.reconciled(object="position", local={}, at_venue={}, comparer=len)  # refused
meter.defaults(mode="real")  # refused
meter.defaults("kraken")  # refused
meter.health(name="api")  # refused
meter.watch_breaker(object())  # refused
meter.breaker_changed(name="b", state="ajar")  # refused
meter.breaker_called(name="b", outcome="success")  # refused
meter.watch_cache(name="bars", size=10)  # refused
health.Registry().register("api", lambda: "fine")  # refused
backtest.run("momentum")  # refused
backtest.run(strategy="momentum").result(sharpe=1)  # refused
meter.timed(operation="decide")  # refused
meter.timed()  # refused
meter.iteration(5)  # refused
meter.counter("my.things").add([1])  # refused
meter.gauge("my.level").set()  # refused
decide("1")  # refused
meter.order_fill(side="buy")  # refused
