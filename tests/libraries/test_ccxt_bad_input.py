"""ccxt, oldest and newest, with whatever a library, a venue or a bot may do around the hooks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from ccxt_bots import OPTIONS, SECRET
from venues.binance import Binance, binance

from otel_trading import meter
from otel_trading.instrumentation import _replies
from otel_trading.instrumentation.ccxt import CcxtInstrumentor, _base, _orders
from otel_trading.instrumentation.ccxt._calls import CALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.testing import CapturingMeter

SYMBOL = "BTC/USDT"
REQUESTS = "trading.order.requests"
CALLS = "trading.venue.request.duration"


@pytest.fixture
def instrumentor(capmeter: CapturingMeter) -> Iterator[CcxtInstrumentor]:
    del capmeter
    meter.defaults(mode="live", strategy="test")
    made = CcxtInstrumentor()
    made.instrument()
    yield made
    if made.is_instrumented_by_opentelemetry:
        made.uninstrument()


@pytest.fixture
def venue() -> Iterator[tuple[Binance, dict[str, Any]]]:
    named: dict[str, Any] = {}
    exec(OPTIONS, named)  # noqa: S102  the bots' own
    with binance() as (made, address):
        yield made, {**named["settings"]("binance", address), "enableRateLimit": False}


def _ccxt() -> Any:
    import ccxt  # noqa: PLC0415  after the hooks, as in a bot

    return ccxt


def _subclass(**methods: Any) -> Any:
    return type("Mine", (_ccxt().binance,), methods)


@pytest.mark.usefixtures("instrumentor")
def test_a_subclass_stays_as_it_is_and_what_it_calls_is_seen(venue: Any, capmeter: CapturingMeter) -> None:
    def create_order(self: Any, *args: Any) -> Any:
        return [_ccxt().binance.create_order(self, *args), _ccxt().binance.create_order(self, *args)]

    mine = _subclass(create_order=create_order, on_rest_response=lambda _self, *args: args[5])
    orders = mine(venue[1]).create_order(SYMBOL, "market", "buy", 0.5)

    assert vars(mine)["create_order"] is create_order
    assert [one["status"] for one in orders] == ["closed", "closed"]
    assert capmeter.value(REQUESTS, operation="new", symbol=SYMBOL, venue="binance") == 2
    assert capmeter.value("trading.execution.fills") == 4
    capmeter.assert_conforms()


@pytest.mark.usefixtures("instrumentor")
def test_a_venue_that_calls_what_it_inherits_counts_once(venue: Any, capmeter: CapturingMeter) -> None:
    library = _ccxt()

    def create_order(self: Any, *args: Any) -> Any:
        return library.binance.create_order(self, *args)

    kind = type("other", (library.binance,), {"create_order": create_order, "__module__": "ccxt.other"})
    with pytest.raises(library.InsufficientFunds):
        kind(venue[1]).create_order(SYMBOL, "limit", "buy", 5000, 40_000)

    assert capmeter.value(REQUESTS, operation="new", venue="binance") == 1
    assert sum(one.value for one in capmeter.samples("trading.order.rejections")) == 1


def test_twice_instrumented_counts_once(instrumentor: CcxtInstrumentor, venue: Any, capmeter: CapturingMeter) -> None:
    instrumentor.instrument()
    exchange = _ccxt().binance(venue[1])
    exchange.createOrder(SYMBOL, "market", "buy", 0.5)
    exchange.fetchTicker(SYMBOL)

    assert capmeter.value(REQUESTS, operation="new") == 1
    assert capmeter.value(CALLS, operation="fetch_ticker") == 1
    assert capmeter.value("trading.rate_limit.usage", name="request_weight_1m") == venue[0].weight


def test_the_hooks_come_off_while_a_call_is_under_way(
    instrumentor: CcxtInstrumentor, venue: Any, capmeter: CapturingMeter
) -> None:
    def sign(self: Any, *args: Any) -> Any:
        if instrumentor.is_instrumented_by_opentelemetry and args[0] == "order":
            instrumentor.uninstrument()
        return _ccxt().binance.sign(self, *args)

    exchange = _subclass(sign=sign)(venue[1])
    exchange.load_markets()
    before = len(capmeter.samples(CALLS))
    assert exchange.create_order(SYMBOL, "market", "buy", 0.5)["status"] == "closed"
    exchange.fetch_ticker(SYMBOL)

    assert len(capmeter.samples(CALLS)) == before
    ccxt = _ccxt()
    assert not hasattr(ccxt.binance.create_order, "__wrapped__")
    assert not hasattr(ccxt.Exchange.fetch, "__wrapped__")
    instrumentor.instrument()
    exchange.fetch_ticker(SYMBOL)  # an instance that was there before
    assert capmeter.value(CALLS, operation="fetch_ticker") == 1


@pytest.mark.usefixtures("instrumentor")
def test_what_goes_wrong_in_a_hook_stays_there(
    venue: Any, capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise KeyError(SECRET)

    for module, name in ((_orders, "_report"), (_orders, "placed"), (_replies, "tell")):
        monkeypatch.setattr(module, name, broken)
    exchange = _ccxt().binance(venue[1])

    assert exchange.create_order(SYMBOL, "market", "buy", 0.5)["filled"] == 0.5
    assert capmeter.value("trading.sdk.dropped", reason="internal_error") > 2
    assert SECRET not in str(capmeter.samples())


@pytest.mark.usefixtures("instrumentor")
def test_what_the_library_raises_reaches_the_bot(venue: Any, capmeter: CapturingMeter) -> None:
    def parse_order(*_args: Any, **_kwargs: Any) -> Any:
        raise LookupError(SECRET)

    with pytest.raises(LookupError, match=SECRET):
        _subclass(parse_order=parse_order)(venue[1]).create_order(SYMBOL, "market", "buy", 0.5)

    assert capmeter.samples("trading.order.rejections") == [], "the venue has it"
    assert SECRET not in str(capmeter.samples())
    assert CALL.get() is None


@pytest.mark.usefixtures("instrumentor")
def test_an_order_of_which_nobody_knows_whether_it_arrived_is_not_rejected(
    venue: Any, capmeter: CapturingMeter
) -> None:
    venue[0].faults.append(("order", 503, {}))
    ccxt = _ccxt()
    exchange = ccxt.binance(venue[1])
    with pytest.raises(ccxt.NetworkError):
        exchange.create_order(SYMBOL, "limit", "buy", 1, 40_000)

    assert capmeter.samples("trading.order.rejections") == []
    assert capmeter.value("trading.order.active", status="pending_new") == 1
    assert SECRET not in str(capmeter.samples())


@pytest.mark.usefixtures("instrumentor")
def test_what_ccxt_tries_again_is_a_retry_and_one_order_each(venue: Any, capmeter: CapturingMeter) -> None:
    venue[0].faults += [("ticker/24hr", 503, {})]
    venue[1]["options"]["maxRetriesOnFailure"] = 2
    _ccxt().binance(venue[1]).fetch_ticker(SYMBOL)

    assert capmeter.value("trading.resilience.retries", operation="fetch_ticker") == 1
    assert capmeter.value(CALLS, operation="fetch_ticker") == 2


@pytest.mark.usefixtures("instrumentor")
def test_an_unknown_status_and_odd_fields_are_left_out(venue: Any, capmeter: CapturingMeter) -> None:
    exchange = _ccxt().binance(venue[1])
    order = exchange.create_order(SYMBOL, "limit", "buy", 1, 40_000)
    before = len(capmeter.samples("trading.order.transitions"))
    for odd in (
        {"status": "frozen"}, {"status": None, "filled": "nonsense"}, {"status": ["open"]}, {"fee": "free"}, {},
    ):  # fmt: skip
        _base._read_order(exchange, {**order, **odd})
    _base._read_order(exchange, None)
    _base._read_trade(exchange, {"order": order["id"], "id": "t-1"})

    assert len(capmeter.samples("trading.order.transitions")) == before
    assert capmeter.samples("trading.sdk.dropped") == []
    capmeter.assert_conforms()


@pytest.mark.usefixtures("instrumentor")
def test_a_report_that_overtakes_the_reply_and_one_that_comes_again(venue: Any, capmeter: CapturingMeter) -> None:
    exchange = _ccxt().binance(venue[1])
    exchange.load_markets()
    done = {
        "id": str(next(venue[0].ids) + 1),
        "status": "closed",
        "filled": 0.5,
        "average": 50_000,
        "symbol": SYMBOL,
        "side": "buy",
    }
    _base._read_order(exchange, done)
    order = exchange.create_order(SYMBOL, "limit", "buy", 0.5, 49_990)
    for _ in range(2):
        _base._read_order(exchange, done)

    assert order["status"] == "open"
    assert capmeter.value("trading.execution.fills") == 1
    assert capmeter.value("trading.order.transitions", status="filled") == 1


def test_a_cancelled_task_ends_as_it_would(instrumentor: CcxtInstrumentor, venue: Any) -> None:
    del instrumentor

    async def main() -> None:
        import ccxt.pro  # noqa: PLC0415  after the hooks, as in a bot

        exchange = ccxt.pro.binance(venue[1])
        try:
            await exchange.load_markets()  # of both tasks: whoever is cancelled while it loads cancels it for the other
            watching = asyncio.create_task(exchange.watch_orders(SYMBOL))
            asking = asyncio.create_task(exchange.fetch_ticker(SYMBOL))
            await asyncio.sleep(0.3)
            watching.cancel()
            with pytest.raises(asyncio.CancelledError):
                await watching
            assert (await asking)["last"] == 50_000
            assert CALL.get() is None
        finally:
            await exchange.close()

    asyncio.run(main())
