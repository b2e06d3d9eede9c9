"""alpaca-py, oldest and newest: an unchanged bot over REST and both streams, and what could go wrong around hooks."""

from __future__ import annotations

import asyncio
import json
import time
import warnings
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from venues.alpaca import FAR, Alpaca, alpaca, order_of, trade

from bot_support import assert_held, assert_nothing_planted, environment, series, unchanged
from otel_trading import trackers
from otel_trading.instrumentation._orders import Orders
from otel_trading.instrumentation.alpaca import AlpacaInstrumentor, _orders, _rest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it uses the legacy classes of websockets
    from alpaca.common.exceptions import APIError
    from alpaca.data.live import StockDataStream
    from alpaca.trading.client import TradingClient
    from alpaca.trading.requests import MarketOrderRequest
    from alpaca.trading.stream import TradingStream

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from otel_trading.stack import Stack
    from otel_trading.testing import CapturingMeter

BOT = """
import json, threading, time
from alpaca.common.exceptions import APIError
from alpaca.data.live import StockDataStream
from alpaca.trading.client import TradingClient
from alpaca.trading.requests import LimitOrderRequest, MarketOrderRequest, ReplaceOrderRequest
from alpaca.trading.stream import TradingStream

log = {"sent": 0, "refused": 0, "updates": 0, "trades": 0, "quotes": 0, "events": {}}
executions = set()
keys = "PLANTEDKEY", "PLANTEDSECRET"
client = TradingClient(*keys, paper=True, url_override="http://PLACE")
stream = TradingStream(*keys, paper=True, url_override="ws://PLACE/stream")
data = StockDataStream(*keys, url_override="ws://PLACE/v2/iex")

async def on_update(update):
    log["updates"] += 1
    event = str(getattr(update.event, "value", update.event))
    log["events"][event] = log["events"].get(event, 0) + 1
    if update.execution_id:
        executions.add(update.execution_id)

async def on_trade(trade):
    log["trades"] += 1

async def on_quote(quote):
    log["quotes"] += 1

def until(done):
    begin = time.monotonic()
    while not done():
        assert time.monotonic() - begin < 20, log
        time.sleep(0.05)

def send(request):
    log["sent"] += 1
    return client.submit_order(request)

def market(symbol):
    return MarketOrderRequest(symbol=symbol, qty=10, side="buy", time_in_force="day")

stream.subscribe_trade_updates(on_update)
data.subscribe_trades(on_trade, "AAPL")
data.subscribe_quotes(on_quote, "AAPL", "MSFT")
for one in stream, data:
    threading.Thread(target=one.run, daemon=True).start()
until(lambda: stream._running and log["quotes"] == 2)
client.get_clock()
send(market("AAPL"))
terms = {"symbol": "MSFT", "qty": 5, "side": "buy", "limit_price": 90, "time_in_force": "gtc"}
order = send(LimitOrderRequest(**terms, client_order_id="own-77"))
order = client.replace_order_by_id(order.id, ReplaceOrderRequest(qty=6))
client.cancel_order_by_id(order.id)
try:
    send(market("BROKE"))
except APIError as error:
    log["refused"] += error.status_code == 403
send(market("BUSY"))
client.close_position("AAPL")
until(lambda: log["events"].get("fill") == 6 and log["events"].get("canceled") == 1 and log["trades"] == 5)
log["executions"] = len(executions)
print(json.dumps(log), flush=True)
input()
"""
HERE = 'trading_venue_name="alpaca"'


def test_an_unchanged_bot(stack: Stack, tmp_path: Path) -> None:
    with alpaca() as (_, place):
        own = environment(stack, OTEL_TRADING_VENUE_HOSTS="127.0.0.1=alpaca")
        with unchanged(tmp_path, "alpaca-bot", BOT.replace("PLACE", place), own) as log:
            assert (log["sent"], log["refused"], log["executions"], log["trades"]) == (4, 1, 6, 5)
            assert_held(stack, "alpaca-bot", held(place, log))
            assert_nothing_planted(stack, "alpaca-bot")
            assert "own-77" not in str(series(stack, "alpaca-bot"))  # ids of orders stand in traces only


