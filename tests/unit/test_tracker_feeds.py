from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit_support import Clock, attributes, losses

from otel_trading._attributes import OTHER
from otel_trading.semconv import attributes as a
from otel_trading.trackers import ConnectionTracker, FeedTracker, Trackers, scope
from otel_trading.trackers import feeds as module

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

AGE = "trading.market_data.age"
MESSAGES = "trading.market_data.messages"
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


@given(received=st.sets(st.integers(1, 40), min_size=1))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_there_are_as_many_gaps_as_holes(capmeter: CapturingMeter, received: set[int]) -> None:
    feeds = FeedTracker()
    before = sum(sample.value for sample in capmeter.samples() if sample.name == GAPS)
    for sequence in sorted(received):
        feeds.received(BTC, sequence=sequence)

    holes = sum(number - 1 not in received for number in received) - 1  # before the first one nothing is missing
    assert sum(sample.value for sample in capmeter.samples() if sample.name == GAPS) - before == holes


def test_a_channel_is_followed_across_kinds_and_symbols(feeds: FeedTracker, capmeter: CapturingMeter) -> None:
    quote = attributes(data_source="kraken", data_kind="quote", symbol="ETH")
    for number, feed in enumerate((BTC, quote, ETH, BTC, quote), start=1):
        feeds.received(feed, sequence=number, channel="market_data")
    assert capmeter.samples(GAPS) == []

    feeds.received(ETH, sequence=9, channel="market_data")
    feeds.received(ETH, sequence=12, channel="orders")

    (sample,) = capmeter.samples(GAPS)
    assert sample.value == 1
    assert a.SYMBOL.name not in sample.attributes  # nobody knows of which symbol the lost ones were


def test_channels_of_two_sources_are_two(feeds: FeedTracker, capmeter: CapturingMeter) -> None:
    other = attributes(data_source="okx", data_kind="trade", symbol="BTC")
    for sequence in (1, 2, 3):
        feeds.received(BTC, sequence=sequence, channel="all")
        feeds.received(other, sequence=100 * sequence, channel="all")

    assert capmeter.value(GAPS, source="okx") == 2
    assert [row.attributes[a.DATA_SOURCE.name] for row in capmeter.samples(GAPS)] == ["okx"]


@pytest.mark.parametrize("channel", [None, "market_data"])
def test_after_a_resync_the_next_message_follows_the_snapshot(
    feeds: FeedTracker, capmeter: CapturingMeter, channel: str | None
) -> None:
    feeds.received(BTC, sequence=1, channel=channel)
    feeds.received(BTC, sequence=5, channel=channel)
    feeds.resynced(BTC, sequence=90, channel=channel)
    feeds.received(BTC, sequence=91, channel=channel)
    assert capmeter.value(GAPS) == 1

    feeds.resynced(BTC, channel=channel)
    feeds.received(BTC, sequence=500, channel=channel)
    feeds.received(BTC, sequence=502, channel=channel)

    assert capmeter.value(GAPS) == 2
    assert capmeter.value("trading.market_data.resyncs", source="kraken", symbol="BTC") == 2


def test_the_table_of_channels_is_bounded(production: CapturingMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_FEEDS", 2)
    feeds = FeedTracker()
    for number in range(3):
        feeds.received(BTC, sequence=1, channel=str(number))

    assert production.value("trading.market_data.messages") == 3
    assert losses(production) == {"series_limit": 1}


def test_messages_of_many_threads_while_they_are_collected_are_all_counted(
    feeds: FeedTracker, capmeter: CapturingMeter
) -> None:
    def receive() -> None:
        for _ in range(2000):
            feeds.received(BTC)

    threads = [Thread(target=receive) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        capmeter.samples()
    for thread in threads:
        thread.join()

    assert capmeter.value(MESSAGES) == 8000


def test_messages_before_a_feed_or_its_block_ended_are_counted(feeds: FeedTracker, capmeter: CapturingMeter) -> None:
    feeds.received(BTC)
    feeds.unsubscribed(BTC)
    local = Trackers()
    with scope(local):
        local.feeds.received(ETH)
    del local

    assert capmeter.value(MESSAGES) == 2


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


def test_a_connection_that_was_closed_on_purpose_leaves_nothing_behind(
    connections: ConnectionTracker, capmeter: CapturingMeter
) -> None:
    other = attributes(connection="orders", transport="fix")
    connections.changed(LINE, "connected")
    connections.changed(other, "connected")
    connections.closed(LINE.without(a.TRANSPORT))

    names = {row.attributes[a.CONNECTION.name] for row in capmeter.samples("trading.connection.status")}
    assert names == {"orders"}
    assert len(capmeter.samples("trading.connection.uptime")) == 1

    connections.changed(LINE, "disconnected", "1006")
    connections.changed(LINE, "connected")
    assert capmeter.samples(RECONNECTS) == []
