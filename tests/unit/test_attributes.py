from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import pytest
from unit_support import attributes, losses

from otel_trading import _attributes, meter
from otel_trading._attributes import OTHER, AttributeSet, Keywords
from otel_trading.errors import ConventionError
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.testing import CapturingMeter


class Side(str, enum.Enum):
    BUY = "buy"


class Word(enum.Enum):
    BUY = "buy"


@pytest.fixture
def row(capmeter: CapturingMeter) -> Iterator[Keywords]:
    del capmeter  # its fresh caps are what is needed
    yield Keywords("row", symbol=a.SYMBOL, side=a.ORDER_SIDE, venue=a.VENUE)
    del Keywords.table["row"]


def test_equal_calls_share_one_attribute_set(row: Keywords) -> None:
    assert row.resolve("BTC", "buy", None) is row.resolve("BTC", "buy", None)


def test_equal_sets_are_one_key_of_a_table() -> None:
    assert attributes(symbol="BTC", venue="kraken") == attributes(venue="kraken", symbol="BTC")
    assert len({attributes(symbol="BTC"), attributes(symbol="BTC"), attributes(symbol="ETH")}) == 2


def test_a_derived_set_is_the_same_object_each_time_and_leaves_the_first_alone() -> None:
    first = attributes(symbol="BTC")

    more = first.plus(a.ORDER_SIDE, "buy")

    assert more is first.plus(a.ORDER_SIDE, "buy")
    assert more.without(a.ORDER_SIDE) == first
    assert more.only(frozenset({a.ORDER_SIDE.name})) == AttributeSet({a.ORDER_SIDE.name: "buy"})
    assert first.get(a.ORDER_SIDE) is None


@pytest.mark.parametrize("side", ["buy", Side.BUY, Word.BUY])
def test_members_of_any_enum_stand_for_their_value(row: Keywords, side: object) -> None:
    assert row.resolve("BTC", side, None).get(a.ORDER_SIDE) == "buy"


def test_a_venue_is_lower_case_wherever_it_comes_from(row: Keywords) -> None:
    assert row.resolve("BTC", None, "KraKen").get(a.VENUE) == "kraken"
    with meter.scope(venue="NYSE"):
        assert row.resolve("BTC", None, None).get(a.VENUE) == "nyse"
        assert _attributes.custom({"flavor": "x"}).get(a.VENUE) == "nyse"


def test_an_empty_text_is_no_attribute(row: Keywords) -> None:
    assert row.resolve("", None, None).get(a.SYMBOL) is None


def test_a_number_as_a_name_becomes_text(row: Keywords) -> None:
    assert row.resolve(700, None, None).get(a.SYMBOL) == "700"


def test_an_attribute_keeps_a_thousand_values_and_folds_the_next(row: Keywords, capmeter: CapturingMeter) -> None:
    for number in range(_attributes.MAX_VALUES):
        row.resolve(f"S{number}", None, None)

    assert row.resolve("S0", None, None).get(a.SYMBOL) == "S0"
    assert row.resolve("one more", None, None).get(a.SYMBOL) == OTHER
    assert row.resolve("one more", None, None).get(a.SYMBOL) == OTHER
    assert capmeter.value("trading.sdk.attribute.overflows", attribute=a.SYMBOL.name) == 2


def test_a_value_outside_a_closed_set_folds_and_says_what_was_meant(
    row: Keywords, production: CapturingMeter, caplog: pytest.LogCaptureFixture
) -> None:
    assert row.resolve("BTC", "sel", None).get(a.ORDER_SIDE) == OTHER
    assert "row(side='sel') is not a value of trading.order.side. Did you mean 'sell'?" in caplog.text
    assert losses(production) == {"unknown_value": 1}


def test_a_value_outside_a_closed_set_raises_in_strict_mode_each_time(row: Keywords) -> None:
    for _ in range(2):
        with pytest.raises(ConventionError, match="is not a value of"):
            row.resolve("BTC", "sel", None)


def test_the_cache_is_bounded(row: Keywords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_attributes, "_MAX_CACHED", 10)

    for number in range(100):
        row.resolve(f"S{number}", None, None)

    assert len(row._cache) <= 10


def test_a_megabyte_of_text_is_cut_and_never_cached(row: Keywords) -> None:
    resolved = row.resolve("B" * 1_000_000, None, None)

    assert len(resolved.values[a.SYMBOL.name]) == _attributes.MAX_LENGTH
    assert not row._cache


def test_text_that_no_exporter_can_encode_is_repaired(row: Keywords) -> None:
    row.resolve("a\ud800b", None, None).values[a.SYMBOL.name].encode("utf-8")


def test_a_default_completes_a_call_and_a_keyword_wins_over_it(row: Keywords) -> None:
    meter.defaults(venue="kraken", strategy="momentum", account="acct-1")

    assert row.resolve("BTC", None, None).values == {
        a.MODE.name: "live",
        a.VENUE.name: "kraken",
        a.STRATEGY.name: "momentum",
        a.ACCOUNT.name: "acct-1",
        a.SYMBOL.name: "BTC",
    }
    assert row.resolve("BTC", None, "binance").get(a.VENUE) == "binance"


def test_the_attributes_of_an_own_instrument_fold_as_well(
    capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_attributes, "MAX_VALUES", 2)
    own = meter.counter("my.things")

    for color in ("red", "green", "blue", "black"):
        own.add(1, color=color, venue="Kraken")

    found = {sample.attributes["color"]: sample.value for sample in capmeter.samples("my.things")}
    assert found == {"red": 1, "green": 1, OTHER: 2}
    assert capmeter.value("trading.sdk.attribute.overflows", attribute="color") == 2
