"""backtrader, oldest and newest: an unchanged backtest on real prices, an unchanged bot on live data from a socket."""

from __future__ import annotations

import csv
import multiprocessing
import queue
import warnings
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot_support import assert_held, environment, series, unchanged
from otel_trading import backtest, meter
from otel_trading.instrumentation.backtrader import BacktraderInstrumentor

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its docstrings have escapes that Python does not know
    import backtrader as bt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.stack import Stack
    from otel_trading.testing import CapturingMeter

pytestmark = pytest.mark.filterwarnings("ignore")
DURATION, TRADES = "trading.backtest.duration", "trading.backtest.trades"

BACKTEST = """
import json, sys
import backtrader as bt

class SmaCross(bt.SignalStrategy):
    def __init__(self):
        one, other = bt.ind.SMA(period=10), bt.ind.SMA(period=30)
        self.signal_add(bt.SIGNAL_LONG, bt.ind.CrossOver(one, other))

class Broken(bt.Strategy):
    def next(self):
        raise ConnectionError("PLANTED")

def cerebro():
    made = bt.Cerebro()
    made.adddata(bt.feeds.GenericCSVData(dataname="FILE", dtformat="%Y-%m-%d", openinterest=-1))
    return made

one = cerebro()
one.addstrategy(SmaCross)
one.addanalyzer(bt.analyzers.SharpeRatio, timeframe=bt.TimeFrame.Days, annualize=True)
one.addanalyzer(bt.analyzers.DrawDown)
one.addanalyzer(bt.analyzers.TradeAnalyzer)
ended = one.run()[0]
assert len(ended.analyzers) == 3
sharpe, drawdown, trades = (each.get_analysis() for each in ended.analyzers)
broken = cerebro()
broken.addstrategy(Broken)
try:
    broken.run()
except ConnectionError:
    pass
total = one.broker.getvalue() / 10_000 - 1
won, closed = trades.won.total, trades.total.closed
print(json.dumps([sharpe["sharperatio"], drawdown.max.drawdown / 100, total, won / closed, closed]), flush=True)
input()
"""

LIVE = """
import json, socket
from datetime import datetime, timedelta
from threading import Thread
import backtrader as bt

class Venue:
    '''Sends a bar per line, and closes: what a feed over a socket is.'''

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        Thread(target=self.serve, daemon=True).start()

    def serve(self):
        connection, _ = self.socket.accept()
        with connection:
            for price in (100, 101, 102, 103, 104, 105, 106):
                connection.sendall(f"{price}\\n".encode())

class SocketData(bt.feed.DataBase):
    def islive(self):
        return True

    def start(self):
        super().start()
        self.lines_of_venue = socket.create_connection(self.p.dataname).makefile()
        self.now = datetime(2026, 1, 1)
        self.put_notification(self.CONNECTED)
        self.put_notification(self.LIVE)
        self._laststatus = self.LIVE

    def _load(self):
        price = self.lines_of_venue.readline()
        if not price:
            self.put_notification(self.DISCONNECTED)
            return False
        self.now += timedelta(minutes=1)
        self.lines.datetime[0] = bt.date2num(self.now)
        for line in (self.lines.open, self.lines.high, self.lines.low, self.lines.close):
            line[0] = float(price)
        self.lines.volume[0] = 1000
        return True

log = dict(bars=0, sent=0, filled=0, canceled=0, margin=0, fees=0)

class Bot(bt.Strategy):
    def next(self):
        log["bars"] += 1
        if len(self) == 1:
            self.buy(size=1)
            self.far = self.buy(size=1, price=1, exectype=bt.Order.Limit)
            self.buy(size=1_000_000)
            log["sent"] += 3
        elif len(self) == 3:
            self.cancel(self.far)
            self.close()
            log["sent"] += 1

    def notify_order(self, order):
        if order.status == order.Completed:
            log["filled"] += 1
            log["fees"] += order.executed.comm
        log["canceled"] += order.status == order.Canceled
        log["margin"] += order.status == order.Margin

cerebro = bt.Cerebro()
cerebro.adddata(SocketData(dataname=Venue().socket.getsockname(), timeframe=bt.TimeFrame.Minutes), name="ACME")
cerebro.addstrategy(Bot)
cerebro.broker.setcommission(commission=0.01)
cerebro.run()
print(json.dumps(log), flush=True)
input()
"""


@pytest.fixture(autouse=True)
def _hooked(capmeter: CapturingMeter) -> Iterator[None]:
    assert capmeter
    instrumentor = BacktraderInstrumentor()
    instrumentor.instrument()
    yield
    instrumentor.uninstrument()


