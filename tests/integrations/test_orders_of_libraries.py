"""What libraries tell of orders becomes fills and fees once, whatever comes first, and nothing hangs."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import requests

from otel_trading import meter
from otel_trading.instrumentation._orders import Execution, Orders, Report
from otel_trading.instrumentation.ccxt import _orders as ccxt_orders
from otel_trading.instrumentation.ccxt._calls import Call
from otel_trading.instrumentation.python_binance._calls import venue_at

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

VENUE = "venue"
Told = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What the meter was told."""
    heard: Told = []
    for name in (
        "order_sent",
        "order_filled",
        "fee_charged",
        "order_status_changed",
        "order_acknowledged",
        "order_rejected",
    ):

        def hear(name: str = name, **keywords: Any) -> None:
            heard.append((name, keywords))

        monkeypatch.setattr(meter, name, hear)
    return heard


def _orders(base: str = "BTC", currency: str = "USDT") -> Orders:
    orders = Orders()
    orders.sent(VENUE, "a", symbol="BTC/USDT", base=base, currency=currency)
    orders.acknowledged(VENUE, "a", "1")
    return orders


def _said(orders: Orders, filled: float, average: float | None, fee: float | None = None, number: str = "1") -> None:
    orders.reported(VENUE, Report(number, "a", None, filled, average, fee, None if fee is None else "USDT"))


def _fills(told: Told) -> list[tuple[float, float | None, float | None]]:
    return [(said["quantity"], said["price"], said["fee"]) for name, said in told if name == "order_filled"]


def _fees(told: Told) -> float:
    """Sum of all fees, of fills and on their own."""
    return sum(float(said.get("fee") or said.get("value") or 0.0) for _, said in told)


def test_fee_of_an_inverse_contract_is_not_multiplied_by_its_price(told: Told) -> None:
    orders = _orders("BTC", "BTC")
    orders.executed(VENUE, "1", Execution("x", 50_000.0, 10.0, fee=0.001, fee_currency="BTC"))
    assert _fills(told) == [(10.0, 50_000.0, 0.001)]


def test_fee_in_what_is_traded_is_converted(told: Told) -> None:
    orders = _orders()
    orders.executed(VENUE, "1", Execution("x", 50_000.0, 1.0, fee=0.001, fee_currency="BTC"))
    assert _fills(told) == [(1.0, 50_000.0, 50.0)]


