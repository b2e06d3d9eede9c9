"""python-binance, oldest and newest, with whatever a library, a venue or a bot may do around the hooks."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

import pytest
from venues.binance import Binance, binance

from otel_trading import meter
from otel_trading.instrumentation import _replies
from otel_trading.instrumentation.python_binance import PythonBinanceInstrumentor, _orders, _streams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.testing import CapturingMeter

#: What the library itself imports.
pytestmark = pytest.mark.filterwarnings("ignore:websockets:DeprecationWarning")
SYMBOL = "BTCUSDT"
SECRET = "PLANTED"
CALLS = "trading.venue.request.duration"
MARKET = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": 0.5}
LIMIT = {**MARKET, "type": "LIMIT", "timeInForce": "GTC", "price": "40000"}


@pytest.fixture
def instrumentor(capmeter: CapturingMeter) -> Iterator[PythonBinanceInstrumentor]:
    del capmeter
    meter.defaults(mode="live", strategy="test")
    made = PythonBinanceInstrumentor()
    made.instrument()
    yield made
    if made.is_instrumented_by_opentelemetry:
        made.uninstrument()


@pytest.fixture
def venue() -> Iterator[tuple[Binance, str]]:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # else the library makes one, which it never closes
    with binance() as served:
        yield served
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture
def client(venue: Any) -> Iterator[Any]:
    """Makes a client of a subclass, as bots have theirs."""
    made: list[Any] = []

    def make(**methods: Any) -> Any:
        import binance as library  # noqa: PLC0415  after the hooks, as in a bot

        kind: Any = type("Mine", (library.Client,), {"API_URL": f"http://{venue[1]}/api", **methods})
        made.append(kind("PLANTEDkey", "PLANTEDsecret", ping=False))
        return made[-1]

    yield make
    for one in made:
        one.session.close()


@pytest.mark.usefixtures("instrumentor")
def test_a_subclass_stays_as_it_is_and_what_it_calls_is_seen(client: Any, capmeter: CapturingMeter) -> None:
    def create_order(self: Any, **order: Any) -> Any:
        import binance as library  # noqa: PLC0415  as above

        return [library.Client.create_order(self, **order) for _ in range(2)]

    orders = client(create_order=create_order).create_order(**MARKET)

    assert [one["status"] for one in orders] == ["FILLED", "FILLED"]
    assert capmeter.value("trading.order.requests", operation="new", symbol=SYMBOL, venue="binance") == 2
    assert capmeter.value("trading.execution.fills") == 4
    capmeter.assert_conforms()


def test_twice_on_counts_once_and_off_is_off(
    instrumentor: PythonBinanceInstrumentor, client: Any, capmeter: CapturingMeter
) -> None:
    instrumentor.instrument()
    own = client()
    own.get_ticker(symbol=SYMBOL)
    assert capmeter.value(CALLS, operation="fetch_ticker") == 1
    instrumentor.uninstrument()
    own.get_ticker(symbol=SYMBOL)

    assert capmeter.value(CALLS, operation="fetch_ticker") == 1
    assert not hasattr(type(own)._request, "__wrapped__")


def test_the_hooks_come_off_while_a_call_is_under_way(
    instrumentor: PythonBinanceInstrumentor, client: Any, capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = client()
    request = own.session.request

    def asked(*args: Any, **kwargs: Any) -> Any:
        instrumentor.uninstrument()
        return request(*args, **kwargs)

    for method in ("request", "post"):  # by the version
        monkeypatch.setattr(own.session, method, functools.partial(asked, *(["POST"] if method == "post" else [])))
    assert own.create_order(**MARKET)["status"] == "FILLED"
    monkeypatch.undo()
    assert own.create_order(**MARKET)["status"] == "FILLED"
    assert capmeter.value("trading.order.requests", operation="new") == 1


@pytest.mark.usefixtures("instrumentor")
def test_what_goes_wrong_in_a_hook_stays_there(
    client: Any, capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise KeyError(SECRET)

    for module, name in ((_orders, "reported"), (_orders, "placed"), (_replies, "tell"), (_streams, "_of")):
        monkeypatch.setattr(module, name, broken)
    own = client()

    assert own.create_order(**MARKET)["status"] == "FILLED"
    assert capmeter.value("trading.sdk.dropped", reason="internal_error") >= 2
    assert SECRET not in str(capmeter.samples())


@pytest.mark.usefixtures("instrumentor")
def test_what_the_library_raises_reaches_the_bot(client: Any, venue: Any, capmeter: CapturingMeter) -> None:
    from binance.exceptions import BinanceAPIException  # noqa: PLC0415  after the hooks, as in a bot

    venue[0].faults.append(("order", 503, {}))
    own = client()
    with pytest.raises(BinanceAPIException) as refused:
        own.create_order(**LIMIT)

    assert refused.value.status_code == 503
    assert capmeter.samples("trading.order.rejections") == [], "nobody knows whether the venue has it"
    assert capmeter.value("trading.order.active", status="pending_new") == 1
    with pytest.raises(TypeError):
        own._request("get")
    assert SECRET not in str(capmeter.samples())


@pytest.mark.usefixtures("instrumentor")
def test_odd_replies_and_messages_are_left_out(client: Any, capmeter: CapturingMeter) -> None:
    order = client().create_order(**LIMIT)
    before = len(capmeter.samples("trading.order.transitions"))
    for odd in ({"status": "FROZEN"}, {"status": None, "executedQty": "nonsense"}, {"status": ["NEW"]}):
        _orders.reported("binance", {**order, **odd})
    _orders.reported("binance", None)

    class Socket:
        _url = "wss://stream.binance.com:9443/PLANTEDlistenkey"

    socket = Socket()
    odd_messages: tuple[Any, ...] = (
        None,
        7,
        "text",
        [],
        {},
        {"e": "tomorrow", "s": 5},
        {"e": "depthUpdate", "s": SYMBOL, "U": "x"},
    )
    for message in odd_messages:
        _streams._read(socket, message)

    assert len(capmeter.samples("trading.order.transitions")) == before
    assert capmeter.samples("trading.sdk.dropped") == []
    assert SECRET not in str(capmeter.samples())
    capmeter.assert_conforms()


@pytest.mark.usefixtures("instrumentor")
def test_an_execution_counts_once_whoever_tells_of_it(client: Any, capmeter: CapturingMeter) -> None:
    own = client()
    order = own.create_order(**MARKET)
    fill = order["fills"][0]
    for _ in range(2):
        own.get_my_trades(symbol=SYMBOL)
        own.get_order(symbol=SYMBOL, orderId=order["orderId"])
        report = {"e": "executionReport", "s": SYMBOL, "S": "BUY", "i": order["orderId"], "x": "TRADE", "X": "FILLED"}
        _orders.streamed("binance", {**report, "t": fill["tradeId"], "l": fill["qty"], "L": fill["price"]})

    assert capmeter.value("trading.execution.fills") == 2
    assert capmeter.value("trading.position.quantity", symbol=SYMBOL) == 0.5


@pytest.mark.usefixtures("instrumentor")
def test_a_cancelled_task_ends_as_it_would(venue: Any, capmeter: CapturingMeter) -> None:
    async def main() -> None:
        import binance as library  # noqa: PLC0415  after the hooks, as in a bot

        kind: Any = type("Mine", (library.AsyncClient,), {"API_URL": f"http://{venue[1]}/api"})
        client = await kind.create("PLANTEDkey", "PLANTEDsecret")
        try:
            asking = asyncio.create_task(client.get_ticker(symbol=SYMBOL))
            await asyncio.sleep(0)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await client.get_ticker(symbol=SYMBOL)
        finally:
            await client.close_connection()

    asyncio.run(main())
    assert capmeter.value(CALLS, operation="fetch_time") == 1
