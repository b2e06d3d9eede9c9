from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit_support import Clock, attributes, losses, series

from otel_trading._attributes import OTHER
from otel_trading.semconv import attributes as a
from otel_trading.trackers import PortfolioTracker
from otel_trading.trackers.portfolio._position import Position

if TYPE_CHECKING:
    from otel_trading._attributes import AttributeSet
    from otel_trading.testing import CapturingMeter

MIDNIGHT = 86_400.0 * 20_000
BTC = attributes(symbol="BTC", currency="USD", account="acct", venue="kraken")
BOOK = BTC.without(a.SYMBOL)
PNL = "trading.portfolio.pnl"
SESSION = "trading.portfolio.session.pnl"
QUANTITY = "trading.position.quantity"

fills = st.lists(
    st.tuples(
        st.decimals(min_value=-50, max_value=50, places=4).filter(bool),
        st.decimals(min_value=-20, max_value=1000, places=2),  # crude oil was below zero once
        st.decimals(min_value=-5, max_value=5, places=2),
    ),
    min_size=1,
    max_size=25,
)


@pytest.fixture
def clock() -> Clock:
    return Clock(MIDNIGHT + 3600)


@pytest.fixture
def portfolio(capmeter: CapturingMeter, clock: Clock) -> PortfolioTracker:
    del capmeter  # it has to be there first
    return PortfolioTracker(clock)


def _by(captured: CapturingMeter, name: str, attribute: str = a.PNL_TYPE.name) -> dict[str, float]:
    return series(captured, name, attribute)


def _of(symbol: str, currency: str = "USD") -> AttributeSet:
    return attributes(symbol=symbol, currency=currency)


@settings(max_examples=300, deadline=None)
@given(fills, st.decimals(min_value=0, max_value=1000, places=2))
def test_realized_and_unrealized_are_cash_flow_and_what_is_held(
    trades: list[tuple[Decimal, Decimal, Decimal]], mark: Decimal
) -> None:
    position = Position(0.0)
    cash = held = Decimal(0)
    for quantity, price, fee in trades:
        position.fill(quantity, price, fee, 0.0)
        cash -= quantity * price + fee
        held += quantity

    position.value(mark)

    assert position.quantity == held
    assert position.realized + position.unrealized == pytest.approx(cash + held * mark, abs=Decimal("1e-12"))


@settings(max_examples=300, deadline=None)
@given(fills)
def test_the_average_cost_is_that_of_a_brute_force_over_single_units(
    trades: list[tuple[Decimal, Decimal, Decimal]],
) -> None:
    """Average cost: opening mixes, closing leaves it, a flip begins anew."""
    position = Position(0.0)
    held = average = Decimal(0)
    for quantity, price, fee in trades:
        position.fill(quantity, price, fee, 0.0)
        after = held + quantity
        if held * quantity >= 0:
            average = (abs(held) * average + abs(quantity) * price) / abs(after)
        elif after * held < 0:
            average = price
        held = after
        if held:
            assert position.average == pytest.approx(average, abs=Decimal("1e-15"))


@settings(max_examples=200, deadline=None)
@given(fills)
def test_round_trips_add_up_to_what_was_realized_when_flat(trades: list[tuple[Decimal, Decimal, Decimal]]) -> None:
    position = Position(0.0)
    trips = [position.fill(quantity, price, fee, 0.0)[1] for quantity, price, fee in trades]
    if position.quantity:
        trips.append(position.fill(-position.quantity, Decimal(100), Decimal(0), 0.0)[1])

    assert sum((trip.pnl for trip in trips if trip), Decimal(0)) == pytest.approx(
        position.realized, abs=Decimal("1e-12")
    )


def test_a_long_a_partial_close_and_a_mark(portfolio: PortfolioTracker, capmeter: CapturingMeter) -> None:
    portfolio.filled(BTC, 10, 100.0, 1.0)
    portfolio.filled(BTC, -4, 110.0, 1.0)
    portfolio.marked(BTC, 120.0)

    assert _by(capmeter, PNL) == {"realized": 38.0, "unrealized": 120.0}
    assert _by(capmeter, "trading.position.pnl") == {"realized": 38.0, "unrealized": 120.0}
    assert capmeter.value(QUANTITY, symbol="BTC", account="acct") == 6
    assert _by(capmeter, "trading.portfolio.exposure", a.EXPOSURE_TYPE.name) == {
        "gross": 720.0,
        "net": 720.0,
        "long": 720.0,
        "short": 0.0,
    }
    capmeter.assert_conforms()


