"""freqtrade, oldest that still installs and newest: its own commands at a stand-in of Binance."""

from __future__ import annotations

import json
import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import pytest
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.rpc.rpc_manager import RPCManager
from venues.candles import PRICE, Candles

from bot_support import assert_held, environment, series, start, unchanged
from otel_trading.instrumentation.freqtrade import FreqtradeInstrumentor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_trading.stack import Stack
    from otel_trading.testing import CapturingMeter

STRATEGY: Final = """
import json
from freqtrade.strategy import IStrategy

log = {"loops": -1, "fills": 0, "closed": 0, "profit": 0.0}

class Own(IStrategy):
    timeframe = "1m"
    stoploss = -0.5
    minimal_roi = {}
    startup_candle_count = 5
    order_types = {"entry": "market", "exit": "market", "stoploss": "market", "stoploss_on_exchange": False}

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe.loc[:, ["enter_long", "enter_tag"]] = (1, "PLANTED")
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe

    def custom_exit(self, pair, trade, current_time, current_rate, current_profit, **kwargs):
        return "PLANTED" if pair.startswith("BTC") else None

    def order_filled(self, pair, trade, order, current_time, **kwargs):
        log["fills"] += 1
        if not trade.is_open:
            log["closed"] += 1
            log["profit"] += trade.close_profit_abs

    def bot_loop_start(self, current_time, **kwargs):
        log["loops"] += 1
        if log["loops"] >= 2 and log["closed"]:
            print(json.dumps(log), flush=True)
            input()
"""
TRADE: Final = """
from freqtrade.main import main

data = ["-c", "FOLDER/config.json", "--userdir", "FOLDER"]
main(["trade", *data, "--strategy-path", "FOLDER/strategies", "--strategy", "Own"])
"""
BACKTEST: Final = """
import sys
import time
from freqtrade.main import main

data = ["-c", "FOLDER/config.json", "--userdir", "FOLDER", "--timerange", f"{time.time() - 3600:.0f}-"]
try:
    main(["download-data", *data, "-t", "1m"])
except SystemExit as error:
    assert not error.code, error
main(["backtesting", *data, "--cache", "none", "--strategy-path", "FOLDER/strategies", "--strategy", "Own"])
"""


