from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit_support import Clock, attributes, losses

from otel_trading._attributes import OTHER
from otel_trading.semconv import attributes as a
from otel_trading.trackers import ConnectionTracker, FeedTracker
from otel_trading.trackers import feeds as module

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

AGE = "trading.market_data.age"
GAPS = "trading.market_data.gaps"
RECONNECTS = "trading.connection.reconnects"
BTC = attributes(data_source="kraken", data_kind="trade", symbol="BTC")
ETH = attributes(data_source="kraken", data_kind="trade", symbol="ETH")
LINE = attributes(connection="market_data", transport="websocket")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def feeds(capmeter: CapturingMeter, clock: Clock) -> FeedTracker:
    del capmeter  # it has to be there first
    return FeedTracker(clock)


@pytest.fixture
def connections(capmeter: CapturingMeter, clock: Clock) -> ConnectionTracker:
    del capmeter
    return ConnectionTracker(clock)


def test_the_age_of_a_silent_feed_grows_and_a_message_ends_it(
    feeds: FeedTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    feeds.received(BTC)
    clock.now += 7
    assert capmeter.value(AGE, source="kraken", kind="trade") == 7
    clock.now += 7
    assert capmeter.value(AGE) == 14

    feeds.received(BTC)

    assert capmeter.value(AGE) == 0
    capmeter.assert_conforms()


def test_a_feed_that_never_sends_ages_from_its_subscription(
    feeds: FeedTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    feeds.subscribed(BTC)
    clock.now += 30

    assert capmeter.value(AGE) == 30


def test_subscribing_again_does_not_make_old_data_young(
    feeds: FeedTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    feeds.received(BTC)
    clock.now += 30
    feeds.subscribed(BTC)

    assert capmeter.value(AGE) == 30


def test_one_silent_symbol_speaks_for_its_feed(feeds: FeedTracker, clock: Clock, capmeter: CapturingMeter) -> None:
    feeds.received(BTC)
    feeds.received(ETH)
    clock.now += 20
    feeds.received(ETH)

    (sample,) = capmeter.samples(AGE)
    assert sample.value == 20
    assert a.SYMBOL.name not in sample.attributes


def test_an_ended_feed_has_no_age_even_when_messages_were_still_under_way(
    feeds: FeedTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    feeds.received(BTC)
    feeds.unsubscribed(BTC)
    feeds.received(BTC)  # was on the wire
    clock.now += 3600

    assert capmeter.samples(AGE) == []
    assert capmeter.value("trading.market_data.messages") == 2

    feeds.subscribed(BTC)
    clock.now += 5
    assert capmeter.value(AGE) == 5


def test_a_number_that_skips_is_one_gap_and_one_that_falls_is_a_restart(
    feeds: FeedTracker, capmeter: CapturingMeter
) -> None:
    for sequence in (10, 11, 14, 15, 15, 1, 2, None, 3):
        feeds.received(BTC, sequence=sequence)
    feeds.received(ETH, sequence=900)

    assert capmeter.value(GAPS, source="kraken") == 1


def test_numbers_above_2_to_the_53_are_told_apart(feeds: FeedTracker, capmeter: CapturingMeter) -> None:
    for sequence in (2**60, 2**60 + 1, 2**60 + 2, 2**60 + 4):
        feeds.received(BTC, sequence=sequence)

    assert capmeter.value(GAPS) == 1


def test_folded_symbols_share_no_sequence(feeds: FeedTracker, capmeter: CapturingMeter) -> None:
    folded = attributes(data_source="kraken", data_kind="trade", symbol=OTHER)
    for sequence in (1, 500, 2, 501):
        feeds.received(folded, sequence=sequence)

    assert capmeter.samples(GAPS) == []


def test_a_delay_is_recorded_and_a_negative_one_counts_as_zero(feeds: FeedTracker, capmeter: CapturingMeter) -> None:
    feeds.received(BTC, delay=0.25)
    feeds.received(BTC, delay=-3.0)

    (sample,) = capmeter.samples("trading.market_data.delay")
    assert (sample.value, sample.sum) == (2, 0.25)


def test_the_table_of_feeds_is_bounded_and_messages_still_count(
    production: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_FEEDS", 2)
    feeds = FeedTracker()

    for number in range(4):
        feeds.received(attributes(data_source="kraken", data_kind="trade", symbol=str(number)))
        feeds.unsubscribed(attributes(data_source="kraken", data_kind="trade", symbol=f"ended {number}"))

    assert production.value("trading.market_data.messages") == 4
    assert losses(production) == {"series_limit": 2}
    assert len(feeds._ended) == 2


def test_a_connection_shows_each_state_and_one_is_current(
    connections: ConnectionTracker, capmeter: CapturingMeter
) -> None:
    connections.changed(LINE, "connecting")

    rows = capmeter.samples("trading.connection.status")
    assert {row.attributes[a.CONNECTION_STATE.name]: row.value for row in rows} == {
        "connecting": 1,
        "connected": 0,
        "degraded": 0,
        "disconnected": 0,
    }
    capmeter.assert_conforms()


def test_only_coming_back_up_is_a_reconnect(connections: ConnectionTracker, capmeter: CapturingMeter) -> None:
    for state in ("connecting", "connected", "connected", "degraded", "connected"):
        connections.changed(LINE, state)
    assert capmeter.samples(RECONNECTS) == []

    for state in ("disconnected", "connecting", "connected"):
        connections.changed(LINE, state)
    assert capmeter.value(RECONNECTS, connection="market_data") == 1


def test_what_broke_a_connection_is_told_with_its_reconnect(
    connections: ConnectionTracker, capmeter: CapturingMeter
) -> None:
    connections.changed(LINE, "connected")
    connections.changed(LINE, "disconnected", "1006")
    connections.changed(LINE, "connecting")
    connections.changed(LINE, "connected")
    connections.changed(LINE, "disconnected")
    connections.changed(LINE, "connected")

    found = {sample.attributes.get(a.ERROR_TYPE.name): sample.value for sample in capmeter.samples(RECONNECTS)}
    assert found == {"1006": 1, None: 1}


def test_uptime_grows_through_a_degradation_and_ends_with_the_connection(
    connections: ConnectionTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    connections.changed(LINE, "connected")
    clock.now += 10
    connections.changed(LINE, "degraded")
    clock.now += 10
    assert capmeter.value("trading.connection.uptime") == 20

    connections.changed(LINE, "disconnected")
    assert capmeter.samples("trading.connection.uptime") == []