def test_a_short_earns_when_the_price_falls(portfolio: PortfolioTracker, capmeter: CapturingMeter) -> None:
    portfolio.filled(BTC, -5, 100.0)
    portfolio.marked(BTC, 90.0)

    assert _by(capmeter, PNL) == {"realized": 0.0, "unrealized": 50.0}
    assert capmeter.value(QUANTITY) == -5
    assert capmeter.value("trading.position.count", side="short") == 1
    assert capmeter.value("trading.portfolio.exposure", type="net") == -450


def test_a_flip_closes_one_trade_and_opens_the_next(
    portfolio: PortfolioTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    portfolio.filled(BTC, 2, 100.0)
    clock.now += 60
    portfolio.filled(BTC, -5, 90.0)
    clock.now += 30
    portfolio.filled(BTC, 3, 80.0)

    assert capmeter.value("trading.trade.closures", outcome="loss") == 1
    assert capmeter.value("trading.trade.closures", outcome="win") == 1
    held = {row.attributes[a.TRADE_OUTCOME.name]: row.sum for row in capmeter.samples("trading.trade.duration")}
    made = {row.attributes[a.TRADE_OUTCOME.name]: row.sum for row in capmeter.samples("trading.trade.return")}
    assert held == {"loss": 60.0, "win": 30.0}
    assert made == {"loss": pytest.approx(0.1), "win": pytest.approx(1 / 9)}
    assert _by(capmeter, PNL) == {"realized": 10.0, "unrealized": 0.0}


def test_a_trade_that_only_paid_its_fee_is_a_loss(portfolio: PortfolioTracker, capmeter: CapturingMeter) -> None:
    portfolio.filled(BTC, 1, 100.0, 0.1)
    portfolio.filled(BTC, -1, 100.0)

    assert capmeter.value("trading.trade.closures", outcome="loss") == 1


def test_a_closed_position_has_no_series_and_its_book_stays(
    portfolio: PortfolioTracker, capmeter: CapturingMeter
) -> None:
    portfolio.filled(BTC, 0.3, 100.0)
    portfolio.filled(BTC, -0.1, 110.0)
    portfolio.filled(BTC, -0.2, 110.0)  # 0.3 - 0.1 - 0.2 is not zero in binary

    assert capmeter.samples(QUANTITY) == []
    assert capmeter.samples("trading.position.pnl") == []
    assert _by(capmeter, PNL) == {"realized": pytest.approx(3.0), "unrealized": 0.0}
    assert set(_by(capmeter, "trading.portfolio.exposure", a.EXPOSURE_TYPE.name).values()) == {0.0}
    assert capmeter.value("trading.position.count") == 0


def test_currencies_are_never_mixed(portfolio: PortfolioTracker, capmeter: CapturingMeter) -> None:
    portfolio.filled(_of("BTC", "USD"), 1, 100.0)
    portfolio.filled(_of("BTC", "EUR"), 1, 90.0)
    portfolio.filled(_of("BTC", "EUR"), -1, 95.0)

    assert capmeter.value(PNL, currency="EUR", type="realized") == 5
    assert capmeter.value(PNL, currency="USD", type="realized") == 0
    assert capmeter.value("trading.portfolio.exposure", currency="EUR", type="gross") == 0
    assert capmeter.value("trading.portfolio.exposure", currency="USD", type="gross") == 100


def test_a_mark_without_currency_values_the_symbol_in_each_and_no_other(
    portfolio: PortfolioTracker, capmeter: CapturingMeter
) -> None:
    portfolio.filled(_of("BTC"), 1, 100.0)
    portfolio.filled(_of("ETH"), 1, 100.0)
    portfolio.marked(attributes(symbol="BTC"), 150.0)

    assert capmeter.value("trading.position.pnl", symbol="BTC", type="unrealized") == 50
    assert (
        capmeter.value("trading.position.exposure", symbol="BTC")
        == capmeter.value("trading.position.quantity", symbol="BTC") * 150
    )
    assert capmeter.value("trading.position.pnl", symbol="ETH", type="unrealized") == 0


def test_the_session_rolls_at_midnight_utc_and_the_total_goes_on(
    portfolio: PortfolioTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    portfolio.filled(BTC, 1, 100.0)
    portfolio.marked(BTC, 130.0)
    assert _by(capmeter, SESSION) == {"realized": 0.0, "unrealized": 30.0}

    clock.now = MIDNIGHT + 86_399
    assert _by(capmeter, SESSION)["unrealized"] == 30
    clock.now = MIDNIGHT + 86_400
    assert _by(capmeter, SESSION) == {"realized": 0.0, "unrealized": 0.0}

    portfolio.filled(BTC, -1, 120.0)
    assert sum(_by(capmeter, SESSION).values()) == -10
    assert sum(_by(capmeter, PNL).values()) == 20


def test_a_fill_is_the_first_thing_of_a_new_day(
    portfolio: PortfolioTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    portfolio.filled(BTC, 1, 100.0)
    clock.now = MIDNIGHT + 86_400
    portfolio.filled(BTC, -1, 90.0)

    assert sum(_by(capmeter, SESSION).values()) == -10


def test_reported_pnl_wins_over_ours(portfolio: PortfolioTracker, capmeter: CapturingMeter) -> None:
    portfolio.filled(BTC, 1, 100.0)
    portfolio.marked(BTC, 130.0)
    portfolio.reported(BOOK, "combined", 500.0, -80.0)

    assert _by(capmeter, PNL) == {"combined": 500.0}
    assert _by(capmeter, SESSION) == {"combined": -80.0}


def test_combined_pnl_never_stands_beside_its_parts(
    portfolio: PortfolioTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    portfolio.reported(BOOK, "realized", -200.0, -200.0)
    portfolio.reported(BOOK, "combined", -250.0, -250.0)
    assert _by(capmeter, PNL) == _by(capmeter, SESSION) == {"combined": -250.0}
    portfolio.reported(BOOK, "unrealized", -50.0, -50.0)
    assert _by(capmeter, PNL) == _by(capmeter, SESSION) == {"realized": -200.0, "unrealized": -50.0}
    clock.now += 86_400
    portfolio.reported(BOOK, "realized", -210.0, None)
    assert _by(capmeter, SESSION) == {"realized": -10.0, "unrealized": 0.0}


def test_a_reported_total_gives_the_session_from_its_first_word(
    portfolio: PortfolioTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    portfolio.reported(BOOK, "combined", 500.0, None)
    portfolio.reported(BOOK, "combined", 450.0, None)
    assert _by(capmeter, SESSION) == {"combined": -50.0}

    clock.now += 86_400
    assert _by(capmeter, SESSION) == {"combined": 0.0}


def test_a_reported_session_ends_with_its_day(
    portfolio: PortfolioTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    portfolio.reported(BOOK, "combined", 500.0, -80.0)
    clock.now += 86_400

    assert _by(capmeter, SESSION) == {"combined": 0.0}


@pytest.mark.seed("S1-14", "S3-05")
def test_drawdown_follows_equity_and_the_deepest_one_stays(
    portfolio: PortfolioTracker, capmeter: CapturingMeter
) -> None:
    for equity in (100.0, 120.0, 90.0, 108.0):
        portfolio.valued(BOOK, equity)

    assert capmeter.value("trading.portfolio.value", currency="USD") == 108
    assert capmeter.value("trading.portfolio.drawdown") == pytest.approx(0.1)
    assert capmeter.value("trading.portfolio.max_drawdown", window="inception") == pytest.approx(0.25)


def test_the_worst_currency_speaks_for_the_drawdown_of_an_account(
    portfolio: PortfolioTracker, capmeter: CapturingMeter
) -> None:
    for currency, low in (("USD", 90.0), ("EUR", 50.0), ("GBP", 95.0)):
        book = attributes(currency=currency, account="acct")
        portfolio.valued(book, 100.0)
        portfolio.valued(book, low)

    (sample,) = capmeter.samples("trading.portfolio.drawdown")
    assert sample.value == 0.5


def test_a_stated_position_without_a_price_invents_no_profit(
    portfolio: PortfolioTracker, capmeter: CapturingMeter
) -> None:
    portfolio.positioned(BTC, 2)
    portfolio.marked(BTC, 64_000.0)
    assert _by(capmeter, PNL) == {"realized": 0.0, "unrealized": 0.0}

    portfolio.marked(BTC, 63_000.0)
    assert _by(capmeter, PNL) == {"realized": 0.0, "unrealized": -2000.0}


def test_a_stated_close_keeps_the_loss(portfolio: PortfolioTracker, capmeter: CapturingMeter) -> None:
    portfolio.positioned(BTC, 4, 100.0)
    portfolio.marked(BTC, 90.0)
    portfolio.positioned(BTC, 1)
    assert _by(capmeter, PNL) == {"realized": -30.0, "unrealized": -10.0}

    portfolio.positioned(BTC, 0)
    assert _by(capmeter, PNL) == {"realized": -40.0, "unrealized": 0.0}
    assert _by(capmeter, SESSION) == {"realized": -40.0, "unrealized": 0.0}
    assert capmeter.samples(QUANTITY) == []


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 200)), min_size=1, max_size=20))
def test_stating_a_position_never_jumps_the_total(steps: list[tuple[int, int]]) -> None:
    position = Position(0.0)
    for quantity, price in steps:
        position.value(Decimal(price))
        before = position.realized + position.unrealized
        position.state(Decimal(quantity), None)

        assert position.realized + position.unrealized == pytest.approx(before, abs=Decimal("1e-12"))
        assert position.quantity == quantity


def test_a_statement_after_the_fill_changes_nothing(portfolio: PortfolioTracker, capmeter: CapturingMeter) -> None:
    portfolio.filled(BTC, 2, 100.0)
    portfolio.marked(BTC, 110.0)
    portfolio.positioned(BTC, 2, 100.0)
    portfolio.positioned(BTC.without(a.CURRENCY), 2)

    assert capmeter.value(QUANTITY) == 2
    assert _by(capmeter, PNL) == {"realized": 0.0, "unrealized": 20.0}


def test_a_position_stated_without_currency_is_the_one_that_a_fill_moves(
    portfolio: PortfolioTracker, capmeter: CapturingMeter
) -> None:
    portfolio.positioned(BTC.without(a.CURRENCY), 5, 100.0)
    assert capmeter.samples("trading.portfolio.exposure") == []  # money without a currency says nothing
    portfolio.filled(BTC, 1, 106.0)

    assert capmeter.value(QUANTITY) == 6
    assert len(capmeter.samples(QUANTITY)) == 1
    assert portfolio._positions[BTC].average == Decimal(101)


def test_a_statement_without_currency_leaves_another_strategy_alone(
    portfolio: PortfolioTracker, capmeter: CapturingMeter
) -> None:
    theirs = BTC.plus(a.STRATEGY, "theirs")
    portfolio.filled(theirs, 3, 100.0)
    portfolio.positioned(BTC.without(a.CURRENCY), 0)

    assert capmeter.value(QUANTITY, strategy="theirs") == 3


def test_folded_symbols_are_no_position(production: CapturingMeter) -> None:
    portfolio = PortfolioTracker()
    portfolio.filled(_of(OTHER), 1, 100.0)
    portfolio.filled(_of(OTHER), -1, 5.0)

    assert production.samples(PNL) == []
    assert losses(production) == {"series_limit": 2}


def test_the_number_of_positions_is_bounded(production: CapturingMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otel_trading.trackers.portfolio._MAX_POSITIONS", 2)
    portfolio = PortfolioTracker()
    for number in range(4):
        portfolio.filled(_of(str(number)), 1, 100.0)

    assert len(production.samples(QUANTITY)) == 2
    assert losses(production) == {"series_limit": 2}


def test_threads_add_up_exactly_while_others_collect(portfolio: PortfolioTracker, capmeter: CapturingMeter) -> None:
    def trade(symbol: str) -> None:
        for _ in range(200):
            portfolio.filled(_of(symbol), 0.1, 100.0)
            portfolio.marked(_of(symbol), 101.0)
            portfolio.filled(_of("shared"), 1.0, 100.0)

    def collect() -> None:
        for _ in range(20):
            capmeter.samples()

    with ThreadPoolExecutor(6) as pool:
        traders = [pool.submit(trade, f"S{number}") for number in range(4)]
        collectors = [pool.submit(collect) for _ in range(2)]
        assert [one.result(60) for one in traders + collectors] == [None] * 6

    assert series(capmeter, QUANTITY, a.SYMBOL.name) == {"S0": 20, "S1": 20, "S2": 20, "S3": 20, "shared": 800}
    assert losses(capmeter) == {}