def _config(url: str) -> dict[str, Any]:
    prices = {"price_side": "other", "use_order_book": True, "order_book_top": 1}
    markets = {"fetchMarkets": {"types": ["spot"]}, "fetchMargins": False, "fetchCurrencies": False}
    return {
        "dry_run": True,
        "dry_run_wallet": 1000,
        "max_open_trades": 2,
        "stake_currency": "USDT",
        "stake_amount": 100,
        "db_url": "sqlite://",
        "initial_state": "running",
        "entry_pricing": prices,
        "exit_pricing": prices,
        "exchange": {
            "name": "binance",
            "key": "PLANTED",
            "secret": "PLANTED",
            "pair_whitelist": ["BTC/USDT", "ETH/USDT"],
            "enable_ws": False,
            "only_from_ccxt": True,
            "ccxt_config": {
                "urls": {"api": dict.fromkeys(("public", "private"), f"{url}/api/v3")},
                "options": markets,
            },
        },
        "pairlists": [{"method": "StaticPairList"}],
        "internals": {"process_throttle_secs": 1},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """What a user of freqtrade has: a configuration and a strategy."""
    with Candles() as venue:
        (tmp_path / "config.json").write_text(json.dumps(_config(venue.url)), encoding="utf-8")
        (tmp_path / "strategies").mkdir()  # all scripts of its folder are run to look for a strategy
        (tmp_path / "strategies" / "own.py").write_text(STRATEGY, encoding="utf-8")
        yield tmp_path


@pytest.mark.timeout(240)
def test_the_bot_and_prometheus_agree(stack: Stack, folder: Path) -> None:
    text = TRADE.replace("FOLDER", str(folder))
    with unchanged(folder, "freqtrade-bot", text, environment(stack)) as log:
        assert_held(stack, "freqtrade-bot", _expected(log))
        assert "PLANTED" not in str(series(stack, "freqtrade-bot"))


@pytest.mark.timeout(240)
def test_a_backtest_and_prometheus_agree(stack: Stack, folder: Path) -> None:
    process = start(folder, "freqtrade-test", BACKTEST.replace("FOLDER", str(folder)), environment(stack))
    out, said = process.communicate(timeout=200)
    assert process.returncode == 0, said
    total = next(line for line in out.splitlines() if "Total/Daily Avg Trades" in line)
    trades = int(total.split("│")[2].split("/")[0])
    assert_held(
        stack,
        "freqtrade-test",
        {
            'trading_backtest_duration_seconds_count{$,trading_mode="backtest",trading_strategy_name="Own"}': 1,
            'trading_backtest_trades{$,trading_strategy_name="Own"}': trades,
            _near('trading_backtest_return_ratio{$,trading_strategy_name="Own"}', -0.0002 * trades): 1,
            _near('trading_backtest_max_drawdown_ratio{$,trading_strategy_name="Own"}', 0.0002 * trades): 1,
        },
    )


def _near(query: str, value: float) -> str:
    return f"abs({query} - {value}) < bool 1e-9"


def _expected(log: dict[str, Any]) -> dict[str, float]:
    own = '$,trading_mode="paper",trading_strategy_name="Own",trading_venue_name="binance"'
    return {
        f"sum(trading_execution_fills_total{{{own}}})": log["fills"],
        f"sum(trading_order_requests_total{{{own},trading_order_operation='new'}})": log["fills"],
        f"sum(trading_trade_closures_total{{{own}}})": log["closed"],
        _near(f"trading_portfolio_pnl{{{own},trading_pnl_type='realized'}}", log["profit"]): 1,
        f"trading_position_quantity{{{own},trading_instrument_symbol='ETH/USDT'}}": 100 / PRICE,
        f"trading_strategy_iteration_duration_seconds_count{{{own}}}": log["loops"],
        f"trading_strategy_status{{{own},trading_strategy_state='running'}}": 1,
        f"trading_strategy_heartbeat_period_seconds{{{own}}}": 1,
        f"count(trading_market_data_age_seconds{{{own},trading_data_kind='bar'}})": 1,
    }


class Handler:
    """A messenger of the user's own."""

    name = "own"

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def send_msg(self, message: Any) -> None:
        self.heard.append(message)


FILL: Final = {
    "type": "entry_fill",
    "trade_id": 1,
    "pair": "BTC/USDT",
    "direction": "Long",
    "order_type": "market",
    "order_rate": 100,
    "open_rate": 100,
    "amount": 2,
    "quote_currency": "USDT",
    "enter_tag": "PLANTED",
}


@pytest.fixture
def instrumentor(capmeter: CapturingMeter) -> Iterator[FreqtradeInstrumentor]:
    one = FreqtradeInstrumentor()
    one.instrument()
    yield one
    if one.is_instrumented_by_opentelemetry:
        one.uninstrument()
    assert "PLANTED" not in str(capmeter.samples())
    capmeter.assert_conforms()


def _manager(*, dry_run: bool = True) -> tuple[Any, Handler]:
    """Return the real manager, of a bot that is not there beyond its names."""
    manager, own = RPCManager.__new__(RPCManager), Handler()
    bot = SimpleNamespace(
        config={"dry_run": dry_run},
        strategy=SimpleNamespace(get_strategy_name=lambda: "Own"),
        exchange=SimpleNamespace(id="binance"),
    )
    manager._rpc, manager.registered_modules = SimpleNamespace(_freqtrade=bot), [own]
    return manager, own


@pytest.mark.parametrize(
    "message",
    [{"type": "never heard of"}, {"type": "status", "status": "PLANTED"}, {"type": "entry"}, {"status": 1}, {}],
)
def test_a_strange_message_reaches_the_messengers(instrumentor: FreqtradeInstrumentor, message: Any) -> None:
    manager, own = _manager()
    manager.send_msg(message)

    assert own.heard == [message]
    assert own.heard[0] is message
    assert instrumentor.is_instrumented_by_opentelemetry


def test_a_fill_counts_once(instrumentor: FreqtradeInstrumentor, capmeter: CapturingMeter) -> None:
    instrumentor.instrument()
    manager, _ = _manager()
    manager.send_msg(FILL)

    assert capmeter.value("trading.execution.fills", side="buy", strategy="Own", mode="paper") == 1

    instrumentor.uninstrument()
    manager.send_msg(FILL)
    assert capmeter.value("trading.execution.fills") == 1


@pytest.mark.usefixtures("instrumentor")
def test_what_ccxt_counts_is_not_counted_again(capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    ccxt: Any = ModuleType("otel_trading.instrumentation.ccxt")
    ccxt.CcxtInstrumentor = lambda: SimpleNamespace(is_instrumented_by_opentelemetry=True)
    monkeypatch.setitem(sys.modules, ccxt.__name__, ccxt)
    live, own = _manager(dry_run=False)
    live.send_msg(FILL)
    assert not capmeter.samples("trading.execution.fills")
    assert own.heard == [FILL]

    _manager(dry_run=True)[0].send_msg(FILL)
    ccxt.CcxtInstrumentor = lambda: SimpleNamespace(is_instrumented_by_opentelemetry=False)
    live.send_msg(FILL)
    assert capmeter.value("trading.execution.fills", mode="paper") == 1
    assert capmeter.value("trading.execution.fills", mode="live") == 1


@pytest.mark.usefixtures("instrumentor")
def test_what_raises_still_raises(capmeter: CapturingMeter) -> None:
    class Bot(FreqtradeBot):  # type: ignore[misc]
        def __init__(self) -> None:
            self.__dict__.update(_manager()[0]._rpc._freqtrade.__dict__)
            self.exchange.reload_markets = self.fail

        def fail(self) -> None:
            message = "PLANTED"
            raise ConnectionError(message)

    with pytest.raises(ConnectionError, match="PLANTED"):
        Bot().process()
    assert capmeter.value("trading.strategy.iteration.duration", error_type="ConnectionError", strategy="Own") == 1
