"""nautilus_trader, oldest and newest: a backtest of its real engine, unchanged, and its real message bus."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import pytest
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig

from bot_support import assert_held, assert_nothing_planted, environment, unchanged
from otel_trading.instrumentation.nautilus import NautilusInstrumentor, listen
from otel_trading.instrumentation.nautilus._listener import Listener

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_trading.stack import Stack
    from otel_trading.testing import CapturingMeter

SCRIPT: Final = """
import json
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

log = dict.fromkeys(("ticks", "submitted", "accepted", "filled", "denied", "rejected", "canceled", "fees"), 0)
instrument = TestInstrumentProvider.btcusdt_binance()
one, price = Quantity.from_str("1.000000"), Price.from_str("100.00")

class Own(Strategy):
    def on_start(self):
        self.subscribe_quote_ticks(instrument.id)

    def on_quote_tick(self, tick):
        log["ticks"] += 1
        if log["ticks"] in (1, 3):
            self.submit_order(self.order_factory.market(instrument.id, OrderSide.BUY, one, tags=["PLANTED"]))
        if log["ticks"] == 5:
            self.submit_order(self.order_factory.market(instrument.id, OrderSide.SELL, one))
        if log["ticks"] == 6:
            self.resting = self.limit("50.00")
        if log["ticks"] == 7:
            self.cancel_order(self.resting)
            self.limit("150.00", post_only=True)
            self.submit_order(
                self.order_factory.market(instrument.id, OrderSide.BUY, Quantity.from_str("9999.000000"))
            )

    def limit(self, price, **more):
        order = self.order_factory.limit(instrument.id, OrderSide.BUY, one, Price.from_str(price), **more)
        self.submit_order(order)
        return order

    def on_order_event(self, event):
        kind = type(event).__name__.removeprefix("Order").lower()
        if kind in log:
            log[kind] += 1
        if kind == "filled":
            log["fees"] += event.commission.as_double()

engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
engine.add_venue(
    venue=Venue("BINANCE"),
    oms_type=OmsType.NETTING,
    account_type=AccountType.CASH,
    base_currency=None,
    starting_balances=[Money(10_000, USDT), Money(10, BTC)],
)
engine.add_instrument(instrument)
second = 1_000_000_000
engine.add_data([QuoteTick(instrument.id, price, price, one, one, n * second, n * second) for n in range(1, 20)])
engine.add_strategy(Own())
engine.run()
print(json.dumps(log), flush=True)
input()
"""


@pytest.mark.timeout(120)
def test_the_backtest_and_prometheus_agree(stack: Stack, tmp_path: Path) -> None:
    with unchanged(tmp_path, "nautilus-bot", SCRIPT, environment(stack)) as log:
        assert log["filled"] == 3
        assert_held(stack, "nautilus-bot", _expected(log))
        assert_nothing_planted(stack, "nautilus-bot")


def _expected(log: Any) -> dict[str, float]:
    own = '$,trading_mode="backtest",trading_venue_name="binance"'
    requests = "sum(trading_order_requests_total{{{},trading_order_operation='{}'}})"
    status = "sum(trading_order_transitions_total{{{},trading_order_status='{}'}})"
    states = {"new": "accepted", "filled": "filled", "denied": "denied", "rejected": "rejected", "canceled": "canceled"}
    return {
        requests.format(own, "new"): log["submitted"],
        requests.format(own, "cancel"): 1,
        **{status.format(own, state): log[said] for state, said in states.items()},
        f"sum(trading_execution_fills_total{{{own}}})": log["filled"],
        f"sum(trading_execution_fee_total{{{own}}})": log["fees"],
        f"trading_order_rejections_total{{{own},trading_order_reject_source='venue'}}": log["rejected"],
        f"trading_order_rejections_total{{{own},trading_order_reject_source='risk'}}": log["denied"],
        f"trading_position_quantity{{{own},trading_instrument_symbol='BTCUSDT'}}": 1,
        f"trading_account_balance{{{own},trading_currency_code='BTC',trading_balance_state='free'}}": 11,
    }


@pytest.fixture
def instrumentor(capmeter: CapturingMeter) -> Iterator[NautilusInstrumentor]:
    one = NautilusInstrumentor()
    one.instrument()
    yield one
    if one.is_instrumented_by_opentelemetry:
        one.uninstrument()
    assert "PLANTED" not in str(capmeter.samples())
    capmeter.assert_conforms()


@pytest.fixture
def engine(instrumentor: NautilusInstrumentor) -> Iterator[Any]:
    assert instrumentor.is_instrumented_by_opentelemetry
    made = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    yield made
    made.dispose()


class OrderDenied(SimpleNamespace):
    """An event of the shape that the bus carries, told apart by its name."""


def _denied(**more: Any) -> Any:
    instrument = SimpleNamespace(symbol="BTCUSDT", venue="BINANCE")
    return OrderDenied(strategy_id="Own-000", instrument_id=instrument, client_order_id=None, **more)


def test_every_kernel_is_heard_once(engine: Any, instrumentor: NautilusInstrumentor, capmeter: CapturingMeter) -> None:
    listen(engine.kernel)
    instrumentor.instrument()
    heard: list[Any] = []
    engine.kernel.msgbus.subscribe("events.risk", heard.append)
    strange = SimpleNamespace(type="PLANTED")
    engine.kernel.msgbus.publish("events.risk", strange)  # of no known shape: who else listens hears it
    assert heard == [strange]

    bus, before = engine.kernel.msgbus, len(engine.kernel.msgbus.subscriptions())
    instrumentor.uninstrument()
    assert before - len(bus.subscriptions()) == 3
    bus.publish("events.risk", strange)
    assert heard == [strange, strange]
    assert not capmeter.samples("trading.order.transitions")


def test_a_live_bus_tells_of_quotes(engine: Any, capmeter: CapturingMeter) -> None:
    listener = Listener(engine.kernel.msgbus, engine.kernel.cache, "sandbox")
    price = SimpleNamespace(as_double=lambda: 100.0)
    where = SimpleNamespace(symbol="BTCUSDT", venue="BINANCE")
    quote = SimpleNamespace(instrument_id=where, ts_event=1, bid_price=price, ask_price=price)
    listener.quote(quote)
    listener.leave()

    assert capmeter.value("trading.market_data.messages", mode="paper", venue="binance", kind="quote") == 1


def test_nobody_is_told_when_a_handler_fails(engine: Any, capmeter: CapturingMeter) -> None:
    listener = Listener(engine.kernel.msgbus, SimpleNamespace(order=lambda _: 1 / 0), "live")
    listener.order(_denied())
    listener.account(None)
    listener.risk(None)
    listener.leave()

    assert capmeter.value("trading.sdk.dropped", reason="internal_error") == 3