def held(place: str, log: dict[str, Any]) -> dict[str, float]:
    requests, transitions = "sum(trading_order_requests_total", "sum(trading_order_transitions_total"
    status = "trading_order_status"
    messages = f"trading_market_data_messages_total{{$,{HERE},trading_data_kind="
    connected = 'trading_connection_status{$,trading_connection_state="connected",trading_connection_name='
    return {
        f'{requests}{{$,{HERE},trading_order_operation="new"}})': log["sent"] + 1,  # and the one that closes
        f'{requests}{{$,trading_order_operation="replace"}})': 1,
        f'{requests}{{$,trading_order_operation="cancel"}})': 1,
        f'{requests}{{$,error_type="APIError"}})': log["refused"],
        f"sum(trading_execution_fills_total{{$,{HERE}}})": log["executions"],
        'sum(trading_execution_notional_total{$,trading_currency_code="USD"})': 3000,
        f'{transitions}{{$,{status}="filled"}})': 3,
        f'{transitions}{{$,{status}="canceled"}})': 1,
        f'{transitions}{{$,{status}="replaced"}})': 1,
        f'{transitions}{{$,{status}="rejected"}})': log["refused"],
        'sum(trading_order_rejections_total{$,trading_order_reject_reason="insufficient_funds"})': log["refused"],
        'sum(trading_resilience_retries_total{$,error_type="429"})': 1,
        f'trading_rate_limit_rejections_total{{$,{HERE},error_type="429"}}': 1,
        'sum(trading_position_quantity{$,trading_instrument_symbol="BUSY"})': 10,
        f'{messages}"trade"}}': log["trades"],
        f'{messages}"quote"}}': log["quotes"],
        f'{messages}"account"}}': log["updates"],
        f'{connected}"{place}/v2/iex"}}': 1,
        f'{connected}"{place}/stream"}}': 1,
        f'sum(trading_connection_reconnects_total{{$,trading_connection_name="{place}/v2/iex"}})': 1,
        'sum(trading_venue_session_status{$,trading_instrument_trading_status="open"})': 1,
        'sum(trading_venue_request_duration_seconds_count{$,trading_venue_operation="fetch_time"})': 1,
        # alive, pinged, and silent: older than what it waits for before it looks up
        'max(trading_market_data_age_seconds{$,trading_data_kind="trade"}) > bool 5': 1,
    }


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch, capmeter: CapturingMeter) -> Generator[tuple[Alpaca, str]]:
    """Alpaca, watched in this process."""
    assert capmeter
    orders = Orders()
    monkeypatch.setattr(_orders, "ORDERS", orders)
    monkeypatch.setattr(_rest, "ORDERS", orders)
    instrumentor = AlpacaInstrumentor()
    instrumentor.instrument(skip_dep_check=True)
    with alpaca() as served:
        yield served
    instrumentor.uninstrument()


class Own(TradingClient):
    """A user's client."""

    def submit_order(self, order_data: Any) -> Any:
        return super().submit_order(order_data), "mine"


def client(place: str, kind: Any = TradingClient, **more: Any) -> Any:
    made = kind("PLANTEDKEY", "PLANTEDSECRET", paper=True, url_override=f"http://{place}", **more)
    made._retry_wait = 0
    return made


def market(symbol: str = "AAPL") -> Any:
    return MarketOrderRequest(symbol=symbol, qty=10, side="buy", time_in_force="day")


def count(capmeter: CapturingMeter, name: str, **attributes: str) -> float:
    return sum(
        one.value
        for one in capmeter.samples()
        if one.name == name
        and attributes.items() <= {k.rpartition(".")[2]: v for k, v in one.attributes.items()}.items()
    )


