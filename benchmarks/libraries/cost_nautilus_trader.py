"""nautilus_trader: a backtest of a thousand ticks, each of which is a market order that fills."""

from __future__ import annotations

from cost import compare
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

from otel_trading.instrumentation.nautilus import NautilusInstrumentor

TICKS, SECOND = 200, 1_000_000_000  # nautilus_trader lets out a hundred orders per second
instrument = TestInstrumentProvider.btcusdt_binance()
size, price = Quantity.from_str("0.100000"), Price.from_str("100.00")


class Own(Strategy):
    def on_start(self) -> None:
        self.subscribe_quote_ticks(instrument.id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        side = OrderSide.BUY if tick.ts_event // SECOND % 2 else OrderSide.SELL
        self.submit_order(self.order_factory.market(instrument.id, side, size))


def backtest() -> None:
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        venue=Venue("BINANCE"),
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        base_currency=None,
        starting_balances=[Money(1_000_000, USDT)],
    )
    engine.add_instrument(instrument)
    engine.add_data(
        [QuoteTick(instrument.id, price, price, size, size, n * SECOND, n * SECOND) for n in range(1, TICKS + 1)]
    )
    engine.add_strategy(Own())
    engine.run()
    engine.dispose()


compare(
    f"nautilus_trader: a backtest of {TICKS} orders with their fills",
    backtest,
    NautilusInstrumentor(),
    rounds=5,
    calls=1,
)