def test_signal_handler_in_the_middle_of_a_fill_does_not_hang(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    orders, hear = _orders(), meter.order_filled

    def interrupted(**keywords: Any) -> None:
        hear(**keywords)
        if len(_fills(told)) == 1:
            signal.raise_signal(signal.SIGUSR1)

    monkeypatch.setattr(meter, "order_filled", interrupted)
    before = signal.signal(signal.SIGUSR1, lambda *_: _said(orders, 2.0, 100.0))
    late = threading.Timer(10, lambda: os._exit(70))  # a hang would end the whole run
    late.start()
    try:
        _said(orders, 1.0, 100.0)
    finally:
        late.cancel()
        signal.signal(signal.SIGUSR1, before)
    assert _fills(told) == [(1.0, 100.0, None), (1.0, 100.0, None)]


def test_child_forked_in_the_middle_of_a_fill_does_not_hang(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    orders, hear = _orders(), meter.order_filled
    here, go = threading.Event(), threading.Event()

    def slow(**keywords: Any) -> None:
        here.set()
        go.wait(10)
        hear(**keywords)

    monkeypatch.setattr(meter, "order_filled", slow)
    thread = threading.Thread(target=_said, args=(orders, 1.0, 100.0))
    thread.start()
    here.wait(10)
    child = os.fork()
    if child == 0:
        signal.alarm(5)
        monkeypatch.setattr(meter, "order_filled", hear)
        _said(orders, 2.0, 100.0)
        os._exit(0 if _fills(told) == [(1.0, 100.0, None)] else 1)
    go.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0


def test_other_thread_leaves_its_news_to_the_one_that_tells(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    orders, hear = _orders(), meter.order_filled

    def slow(**keywords: Any) -> None:
        if not _fills(told):
            thread = threading.Thread(target=orders.reported, args=(VENUE, Report("1", "a", "canceled")))
            thread.start()
            thread.join()
        hear(**keywords)

    monkeypatch.setattr(meter, "order_filled", slow)
    _said(orders, 1.0, 100.0)
    assert [name for name, _ in told][1:] == ["order_filled", "order_status_changed"]


def test_report_without_an_average_loses_nothing(told: Told) -> None:
    orders = _orders()
    _said(orders, 3.0, 100.0, 3.0)
    _said(orders, 4.0, None)
    _said(orders, 5.0, 100.0, 5.0)
    assert _fills(told) == [(3.0, 100.0, 3.0), (1.0, None, None), (1.0, 100.0, 2.0)]


def test_replaced_order_goes_on_from_nothing_under_its_new_id(told: Told) -> None:
    orders = _orders()
    _said(orders, 2.0, 100.0)
    orders.renamed(VENUE, "a", "2", "b")
    _said(orders, 1.0, 110.0, number="2")
    _said(orders, 2.5, 100.0, number="1")  # told late of the old one
    orders.reported(VENUE, Report("1", "a", "canceled", 2.5, 100.0))
    orders.reported(VENUE, Report("2", "b", "filled", 3.0, 110.0))
    assert _fills(told) == [(2.0, 100.0, None), (1.0, 110.0, None), (0.5, 100.0, None), (2.0, 110.0, None)]
    assert [said["status"] for name, said in told if name == "order_status_changed"] == ["replaced", "filled"]


def test_replaced_order_under_the_same_id_goes_on(told: Told) -> None:
    orders = _orders()
    _said(orders, 2.0, 100.0)
    orders.renamed(VENUE, "a", "1")
    _said(orders, 3.0, 100.0)
    assert _fills(told) == [(2.0, 100.0, None), (1.0, 100.0, None)]


def test_what_a_stream_told_of_a_new_id_before_the_reply_is_not_lost(told: Told) -> None:
    orders = _orders()
    orders.reported(VENUE, Report("2", "b", "partially_filled", 1.0, 100.0))
    orders.renamed(VENUE, "a", "2", "b")
    assert _fills(told) == [(1.0, 100.0, None)]


def test_fee_that_comes_after_the_sum_is_booked_once(told: Told) -> None:
    orders = _orders()
    _said(orders, 2.0, 100.0)
    for number in ("x", "y", "x"):
        orders.executed(VENUE, "1", Execution(number, 100.0, 1.0, fee=0.5, fee_currency="USDT"))
    _said(orders, 2.0, 100.0, 1.0)
    assert _fills(told) == [(2.0, 100.0, None)]
    assert _fees(told) == 1.0
    assert told[-1][1] == {
        "value": 0.5, "type": "commission", "symbol": "BTC/USDT", "currency": "USDT", "venue": VENUE,
        "strategy": None, "account": None,
    }  # fmt: skip


def test_fee_that_a_later_sum_tells_is_booked_once(told: Told) -> None:
    orders = _orders()
    _said(orders, 2.0, 100.0)
    _said(orders, 2.0, 100.0, 1.0)
    _said(orders, 2.0, 100.0, 1.0)
    orders.executed(VENUE, "1", Execution("x", 100.0, 2.0, fee=1.0, fee_currency="USDT"))
    assert _fees(told) == 1.0


def test_fee_of_a_fill_that_a_sum_told_in_part_is_booked_once(told: Told) -> None:
    orders = _orders()
    _said(orders, 1.0, 100.0, 0.5)
    orders.executed(VENUE, "1", Execution("x", 100.0, 2.0, fee=1.0, fee_currency="USDT"))
    _said(orders, 2.0, 100.0, 1.0)
    assert _fills(told) == [(1.0, 100.0, 0.5), (1.0, 100.0, 0.5)]
    assert _fees(told) == 1.0


def test_fee_in_another_currency_that_comes_late_is_booked_in_it(told: Told) -> None:
    orders = _orders()
    _said(orders, 2.0, 100.0)
    orders.executed(VENUE, "1", Execution("x", 100.0, 2.0, fee=0.01, fee_currency="BNB"))
    assert told[-1][0] == "fee_charged"
    assert (told[-1][1]["value"], told[-1][1]["currency"]) == (0.01, "BNB")


def test_rebate_of_a_fill_is_kept(told: Told) -> None:
    orders = _orders()
    orders.executed(VENUE, "1", Execution("x", 100.0, 2.0, fee=-1.0, fee_currency="USDT"))
    _said(orders, 2.0, 100.0, -1.0)
    assert _fills(told) == [(2.0, 100.0, -1.0)]


ETH, BTC = {"symbol": "ETH/USDT"}, {"symbol": "BTC/USDT"}


def _batch(told: Told, orders: list[dict[str, Any]], replies: list[dict[str, Any]], sent: Any = None) -> Told:
    """Send orders by `create_orders`, and return what is told after their replies."""
    exchange = SimpleNamespace(id="batches", markets={}, markets_by_id={})
    call = Call(exchange, "create_orders", (orders,))
    call.params = sent
    with call.request():
        pass
    del told[:]
    call.returned(replies)
    return [(name, said) for name, said in told if name != "order_sent"]


def test_replies_to_a_batch_belong_to_the_orders_of_their_client_ids(told: Told) -> None:
    orders: list[dict[str, Any]] = [
        {**BTC, "type": "market", "side": "buy", "amount": 1.0},
        {**BTC, "type": "market", "side": "buy", "amount": 1.0},
        {**ETH, "type": "market", "side": "sell", "amount": 2.0},
    ]
    replies: list[dict[str, Any]] = [
        {"status": "rejected"},
        {"id": "9", "clientOrderId": "m3", "status": "closed", "filled": 2.0, "average": 10.0, **ETH},
        {"id": "8", "clientOrderId": "m1", "status": "open", **BTC},
    ]
    sent = {"batchOrders": [{"newClientOrderId": name} for name in ("m1", "m2", "m3")]}
    heard = _batch(told, orders, replies, sent)
    assert [(name, said["client_id"]) for name, said in heard] == [
        ("order_acknowledged", "m3"),
        ("order_filled", "m3"),
        ("order_status_changed", "m3"),
        ("order_acknowledged", "m1"),
        ("order_rejected", "m2"),
    ]


def test_replies_to_a_batch_without_client_ids_belong_to_the_only_order_that_is_like_them(told: Told) -> None:
    orders: list[dict[str, Any]] = [
        {**BTC, "type": "limit", "side": "buy", "amount": 1.0},
        {**ETH, "type": "limit", "side": "sell", "amount": 2.0, "params": {"clientOrderId": "e"}},
        {**BTC, "type": "limit", "side": "buy", "amount": 1.0},
    ]
    replies: list[dict[str, Any]] = [
        {"id": "5", "status": "open", **BTC, "side": "buy", "amount": 1.0},
        {"id": "6", "status": "open", **ETH, "side": "sell", "amount": 2.0},
        {"id": None, "status": "rejected"},
    ]
    heard = _batch(told, orders, replies)
    assert [(name, said["client_id"]) for name, said in heard] == [("order_acknowledged", "e")]


def _error(cause: BaseException) -> BaseException:
    error: BaseException = type("ExchangeError", (Exception,), {"__module__": "ccxt.base.errors"})()
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("cause", [aiohttp.ClientPayloadError(), requests.exceptions.ChunkedEncodingError()])
def test_order_whose_reply_broke_off_is_not_known_to_be_refused(cause: BaseException) -> None:
    assert ccxt_orders.reason(_error(cause)) is None


@pytest.mark.parametrize("cause", [requests.HTTPError(), ValueError()])
def test_order_that_was_answered_is_refused(cause: BaseException) -> None:
    assert ccxt_orders.reason(_error(cause)) == "other"


def test_market_of_a_socket_follows_from_its_path() -> None:
    found = [venue_at(f"ws://here:1/ws-{kind}/v1") for kind in ("fapi", "dapi", "api")]
    assert found == ["binanceusdm", "binancecoinm", "binance"]


def test_execution_that_is_told_again_is_no_other_one(told: Told) -> None:
    orders = _orders()
    ours, theirs = Execution("x", 100.0, 1.0), Execution("y", 100.0, 2.0, time=time.time() + 60)
    for _ in range(2):
        orders.executed(VENUE, "1", ours)
        orders.executed(VENUE, "of another bot", theirs)

    assert [size for size, _, _ in _fills(told)] == [1.0, 2.0]


def test_late_fee_belongs_to_the_strategy_of_its_order(capmeter: CapturingMeter) -> None:
    orders = Orders()
    orders.sent(VENUE, "a", symbol="BTC/USDT", base="BTC", currency="USDT")
    with meter.scope(strategy="momentum", account="main"):
        meter.order_sent(client_id="a", symbol="BTC/USDT", side="buy", type="market", venue=VENUE)
    for fee in (None, 0.5):
        orders.reported(VENUE, Report("1", "a", "filled", 1.0, 100.0, fee, "USDT"))

    assert capmeter.value("trading.execution.fee", strategy="momentum", account="main") == 0.5
