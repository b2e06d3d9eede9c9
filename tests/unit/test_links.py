"""Connections that a bot opened itself: whose clock runs, by symbol, and what is left of one however it ends."""

from __future__ import annotations

import gc
import json
from typing import TYPE_CHECKING

import pytest

from otel_trading import trackers
from otel_trading.instrumentation import _feeds, _links

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_trading.testing import CapturingMeter

HERE = "here"
AGE = "trading.market_data.age"
MESSAGES = "trading.market_data.messages"
STATUS = "trading.connection.status"


class Connection:
    """What a library hands out."""


class Clock:
    """Seconds that pass when the test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(trackers.default().feeds, "_clock", clock)
    monkeypatch.setattr("time.monotonic", clock)
    monkeypatch.setenv("OTEL_TRADING_VENUE_HOSTS", "venue.test=binance")
    _links.begin(HERE)
    yield clock
    _links.end(HERE)
    assert not capmeter.samples(STATUS)
    assert not capmeter.samples(AGE)


def connect(path: str = "/ws") -> tuple[_links.Link, Connection]:
    link, connection = _links.opening(f"wss://venue.test{path}", HERE), Connection()
    assert link is not None
    with link:
        pass
    link.opened(connection)
    return link, connection


def ages(capmeter: CapturingMeter) -> dict[str, float]:
    return {one.attributes["trading.data.kind"]: one.value for one in capmeter.samples(AGE)}


def states(capmeter: CapturingMeter) -> list[str]:
    return [one.attributes["trading.connection.state"] for one in capmeter.samples(STATUS) if one.value]


def trade(symbol: str, number: int | None = None) -> str:
    told = {"e": "trade", "E": 1672515782136, "s": symbol} | ({} if number is None else {"t": number})
    return json.dumps(told, separators=(",", ":"))


def asks(*streams: str, method: str = "SUBSCRIBE") -> str:
    return json.dumps({"method": method, "params": streams, "id": 1})


def test_a_silent_symbol_among_others_of_its_kind_is_seen(capmeter: CapturingMeter, clock: Clock) -> None:
    link, _kept = connect()
    link.sent(asks("btcusdt@trade", "ethusdt@trade", "btcusdt@depth"))
    clock.now += 7
    link.received(trade("BTCUSDT"))
    assert ages(capmeter) == {"trade": 7, "order_book": 7}
    link.received(trade("ETHUSDT"))
    clock.now += 1
    assert ages(capmeter) == {"trade": 1, "order_book": 8}
    assert capmeter.value(MESSAGES, kind="trade") == 2


def test_a_url_names_symbols(capmeter: CapturingMeter, clock: Clock) -> None:
    link, _kept = connect("/stream?streams=btcusdt@trade/ethusdt@trade")
    clock.now += 3
    link.received(f'{{"stream":"btcusdt@trade","data":{trade("BTCUSDT")}}}')
    assert ages(capmeter) == {"trade": 3}


@pytest.mark.parametrize(
    "message",
    [
        '{"lastUpdateId":160,"bids":[],"asks":[]}',  # says no symbol
        '{"e":"depthUpdate","E":1672515782136,"s":"XBTUSDT","u":1}',  # is called otherwise than the bot asked
        '[{"e":"depthUpdate"}]',
    ],
)
def test_what_cannot_be_told_apart_is_watched_as_a_whole(capmeter: CapturingMeter, clock: Clock, message: str) -> None:
    link, _kept = connect()
    link.sent(asks("btcusdt@depth", "ethusdt@depth"))
    clock.now += 7
    link.received(message)
    assert ages(capmeter) == {"order_book": 0}
    link.sent(asks("solusdt@depth"))
    clock.now += 1
    link.received(message)
    assert ages(capmeter) == {"order_book": 0}


def test_so_many_symbols_are_watched_as_a_whole(
    capmeter: CapturingMeter, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_feeds, "_MAX_SYMBOLS", 2)
    link, _kept = connect()
    link.sent(asks("btcusdt@trade", "ethusdt@trade", "solusdt@trade"))
    clock.now += 7
    link.received(trade("BTCUSDT"))
    assert ages(capmeter) == {"trade": 0}


def test_a_symbol_that_is_not_wanted_any_more_is_no_alarm(capmeter: CapturingMeter, clock: Clock) -> None:
    link, _kept = connect()
    link.sent(asks("btcusdt@trade", "ethusdt@trade"))
    link.sent(asks("ethusdt@trade", method="UNSUBSCRIBE"))
    clock.now += 3
    link.received(trade("ETHUSDT"))  # was under way
    link.received(trade("BTCUSDT"))
    clock.now += 4
    assert ages(capmeter) == {"trade": 4}
    link.received(trade("ETHUSDT"))  # another stream of it goes on
    clock.now += 1
    link.received(trade("BTCUSDT"))
    assert ages(capmeter) == {"trade": 1}
    assert capmeter.value(MESSAGES, kind="trade") == 4


def test_what_was_not_asked_for_again_ends_with_the_first_message_of_its_kind(
    capmeter: CapturingMeter, clock: Clock
) -> None:
    link, _kept = connect()
    link.sent(asks("btcusdt@trade", "ethusdt@trade", "ethusdt@depth"))
    link.lost("1006")
    clock.now += 5
    again, _also = connect()
    again.sent(asks("btcusdt@trade"))
    assert ages(capmeter) == {"trade": 5, "order_book": 5}  # nothing came yet
    again.received(trade("BTCUSDT"))
    assert ages(capmeter) == {"trade": 0, "order_book": 5}
    again.closed()
    assert not ages(capmeter)


def test_the_delay_is_told_where_the_venue_tells_the_time(
    capmeter: CapturingMeter, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 1672515782.336)
    link, _kept = connect()
    for number in range(100):
        link.received(trade("BTCUSDT", number))
    link.received('{"lastUpdateId":160,"bids":[],"asks":[]}')
    assert clock.now
    counted = capmeter.samples("trading.market_data.delay")
    assert [one.attributes["trading.data.source"] for one in counted] == ["binance"]
    assert 10 < counted[0].value < 20  # of each second the first ten, then every sixteenth
    assert counted[0].sum == pytest.approx(0.2 * counted[0].value)


def test_what_was_under_way_when_the_connection_was_lost_counts(capmeter: CapturingMeter, clock: Clock) -> None:
    link, _kept = connect()
    link.received(trade("BTCUSDT"))
    link.lost("1006")
    clock.now += 2
    link.received(trade("BTCUSDT"))
    assert capmeter.value(MESSAGES, kind="trade") == 2
    assert states(capmeter) == ["disconnected"]
    again, _also = connect()
    link.received(trade("BTCUSDT"))  # of an object that nobody should read any more
    assert capmeter.value(MESSAGES, kind="trade") == 2
    again.closed()


def _drop(_: _links.Link, kept: list[Connection]) -> None:
    kept.clear()
    gc.collect()


def _close_after_loss(link: _links.Link, _: object) -> None:
    link.lost("1006")
    link.closed()


def _uninstrument(*_: object) -> None:
    _links.end(HERE)


def _uninstrument_after_loss(link: _links.Link, _: object) -> None:
    link.lost(None)
    _links.end(HERE)


@pytest.mark.parametrize(
    ("end", "left"),
    [
        (_drop, ["disconnected"]),
        (_close_after_loss, ["disconnected"]),
        (lambda link, _: link.lost(OSError("PLANTED")), ["disconnected"]),
        (lambda link, _: link.closed(), []),
        (lambda link, _: link.forgotten(), []),
        (_uninstrument, []),
        (_uninstrument_after_loss, []),
    ],
)
def test_nothing_stays_connected(
    capmeter: CapturingMeter, clock: Clock, end: Callable[[_links.Link, list[Connection]], object], left: list[str]
) -> None:
    link, connection = connect()
    link.received(trade("BTCUSDT"))
    assert states(capmeter) == ["connected"]
    kept = [connection]
    del connection
    end(link, kept)
    assert states(capmeter) == left
    assert bool(ages(capmeter)) == bool(left)
    assert "PLANTED" not in str(capmeter.samples())
    assert clock.now


class Narrow:
    """A user's own connection, which takes no attribute."""

    __slots__ = ()


def test_a_connection_that_cannot_be_followed_leaves_nothing(capmeter: CapturingMeter, clock: Clock) -> None:
    link = _links.opening("wss://venue.test/ws", HERE)
    assert link is not None
    with link:
        pass
    link.opened(Narrow())
    assert not states(capmeter)
    assert capmeter.value("trading.sdk.dropped", reason="internal_error") == 1
    assert clock.now


def test_an_attempt_that_is_given_up_is_a_loss(capmeter: CapturingMeter, clock: Clock) -> None:
    link = _links.opening("wss://venue.test/ws", HERE)
    assert link is not None
    with pytest.raises(KeyboardInterrupt), link:
        raise KeyboardInterrupt
    assert states(capmeter) == ["disconnected"]
    assert clock.now
