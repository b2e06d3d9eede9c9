"""backtrader's machinery for live trading: a store with its feed and broker, whose notifications come any time."""

from __future__ import annotations

import warnings
from collections import defaultdict, deque
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from otel_trading import meter
from otel_trading.instrumentation.backtrader import BacktraderInstrumentor

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its docstrings have escapes that Python does not know
    import backtrader as bt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.testing import CapturingMeter

pytestmark = pytest.mark.filterwarnings("ignore")
PRICE, FEE = 100.0, 0.25


class Store(bt.Store):  # type: ignore[misc]
    """Tells of its connection as Interactive Brokers' does, and of other things in its own way."""


class Feed(bt.feed.DataBase):  # type: ignore[misc]
    """Eight bars, and a loss after the fourth."""

    def islive(self) -> bool:
        return True

    def start(self) -> None:
        super().start()
        self._store.start(data=self)
        self.bars = 0
        self.now = datetime(2026, 1, 1)  # noqa: DTZ001  backtrader's dates have no zone
        self.put_notification(self.LIVE)
        self._laststatus = self.LIVE

    def _load(self) -> bool:
        self.bars += 1
        if self.bars == 4:
            self._store.put_notification(SimpleNamespace(errorCode=1100, errorMsg="PLANTED"))
            self._store.put_notification(ConnectionError("PLANTED"), "PLANTED", key="PLANTED")
            self.put_notification(self.CONNBROKEN)
        if self.bars == 6:
            self._store.put_notification(SimpleNamespace(errorCode=1102))
            self.put_notification(self.LIVE)
        self.now += timedelta(minutes=1)
        self.lines.datetime[0] = bt.date2num(self.now)
        for line in (self.lines.open, self.lines.high, self.lines.low, self.lines.close):
            line[0] = PRICE
        return self.bars <= 8


class Broker(bt.BrokerBase):  # type: ignore[misc]
    """Fills an order by halves, one with each bar, and refuses what is too large."""

    def __init__(self) -> None:
        super().__init__()
        self.startingcash = 1000.0
        self.notifs: deque[Any] = deque()
        self.open: list[Any] = []
        self.held: dict[Any, Any] = defaultdict(bt.Position)

    def getcash(self) -> float:
        return 1000.0

    def getvalue(self, datas: Any = None) -> float:
        del datas
        return 1000.0

    def getposition(self, data: Any, clone: Any = True) -> Any:  # noqa: FBT002  backtrader's
        return self.held[data].clone() if clone else self.held[data]

    def get_notification(self) -> Any:
        return self.notifs.popleft() if self.notifs else None

    def _notify(self, order: Any) -> None:
        self.notifs.append(order.clone())

    def buy(self, owner: Any, data: Any, size: float, price: Any = None, **kwargs: Any) -> Any:
        given = {name: value for name, value in kwargs.items() if name in {"exectype", "valid", "tradeid"}}
        order = bt.BuyOrder(owner=owner, data=data, size=size, price=price, **given)
        order.addcomminfo(self.getcommissioninfo(data))
        order.submit(self)
        self._notify(order)
        if size > 100:
            order.reject(self)
        else:
            order.accept(self)
            self.open.append(order)
        self._notify(order)
        return order

    def cancel(self, order: Any) -> None:
        self.open.remove(order)
        order.cancel()
        self._notify(order)

    def next(self) -> None:
        for order in list(self.open):
            if order.exectype == order.Limit:
                continue
            half = order.created.size / 2
            held = self.held[order.data]
            held.update(half, PRICE)
            order.execute(
                order.data.datetime[0], half, PRICE, 0, 0.0, 0.0, half, half * PRICE, FEE, 0.0, 0.0, held.size, PRICE
            )
            if order.executed.remsize:
                order.partial()
            else:
                order.completed()
                self.open.remove(order)
            self._notify(order)


class Bot(bt.Strategy):  # type: ignore[misc]
    """Buys, is refused, and changes its mind; keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.statuses: list[str] = []

    def next(self) -> None:
        if len(self) == 1:
            self.buy(size=4)
            self.buy(size=1000)
            self.resting = self.buy(size=1, price=1, exectype=bt.Order.Limit)
        elif len(self) == 5:
            self.cancel(self.resting)

    def notify_store(self, msg: Any, *_: Any, **__: Any) -> None:
        self.told.append(msg)

    def notify_order(self, order: Any) -> None:
        self.statuses.append(order.getstatusname())


@pytest.fixture
def bot(capmeter: CapturingMeter) -> Iterator[Bot]:
    """A bot that ran on a live store to its end."""
    assert capmeter
    instrumentor = BacktraderInstrumentor()
    instrumentor.instrument()
    meter.defaults(venue="nyse", currency="USD")
    store = Store()
    store._started = False
    cerebro = bt.Cerebro(stdstats=False)
    feed = Feed()
    feed._store = store
    cerebro.addstore(store)
    cerebro.adddata(feed, name="ACME")
    cerebro.setbroker(Broker())
    cerebro.addstrategy(Bot)
    yield cerebro.run()[0]
    instrumentor.uninstrument()


def test_each_half_of_a_fill_and_each_end_of_an_order_is_told_once(bot: Bot, capmeter: CapturingMeter) -> None:
    assert [bot.statuses.count(one) for one in ("Partial", "Completed", "Rejected", "Canceled")] == [1, 1, 1, 1]
    assert capmeter.value("trading.order.requests", operation="new", strategy="Bot") == 3
    assert capmeter.value("trading.order.requests", operation="cancel") == 1
    assert capmeter.value("trading.execution.fills", symbol="ACME") == 2
    assert capmeter.value("trading.execution.fee") == 2 * FEE
    assert capmeter.value("trading.position.quantity", symbol="ACME") == 4
    assert capmeter.value("trading.order.rejections", source="broker") == 1
    assert capmeter.value("trading.order.transitions", status="canceled") == 1
    assert not [one for one in capmeter.samples("trading.order.active") if one.value]
    capmeter.assert_conforms()


def test_what_the_store_and_the_feed_say_of_their_connection_is_told(bot: Bot, capmeter: CapturingMeter) -> None:
    assert [getattr(one, "errorCode", type(one)) for one in bot.told] == [1100, ConnectionError, 1102]
    for name in ("ib", "ACME"):
        assert capmeter.value("trading.connection.status", name=name, state="connected") == 1
    assert capmeter.value("trading.connection.reconnects", name="ACME") == 1
    assert capmeter.value("trading.market_data.messages", kind="bar") == 6  # but for two while it was broken
    assert "PLANTED" not in str(capmeter.samples())
    assert not capmeter.samples("trading.sdk.dropped")
