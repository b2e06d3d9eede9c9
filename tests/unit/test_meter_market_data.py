"""The helpers of feeds, data sources and connections: what they emit, and that it conforms."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from unit_support import losses

from otel_trading import meter
from otel_trading.errors import ConventionError
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.testing import CapturingMeter

AGE = "trading.market_data.age"


@pytest.fixture(autouse=True)
def conforms(capmeter: CapturingMeter) -> Iterator[None]:
    """Whatever a helper emits stands in the convention."""
    yield
    capmeter.assert_conforms()


def test_several_symbols_are_subscribed_and_ended_at_once(capmeter: CapturingMeter) -> None:
    meter.market_data_subscribed(source="kraken", kind="trade", symbols=["BTC", "ETH"])
    meter.market_data_received(source="kraken", kind="trade", symbol="BTC")
    assert len(capmeter.samples(AGE)) == 1

    meter.market_data_unsubscribed(source="kraken", kind="trade", symbols=iter(["BTC"]))
    assert len(capmeter.samples(AGE)) == 1
    meter.market_data_unsubscribed(source="kraken", kind="trade", symbols=("ETH",))
    assert capmeter.samples(AGE) == []


def test_a_text_is_no_list_of_symbols(production: CapturingMeter) -> None:
    meter.market_data_subscribed(source="kraken", kind="trade", symbols="BTC")
    meter.market_data_subscribed(source="kraken", kind="trade", symbol="BTC", symbols=["ETH"])

    assert losses(production) == {"invalid_value": 2}
    assert production.samples(AGE) == []


@pytest.mark.seed("S2-10")
def test_ticks_are_counted_by_symbol(capmeter: CapturingMeter) -> None:
    for symbol in ("BTC", "ETH", "BTC"):
        meter.market_data_received(source="kraken", kind="trade", symbol=symbol)

    assert capmeter.value("trading.market_data.messages", symbol="BTC") == 2
    assert capmeter.value("trading.market_data.messages", symbol="ETH") == 1


def test_a_channel_numbers_what_several_kinds_share(capmeter: CapturingMeter) -> None:
    meter.market_data_received(source="coinbase", kind="trade", symbol="BTC", sequence=1, channel="market")
    meter.market_data_received(source="coinbase", kind="order_book", symbol="BTC", sequence=2, channel="market")
    meter.market_data_received(source="coinbase", kind="trade", symbol="ETH", sequence=4, channel="market")
    meter.market_data_resynced(source="coinbase", symbol="ETH", sequence="10", channel="market")
    meter.market_data_received(source="coinbase", kind="trade", symbol="BTC", sequence=11, channel="market")

    assert capmeter.value("trading.market_data.gaps", source="coinbase") == 1
    assert capmeter.value("trading.market_data.resyncs", source="coinbase") == 1


def test_the_time_of_a_message_may_be_a_datetime_with_a_zone(capmeter: CapturingMeter) -> None:
    new_york = timezone(timedelta(hours=-5))
    meter.market_data_received(source="kraken", kind="trade", venue_time=datetime.now(new_york) - timedelta(seconds=3))

    (delay,) = capmeter.samples("trading.market_data.delay")
    assert delay.sum == pytest.approx(3, abs=1)


def test_a_datetime_without_a_zone_is_refused(production: CapturingMeter) -> None:
    meter.market_data_received(source="kraken", kind="trade", venue_time=datetime(2026, 1, 1))  # noqa: DTZ001  the point

    assert production.value("trading.market_data.messages") == 1
    assert production.samples("trading.market_data.delay") == []
    assert losses(production) == {"invalid_value": 1}


@pytest.mark.seed("S1-20", "S1-21")
def test_fetches_are_timed_and_counted_by_source_and_result(capmeter: CapturingMeter) -> None:
    @meter.market_data_fetch(source="polygon", symbol="AAPL")
    def history() -> int:
        time.sleep(0.01)
        return 3

    assert history() == 3
    with pytest.raises(TimeoutError), meter.market_data_fetch(source="polygon"):
        raise TimeoutError

    rows = capmeter.samples("trading.market_data.fetch.duration")
    counts = {row.attributes.get(a.ERROR_TYPE.name): row.value for row in rows}
    assert counts == {None: 1, "timeout": 1}
    assert max(row.sum or 0.0 for row in rows) >= 0.01
    assert capmeter.value("trading.market_data.fetch.duration", source="polygon", symbol="AAPL") == 1


@pytest.mark.seed("S1-24")
def test_a_source_has_a_quality_until_it_is_taken_back(capmeter: CapturingMeter) -> None:
    meter.market_data_quality(source="polygon", score="0.75")
    assert capmeter.value("trading.market_data.quality", source="polygon") == 0.75

    meter.market_data_quality(source="polygon", score=None)
    assert capmeter.samples("trading.market_data.quality") == []


@pytest.mark.parametrize("score", [98, -0.1, "good"])
def test_a_quality_is_a_ratio(score: float) -> None:
    with pytest.raises(ConventionError, match="score="):
        meter.market_data_quality(source="polygon", score=score)


def test_a_ping_is_timed(capmeter: CapturingMeter) -> None:
    meter.connection_ping(name="orders", seconds=0.02)

    (sample,) = capmeter.samples("trading.connection.ping.duration")
    assert (sample.value, sample.sum) == (1, 0.02)
    assert sample.attributes[a.CONNECTION.name] == "orders"


@pytest.mark.seed("S2-09", "S2-11")
def test_a_connection_says_its_state_and_age_until_it_is_closed_on_purpose(capmeter: CapturingMeter) -> None:
    meter.defaults(venue="ibkr", strategy="one")
    meter.connection_changed(name="tws", state="connected", transport="tcp")
    assert capmeter.value("trading.connection.status", state="connected", connection="tws") == 1
    assert capmeter.value("trading.connection.uptime", connection="tws") >= 0

    meter.connection_closed(name="tws")

    assert capmeter.samples("trading.connection.status") == []
    assert capmeter.samples("trading.connection.uptime") == []


def test_a_gap_that_somebody_else_found(capmeter: CapturingMeter) -> None:
    meter.market_data_missed(source="kraken", kind="order_book", symbol="BTC/USD", venue="kraken")

    assert capmeter.value("trading.market_data.gaps", source="kraken", symbol="BTC/USD", venue="kraken") == 1