def _prices(folder: Path) -> Path:
    """Write 600 days of GOOG, which backtesting.py brings, with dates alone."""
    found = find_spec("backtesting")
    assert found is not None
    assert found.origin is not None
    with (Path(found.origin).parent / "test" / "GOOG.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[:601]
    path = folder / "goog.csv"
    path.write_text("".join(",".join([row[0][:10], *row[1:]]) + "\n" for row in rows), encoding="utf-8")
    return path


class Prices(bt.feed.DataBase):
    """Prices that the test makes, live ones from a queue."""

    params = (("prices", ()), ("live", False))

    def islive(self) -> bool:
        return bool(self.p.live)

    def start(self) -> None:
        super().start()
        self.left = list(self.p.prices)
        self.now = datetime(2026, 1, 1)  # noqa: DTZ001  backtrader's dates have no zone
        self._laststatus = self.LIVE

    def _load(self) -> bool:
        if not self.left:
            return False
        price = self.left.pop(0)
        if callable(price):
            price = price(self)
        self.now += timedelta(days=1)
        self.lines.datetime[0] = bt.date2num(self.now)
        for line in (self.lines.open, self.lines.high, self.lines.low, self.lines.close):
            line[0] = float(price)
        self.lines.volume[0] = 1000.0
        return True


class Turns(bt.Strategy):
    params = (("size", 1),)

    def next(self) -> None:
        if self.position:
            self.close()
        else:
            self.buy(size=self.p.size)


def _cerebro(*strategies: Any, prices: Any = range(100, 130), live: bool = False) -> Any:
    made = bt.Cerebro(stdstats=False)
    made.adddata(Prices(prices=tuple(prices), live=live), name="ACME")
    for strategy in strategies:
        made.addstrategy(strategy)
    return made


def test_a_backtest_is_held(stack: Stack, tmp_path: Path) -> None:
    script = BACKTEST.replace("FILE", str(_prices(tmp_path)))
    with unchanged(tmp_path, "backtrader-bot", script, environment(stack)) as told:
        sharpe, drawdown, total, won, trades = told
        about = 'trading_mode="backtest",trading_timeframe="1d"'
        of_strategy = f'{{$,{about},trading_strategy_name="SmaCross"}}'
        assert_held(
            stack,
            "backtrader-bot",
            {
                f"trading_backtest_duration_seconds_count{of_strategy}": 1,
                f'trading_backtest_duration_seconds_count{{$,{about},error_type="ConnectionError"}}': 1,
                f"trading_backtest_sharpe_ratio{of_strategy}": sharpe,
                f"abs(trading_backtest_max_drawdown_ratio{of_strategy} - {drawdown}) < bool 1e-9": 1,
                f"abs(trading_backtest_return_ratio{of_strategy} - {total}) < bool 1e-9": 1,
                f"trading_backtest_win_rate_ratio{of_strategy}": won,
                f"trading_backtest_trades{of_strategy}": trades,
            },
        )
        held = str(series(stack, "backtrader-bot"))
        assert "PLANTED" not in held
        assert str(tmp_path) not in held


def test_a_live_bot_is_held(stack: Stack, tmp_path: Path) -> None:
    own = environment(stack, OTEL_TRADING_VENUE="nyse", OTEL_TRADING_CURRENCY="USD")
    with unchanged(tmp_path, "backtrader-live", LIVE, own) as log:
        assert log == {"bars": 7, "sent": 4, "filled": 2, "canceled": 1, "margin": 1, "fees": pytest.approx(2.04)}
        at = '$,trading_mode="live",trading_venue_name="nyse"'
        of_bot = f'{at},trading_strategy_name="Bot",trading_instrument_symbol="ACME"'
        rejected = 'trading_order_reject_reason="insufficient_funds"'
        assert_held(
            stack,
            "backtrader-live",
            {
                f'sum(trading_order_requests_total{{{of_bot},trading_order_operation="new"}})': log["sent"],
                f'sum(trading_order_requests_total{{{of_bot},trading_order_operation="cancel"}})': log["canceled"],
                f"sum(trading_execution_fills_total{{{of_bot}}})": log["filled"],
                f"abs(sum(trading_execution_fee_total{{{of_bot}}}) - {log['fees']}) < bool 1e-9": 1,
                f'sum(trading_order_transitions_total{{{of_bot},trading_order_status="canceled"}})': log["canceled"],
                f"sum(trading_order_rejections_total{{{of_bot},{rejected}}})": log["margin"],
                f"sum(trading_order_active{{{of_bot}}}) or vector(0)": 0,
                f'sum(trading_market_data_messages_total{{{at},trading_data_kind="bar"}})': log["bars"],
                f'sum(trading_connection_status{{{at},trading_connection_state="disconnected"}})': 1,
            },
        )
        assert not [one for one in series(stack, "backtrader-live") if one.get("trading_mode") == "backtest"]


def test_results_are_what_they_are_without_us(capmeter: CapturingMeter) -> None:
    hooked = _cerebro(Turns)
    (strategy,) = hooked.run()
    BacktraderInstrumentor().uninstrument()
    bare = _cerebro(Turns)
    bare.run()

    assert hooked.broker.getvalue() == bare.broker.getvalue()
    assert len(strategy.analyzers) == len(strategy.observers) == 0
    assert capmeter.value(DURATION, strategy="Turns", symbol="ACME") == 1
    assert capmeter.value(TRADES, strategy="Turns") == 14
    assert capmeter.samples("trading.backtest.sharpe_ratio") == []
    assert capmeter.samples("trading.order.requests") == [], "orders of a backtest are its own"
    capmeter.assert_conforms()


@pytest.mark.parametrize("processes", [1, 2])
def test_an_optimisation_is_one_run_on_any_number_of_processes(capmeter: CapturingMeter, processes: int) -> None:
    multiprocessing.set_start_method("fork", force=True)
    made = _cerebro()
    made.optstrategy(Turns, size=[1, 2, 3])

    assert [[one.params.size for one in run] for run in made.run(maxcpus=processes)] == [[1], [2], [3]]
    assert capmeter.value(DURATION, strategy="Turns") == 1
    assert capmeter.samples(TRADES) == []


def test_strategies_of_one_run_share_its_result(capmeter: CapturingMeter) -> None:
    class Other(Turns):
        def next(self) -> None:
            pass

    _cerebro(Turns, Other).run()

    assert capmeter.value(DURATION, strategy="Turns+Other") == 1
    assert capmeter.value(TRADES) == 14


def test_the_users_own_run_and_name_win(capmeter: CapturingMeter) -> None:
    with backtest.run(strategy="mine", flush=False) as run:
        _cerebro(Turns).run()
        run.result(trades=7)
    assert (capmeter.value(DURATION, strategy="mine"), capmeter.value(TRADES)) == (1, 7)

    meter.defaults(strategy="named")
    BacktraderInstrumentor().instrument()
    _cerebro(Turns).run()
    assert capmeter.value(DURATION, strategy="named") == 1


def test_notifications_of_the_user_are_kept_and_errors_pass(capmeter: CapturingMeter) -> None:
    heard: queue.SimpleQueue[str] = queue.SimpleQueue()

    def status(name: str) -> Any:
        def price(data: Any) -> int:
            data.put_notification(getattr(data, name))
            return 100

        return price

    class Mine(Turns):
        def notify_data(self, _data: Any, status: int, *_: Any, **__: Any) -> None:
            heard.put(self.data._getstatusname(status))

        def buy(self, *args: Any, **kwargs: Any) -> Any:
            heard.put("buy")
            return super().buy(*args, **kwargs)

    meter.defaults(venue="nyse", currency="USD")
    _cerebro(Mine, prices=[100, status("CONNBROKEN"), status("LIVE"), status("UNKNOWN"), 100], live=True).run()

    told = [heard.get_nowait() for _ in range(heard.qsize())]
    assert [one for one in told if one != "buy"] == ["CONNBROKEN", "LIVE", "UNKNOWN"]
    assert capmeter.value("trading.connection.status", name="ACME", state="connected") == 1
    assert capmeter.value("trading.order.requests", side="buy") == told.count("buy")
    assert capmeter.samples(DURATION) == [], "live data is no backtest"

    class Refused(Turns):
        def next(self) -> None:
            self.buy(size="PLANTED")

    with pytest.raises(TypeError):
        _cerebro(Refused, live=True).run()
    assert capmeter.value("trading.order.requests", type="TypeError") == 1
    assert "PLANTED" not in str(capmeter.samples())
    capmeter.assert_conforms()


def test_taken_off_in_a_run(capmeter: CapturingMeter) -> None:
    class Ends(Turns):
        def start(self) -> None:
            BacktraderInstrumentor().uninstrument()

    _cerebro(Ends).run()
    _cerebro(Turns).run()
    assert capmeter.value(DURATION) == capmeter.value(DURATION, strategy="Ends") == 1