def test_an_order_counts_once_for_a_users_own_client_and_twice_instrumented(
    venue: tuple[Alpaca, str], capmeter: CapturingMeter
) -> None:
    AlpacaInstrumentor().instrument(skip_dep_check=True)

    order, mine = client(venue[1], Own).submit_order(market())

    assert (order.symbol, mine) == ("AAPL", "mine")
    assert count(capmeter, "trading.order.requests", operation="new") == 1


def test_uninstrumenting_under_way_harms_nobody(
    venue: tuple[Alpaca, str], capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = client(venue[1])
    request = own._session.request

    def asked(*args: Any, **kwargs: Any) -> Any:
        AlpacaInstrumentor().uninstrument()
        return request(*args, **kwargs)

    monkeypatch.setattr(own._session, "request", asked)
    assert own.submit_order(market()).symbol == "AAPL"
    monkeypatch.undo()
    assert own.submit_order(market("MSFT")).symbol == "MSFT"
    assert count(capmeter, "trading.order.requests", operation="new") == 1
    AlpacaInstrumentor().instrument(skip_dep_check=True)


def test_raw_data_and_polling_tell_the_same(venue: tuple[Alpaca, str], capmeter: CapturingMeter) -> None:
    """No stream: the orders that the bot fetches say what was filled, once."""
    raw = client(venue[1], raw_data=True)
    order = raw.submit_order(market())

    for _ in range(2):
        assert raw.get_orders()[0]["id"] == order["id"]
    assert count(capmeter, "trading.execution.fills") == 1
    assert count(capmeter, "trading.execution.notional") == 1000
    assert count(capmeter, "trading.order.transitions", status="filled") == 1


@pytest.mark.parametrize("raw", [True, False])
def test_hours_hold_until_the_venue_changes_them(
    venue: tuple[Alpaca, str], capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch, *, raw: bool
) -> None:
    """A bot that asks once at night and sleeps until the opening does not trade all day at a venue that is closed."""
    opening = time.time() + 3600
    moment = datetime.fromtimestamp(opening, timezone.utc).isoformat()
    venue[0].hours = {"is_open": False, "next_open": moment, "next_close": FAR}
    client(venue[1], raw_data=raw).get_clock()
    assert count(capmeter, "trading.venue.session.status", trading_status="closed") == 1

    monkeypatch.setattr(trackers.default().sessions, "_clock", lambda: opening + 1)

    assert count(capmeter, "trading.venue.session.status", trading_status="closed") == 0


@pytest.mark.parametrize("status", ["quantum", "held", "accepted", "", None])
def test_an_unknown_status_is_left_out(venue: tuple[Alpaca, str], capmeter: CapturingMeter, status: Any) -> None:
    client(venue[1]).submit_order(market())
    before = count(capmeter, "trading.order.transitions")

    for order in list(venue[0].orders.values()):
        _orders.updated({"event": "odd", "order": {**order, "status": status, "filled_qty": None}})
        _orders.updated({"event": "fill", "order": {"id": order["id"]}})

    assert count(capmeter, "trading.order.transitions") == before
    assert count(capmeter, "trading.execution.fills") == 0


@pytest.mark.usefixtures("venue")
@pytest.mark.parametrize("faster", ["stream", "reply"])
def test_a_replace_counts_once_whoever_tells_first(capmeter: CapturingMeter, faster: str) -> None:
    old = order_of({"symbol": "MSFT", "status": "new"})
    new = order_of({"symbol": "MSFT", "status": "new", "replaces": old["id"]})
    keywords = _orders.placed(old)
    _orders.replied(keywords["client_id"], old)
    if faster == "reply":
        _orders.replaced(keywords["client_id"], new["id"], new["client_order_id"])
    _orders.updated({"event": "replaced", "order": {**old, "status": "replaced", "replaced_by": new["id"]}})
    if faster == "stream":
        _orders.replaced(keywords["client_id"], new["id"], new["client_order_id"])
    _orders.updated({"event": "canceled", "order": {**new, "status": "canceled"}})

    assert count(capmeter, "trading.order.transitions", status="replaced") == 1
    assert count(capmeter, "trading.order.transitions", status="canceled") == 1


def test_a_refusal_is_told_and_a_failure_is_unknown(venue: tuple[Alpaca, str], capmeter: CapturingMeter) -> None:
    with pytest.raises(APIError, match="insufficient"):
        client(venue[1]).submit_order(market("BROKE"))
    with pytest.raises(APIError):
        client(venue[1]).submit_order(market("CRASH"))
    with pytest.raises(APIError):
        client(venue[1]).get_account()

    assert count(capmeter, "trading.order.rejections", reason="insufficient_funds") == 1
    assert count(capmeter, "trading.order.rejections") == 1
    assert capmeter.value("trading.venue.request.duration", operation="fetch_balance", error_type="APIError") == 1
    assert "PLANTED" not in str(capmeter.samples())


def test_a_hook_that_fails_is_counted_and_not_felt(
    venue: tuple[Alpaca, str], capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_orders, "placed", lambda _: 1 / 0)
    monkeypatch.setattr(_orders, "reported", lambda _: 1 / 0)

    assert client(venue[1]).submit_order(market()).symbol == "AAPL"
    assert capmeter.value("trading.sdk.dropped", reason="internal_error") >= 1


def test_a_stream_that_goes_on_was_lost_and_one_that_stops_is_over(
    venue: tuple[Alpaca, str], capmeter: CapturingMeter
) -> None:
    """The library closes a silent connection itself and opens another one."""

    def states() -> list[str]:
        rows = [one for one in capmeter.samples() if one.name == "trading.connection.status" and one.value]
        return [one.attributes["trading.connection.state"] for one in rows]

    async def nothing(_: Any) -> None:
        """Take a trade."""

    async def run() -> None:
        stream = StockDataStream("key", "secret", url_override=f"ws://{venue[1]}/v2/iex")
        stream._handlers["trades"]["AAPL"] = nothing
        await stream._connect()
        await stream._send_subscribe_msg()
        assert states() == ["connected"]
        await stream._dispatch(trade(1))
        await stream._dispatch({"T": "subscription"})
        await stream._dispatch({"T": "of tomorrow"})
        assert count(capmeter, "trading.market_data.messages") == 1
        assert count(capmeter, "trading.market_data.delay") == 1
        await stream._dispatch({"T": "q", "S": "AAPL"})  # without a time
        await stream._dispatch({"T": "b", "S": "AAPL", "t": trade(1)["t"]})  # its time is its beginning
        assert count(capmeter, "trading.market_data.messages") == 3
        assert count(capmeter, "trading.market_data.delay") == 1
        assert not capmeter.samples("trading.sdk.dropped")
        await stream.close()
        assert states() == ["disconnected"]
        assert count(capmeter, "trading.market_data.age", kind="trade") > 0
        await stream._connect()
        assert count(capmeter, "trading.connection.reconnects") == 1
        await stream.stop_ws()
        await stream.close()
        assert not states()
        assert not [one for one in capmeter.samples() if one.name == "trading.market_data.age"]

    asyncio.run(run())


def test_the_users_handler_gets_what_came_and_what_it_raises_passes(
    venue: tuple[Alpaca, str], capmeter: CapturingMeter
) -> None:
    got: list[Any] = []

    async def handler(update: Any) -> None:
        got.append(update)
        raise KeyError(update["data"]["event"])

    async def run() -> None:
        stream = TradingStream("key", "secret", raw_data=True, url_override=f"ws://{venue[1]}/stream")
        stream.subscribe_trade_updates(handler)
        message = {"stream": "trade_updates", "data": {"event": "new", "order": order_of({"symbol": "AAPL"})}}
        with pytest.raises(KeyError, match="new"):
            await stream._dispatch(message)
        AlpacaInstrumentor().uninstrument()
        with pytest.raises(KeyError):
            await stream._dispatch(json.loads(json.dumps(message)))
        assert got == [message, message]

    asyncio.run(run())
    assert count(capmeter, "trading.order.transitions") == 0  # of nobody's order
