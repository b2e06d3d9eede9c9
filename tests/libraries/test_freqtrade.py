"""freqtrade, oldest that still installs and newest: its own commands at a stand-in of Binance."""

from __future__ import annotations

import asyncio
import functools
import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import pytest
from freqtrade.exceptions import TemporaryError
from freqtrade.exchange import common
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.rpc.rpc_manager import RPCManager
from freqtrade_bots import TRADE, configured
from venues.candles import PRICE, Candles

from bot_support import assert_held, assert_nothing_planted, environment, start, unchanged
from otel_trading.instrumentation.freqtrade import FreqtradeInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from otel_trading.stack import Stack
    from otel_trading.testing import CapturingMeter

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


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """What a user of freqtrade has: a configuration and a strategy."""
    with Candles() as venue:
        venue.refused = 2
        configured(tmp_path, venue.url)
        yield tmp_path


@pytest.mark.timeout(240)
def test_the_bot_and_prometheus_agree(stack: Stack, folder: Path) -> None:
    text = TRADE.replace("FOLDER", str(folder))
    with unchanged(folder, "freqtrade-bot", text, environment(stack)) as log:
        assert log["retries"] == 2
        assert_held(stack, "freqtrade-bot", _expected(log))
        assert_nothing_planted(stack, "freqtrade-bot")


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
        f"sum(trading_resilience_retries_total{{{own}}})": log["retries"],
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


class Exchange:
    """A user's own exchange, which fails as often as it is told to."""

    id = "own"
    name = "Own"

    def __init__(self, failures: int) -> None:
        self.failures, self.calls = failures, 0

    def fetch(self, value: str) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            message = "PLANTED"
            raise TemporaryError(message)
        return value

    async def fetch_async(self, value: str) -> str:
        return self.fetch(value)


def _kinds(exchange: Exchange) -> dict[str, Callable[[str], str]]:
    """The same call, decorated in each way that freqtrade knows."""
    later = common.retrier_async(Exchange.fetch_async)
    return {
        "bare": functools.partial(common.retrier(Exchange.fetch), exchange),
        "retries": functools.partial(common.retrier(retries=4)(Exchange.fetch), exchange),
        "bound": common.retrier(exchange.fetch, retries=4),
        "async": lambda value: asyncio.run(later(exchange, value)),
    }


@pytest.mark.usefixtures("instrumentor")
@pytest.mark.parametrize("kind", ["bare", "retries", "bound", "async"])
def test_each_attempt_after_the_first_is_a_retry(capmeter: CapturingMeter, kind: str) -> None:
    exchange = Exchange(3)
    assert _kinds(exchange)[kind]("PLANTED") == "PLANTED"
    assert exchange.calls == 4
    operation = "fetch_async" if kind == "async" else "fetch"
    retries = "trading.resilience.retries"
    assert capmeter.value(retries, operation=operation, error_type="TemporaryError", venue="own") == 3

    exchange = Exchange(99)
    with pytest.raises(TemporaryError, match="PLANTED"):
        _kinds(exchange)[kind]("PLANTED")
    assert exchange.calls == 5
    assert capmeter.value(retries, operation=operation) == 3 + 4
    with pytest.raises(TypeError):
        _kinds(exchange)[kind]()  # type: ignore[call-arg]


def test_what_was_decorated_counts_no_more(instrumentor: FreqtradeInstrumentor, capmeter: CapturingMeter) -> None:
    kinds = _kinds(Exchange(2)) | {"other": _kinds(Exchange(2))["async"]}
    instrumentor.uninstrument()
    assert kinds["bare"]("1") == "1"
    assert kinds["other"]("1") == "1"
    assert common.retrier.__name__ == "retrier"
    assert not capmeter.samples("trading.resilience.retries")


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
