"""python-binance, oldest and newest: several orders in one request, a queue that runs over, sockets on a thread."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from venues.binance import binance

from otel_trading import meter
from otel_trading.instrumentation.python_binance import PythonBinanceInstrumentor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.testing import CapturingMeter

pytestmark = pytest.mark.filterwarnings("ignore:websockets:DeprecationWarning")
SYMBOL = "BTCUSDT"
RESTING = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "40000", "quantity": "1"}


@pytest.fixture
def address(capmeter: CapturingMeter) -> Iterator[str]:
    """A venue, and the hooks on."""
    assert capmeter
    meter.defaults(mode="live", strategy="test")
    instrumentor = PythonBinanceInstrumentor()
    instrumentor.instrument()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # else the library makes one, which it never closes
    with binance() as (_, where):
        yield where
    asyncio.set_event_loop(None)
    loop.close()
    instrumentor.uninstrument()


@pytest.fixture
def client(address: str) -> Iterator[Any]:
    import binance as library  # noqa: PLC0415  after the hooks, as in a bot

    urls = {"API_URL": f"http://{address}/api", "FUTURES_URL": f"http://{address}/fapi"}
    made: Any = type("Mine", (library.Client,), urls)("PLANTEDkey", "PLANTEDsecret", ping=False)
    yield made
    made.session.close()


def _transitions(capmeter: CapturingMeter, venue: str) -> dict[str, float]:
    counts: dict[str, float] = {}
    for one in capmeter.samples("trading.order.transitions"):
        if one.attributes["trading.venue.name"] == venue:
            status = one.attributes["trading.order.status"]
            counts[status] = counts.get(status, 0) + one.value
    return counts


def test_a_batch_of_futures_is_as_many_orders(client: Any, capmeter: CapturingMeter) -> None:
    market = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET"}
    orders = [{**market, "quantity": "0.5"}, {**market, "quantity": "5000"}, {**RESTING, "newClientOrderId": "mine"}]
    replies = client.futures_place_batch_order(batchOrders=orders)
    client.futures_cancel_orders(symbol=SYMBOL, orderIdList=f"[{replies[2]['orderId']}]")

    assert [one.get("code") for one in replies] == [None, -2010, None]
    assert capmeter.value("trading.order.requests", operation="new", venue="binanceusdm") == 3
    states = _transitions(capmeter, "binanceusdm")
    assert {name: states[name] for name in ("pending_new", "new", "filled", "rejected", "canceled")} == {
        "pending_new": 3,
        "new": 2,
        "filled": 1,
        "rejected": 1,
        "canceled": 1,
    }
    assert capmeter.value("trading.order.rejections", reason="insufficient_funds", venue="binanceusdm") == 1
    assert capmeter.value("trading.position.quantity", symbol=SYMBOL, venue="binanceusdm") == 0.5
    assert capmeter.samples("trading.sdk.dropped") == []
    capmeter.assert_conforms()


def test_a_cancel_with_a_new_order_in_its_place(client: Any, capmeter: CapturingMeter) -> None:
    first = client.create_order(**RESTING)
    both = client.cancel_replace_order(**RESTING, cancelOrderId=first["orderId"], cancelReplaceMode="STOP_ON_FAILURE")

    assert both["newOrderResponse"]["status"] == "NEW"
    assert capmeter.value("trading.order.requests", operation="new", venue="binance") == 2
    assert capmeter.value("trading.order.requests", operation="cancel", venue="binance") == 1
    assert _transitions(capmeter, "binance") == {"pending_new": 2, "new": 2, "pending_cancel": 1, "canceled": 1}


@pytest.mark.parametrize(
    ("mode", "quantity", "ends", "rejected"),
    [
        ("STOP_ON_FAILURE", "1", {"new": 0, "rejected": 1}, "other"),
        ("ALLOW_FAILURE", "1", {"new": 1, "rejected": 0}, None),
        ("ALLOW_FAILURE", "5000", {"new": 0, "rejected": 1}, "insufficient_funds"),
    ],
)
def test_of_a_cancel_and_its_new_order_either_may_fail(
    *, client: Any, capmeter: CapturingMeter, mode: str, quantity: str, ends: dict[str, float], rejected: str | None
) -> None:
    filled = client.create_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity="0.5")
    before = _transitions(capmeter, "binance")
    from binance.exceptions import BinanceAPIException  # noqa: PLC0415  after the hooks, as in a bot

    order = {**RESTING, "quantity": quantity}
    with pytest.raises(BinanceAPIException) as raised:
        client.cancel_replace_order(**order, cancelOrderId=filled["orderId"], cancelReplaceMode=mode)

    assert raised.value.code in {-2021, -2022}
    after = _transitions(capmeter, "binance")
    assert {name: after.get(name, 0) - before.get(name, 0) for name in ends} == ends
    reasons = [one.attributes["trading.order.reject.reason"] for one in capmeter.samples("trading.order.rejections")]
    assert reasons == ([] if rejected is None else [rejected])


def test_a_queue_that_runs_over_is_a_gap_and_a_loss(address: str, capmeter: CapturingMeter) -> None:
    import binance as library  # noqa: PLC0415  after the hooks, as in a bot

    async def main() -> None:
        kind: Any = type("Mine", (library.AsyncClient,), {"API_URL": f"http://{address}/api"})
        client = await kind.create("PLANTEDkey", "PLANTEDsecret")
        manager: Any = type("Streams", (library.BinanceSocketManager,), {"STREAM_URL": f"ws://{address}/"})(client)
        socket = manager.trade_socket(SYMBOL)
        socket.MAX_QUEUE_SIZE = socket.max_queue_size = 3  # as the oldest and the newest call it
        try:
            async with socket:
                while not capmeter.samples("trading.market_data.gaps"):  # noqa: ASYNC110  there is no event for it
                    await asyncio.sleep(0.05)
        finally:
            await client.close_connection()

    asyncio.run(asyncio.wait_for(main(), 20))

    assert capmeter.value("trading.market_data.gaps", symbol=SYMBOL) == 1
    assert capmeter.samples("trading.sdk.dropped") == []


def test_sockets_on_a_thread_are_held_as_others(address: str, capmeter: CapturingMeter) -> None:
    import binance as library  # noqa: PLC0415  after the hooks, as in a bot

    came, enough = [], threading.Event()

    def take(message: Any) -> None:
        came.append(message)
        if len(came) >= 5:
            enough.set()

    before = library.AsyncClient.API_URL, library.BinanceSocketManager.STREAM_URL
    library.AsyncClient.API_URL = f"http://{address}/api"
    library.BinanceSocketManager.STREAM_URL = f"ws://{address}/"
    manager = library.ThreadedWebsocketManager("PLANTEDkey", "PLANTEDsecret")
    try:
        manager.start()
        manager.start_trade_socket(callback=take, symbol=SYMBOL)
        assert enough.wait(20)
        assert capmeter.value("trading.market_data.messages", symbol=SYMBOL, kind="trade") >= 5
        assert capmeter.value("trading.connection.status", state="connected") == 1
    finally:
        manager.stop()
        manager.join(20)
        library.AsyncClient.API_URL, library.BinanceSocketManager.STREAM_URL = before
    assert not manager.is_alive()
    assert capmeter.samples("trading.sdk.dropped") == []
