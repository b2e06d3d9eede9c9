"""FIFO, contract terms, splits, liquidation and prices that cannot be."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit_support import Clock, attributes, losses

from otel_trading import meter
from otel_trading.semconv import attributes as a
from otel_trading.trackers import PortfolioTracker
from otel_trading.trackers.portfolio import Contract, _fifo
from otel_trading.trackers.portfolio._fifo import FifoPosition

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

XBT = attributes(symbol="XBTUSD", currency="XBT", venue="bitmex")
STOCK = attributes(symbol="ACME", currency="USD", venue="xnas")
PNL = "trading.portfolio.pnl"
DISTANCE = "trading.position.liquidation.distance"

trades = st.lists(st.tuples(st.integers(-9, 9).filter(bool), st.integers(1, 500)), min_size=1, max_size=30)


def _oracle(fills: list[tuple[int, int]]) -> tuple[int, list[tuple[int, int]]]:
    """Every unit on its own, in the order in which it came."""
    realized, held = 0, list[tuple[int, int]]()
    for quantity, price in fills:
        sign = 1 if quantity > 0 else -1
        for _ in range(abs(quantity)):
            if held and held[0][0] != sign:
                side, entry = held.pop(0)
                realized += side * (price - entry)
            else:
                held.append((sign, price))
    return realized, held


@settings(max_examples=300, deadline=None)
@given(trades, st.integers(1, 500))
def test_fifo_is_what_single_units_in_a_queue_make(fills: list[tuple[int, int]], mark: int) -> None:
    position = FifoPosition(0.0)
    for quantity, price in fills:
        position.fill(Decimal(quantity), Decimal(price), Decimal(0), 0.0)
    position.value(Decimal(mark))
    realized, held = _oracle(fills)

    assert position.realized == realized
    assert position.quantity == sum(side for side, _ in held)
    assert float(position.unrealized) == pytest.approx(sum(side * (mark - entry) for side, entry in held))
    assert sum(units for units, _ in position.lots) == abs(position.quantity)


@settings(max_examples=100, deadline=None)
@given(trades, st.integers(1, 500))
def test_few_lots_change_only_where_profit_stands(fills: list[tuple[int, int]], mark: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_fifo, "MAX_LOTS", 2)
        position = FifoPosition(0.0)
        for quantity, price in fills:
            position.fill(Decimal(quantity), Decimal(price), Decimal(0), 0.0)
            assert len(position.lots) <= 2
    position.value(Decimal(mark))
    realized, held = _oracle(fills)

    total = realized + sum(side * (mark - entry) for side, entry in held)
    assert float(position.realized + position.unrealized) == pytest.approx(total, abs=1e-9)


@given(trades, st.integers(-5, 5), st.integers(1, 200))
def test_a_statement_never_jumps_the_total_of_lots(fills: list[tuple[int, int]], stated: int, price: int) -> None:
    position = FifoPosition(0.0)
    for quantity, paid in fills:
        position.fill(Decimal(quantity), Decimal(paid), Decimal(0), 0.0)
    position.value(Decimal(price))
    before = position.realized + position.unrealized
    position.state(Decimal(stated), None)
    position.fill(Decimal(-3), Decimal(price), Decimal(0), 0.0)

    assert float(position.realized + position.unrealized) == pytest.approx(float(before), abs=1e-9)


def test_fifo_is_chosen_at_construction(capmeter: CapturingMeter) -> None:
    tracker = PortfolioTracker(Clock(), cost="fifo")
    for quantity, price in ((1, 100.0), (1, 200.0), (-1, 300.0)):
        tracker.filled(STOCK, quantity, price)

    assert capmeter.value(PNL, type="realized") == 200
    assert capmeter.value(PNL, type="unrealized") == 100


def test_a_multiplier_scales_money_and_no_quantity(capmeter: CapturingMeter) -> None:
    meter.contract(symbol="ES", multiplier=50)
    meter.order_filled(symbol="ES", side="buy", price=4000, quantity=2, currency="USD")
    meter.price_marked(symbol="ES", price=4010)

    assert capmeter.value(PNL, type="unrealized") == 1000
    assert capmeter.value("trading.portfolio.exposure", type="net") == 401_000
    assert capmeter.value("trading.execution.notional") == 400_000
    assert capmeter.value("trading.position.quantity") == 2


def test_an_inverse_contract_earns_coins(capmeter: CapturingMeter) -> None:
    """BitMEX's own example of XBTUSD: contracts * multiplier * (1/entry - 1/exit)."""
    tracker = PortfolioTracker(Clock())
    tracker.contract(XBT, Contract(Decimal(1), inverse=True))
    tracker.filled(XBT, 50_000, 10_000.0)
    tracker.marked(XBT, 12_500.0)
    assert capmeter.value(PNL, type="unrealized") == pytest.approx(1.0)
    assert capmeter.value("trading.portfolio.exposure", type="long") == pytest.approx(4.0)

    tracker.filled(XBT, 50_000, 12_500.0)  # the average entry is the harmonic mean
    tracker.filled(XBT, -100_000, 12_500.0)
    assert capmeter.value(PNL, type="realized") == pytest.approx(1.0)
    assert capmeter.value("trading.trade.closures", outcome="win") == 1


def test_terms_of_a_venue_win_and_hold_from_the_next_position(capmeter: CapturingMeter) -> None:
    tracker = PortfolioTracker(Clock())
    tracker.filled(STOCK, 1, 100.0)
    tracker.contract(attributes(symbol="ACME"), Contract(Decimal(10)))
    tracker.contract(attributes(symbol="ACME", venue="xnas"), Contract(Decimal(100)))
    tracker.filled(STOCK, -1, 101.0)
    assert capmeter.value(PNL, type="realized") == 1

    tracker.filled(STOCK, 1, 100.0)
    tracker.filled(STOCK, -1, 101.0)
    assert capmeter.value(PNL, type="realized") == 101


@pytest.mark.parametrize("cost", ["average", "fifo"])
@pytest.mark.parametrize("ratio", [4, 0.1])
def test_a_split_changes_no_money(capmeter: CapturingMeter, cost: str, ratio: float) -> None:
    tracker = PortfolioTracker(Clock(), cost="fifo" if cost == "fifo" else "average")
    tracker.filled(STOCK, 10, 100.0)
    tracker.filled(STOCK, 10, 120.0)
    tracker.marked(STOCK, 130.0)
    tracker.split(attributes(symbol="ACME"), ratio)

    assert capmeter.value("trading.position.quantity") == 20 * ratio
    assert capmeter.value(PNL, type="unrealized") == pytest.approx(400)
    tracker.filled(STOCK, -20 * ratio, 130.0 / ratio)
    assert capmeter.value(PNL, type="realized") == pytest.approx(400)
    assert capmeter.samples("trading.position.quantity") == []


def test_the_way_to_liquidation_follows_the_mark_of_long_and_short(capmeter: CapturingMeter) -> None:
    tracker = PortfolioTracker(Clock())
    tracker.filled(STOCK, 1, 100.0)
    tracker.liquidated_at(STOCK.without(a.CURRENCY), 80.0)
    assert capmeter.value(DISTANCE) == pytest.approx(0.2)
    tracker.marked(STOCK, 160.0)
    assert capmeter.value(DISTANCE) == pytest.approx(0.5)
    tracker.filled(STOCK, -2, 100.0)
    assert capmeter.samples(DISTANCE) == []  # what was stated was for the long one

    tracker.liquidated_at(STOCK, 120.0)
    assert capmeter.value(DISTANCE) == pytest.approx(0.2)
    tracker.liquidated_at(STOCK, None)
    assert capmeter.samples(DISTANCE) == []


@pytest.mark.parametrize("price", [0.0, -37.63])
def test_a_mark_at_or_below_zero_needs_a_word_and_a_fill_does_not(production: CapturingMeter, price: float) -> None:
    tracker = PortfolioTracker(Clock())
    tracker.filled(STOCK, 1, 20.0)
    tracker.marked(STOCK, price)
    tracker.positioned(STOCK, 2, price)
    assert losses(production) == {"invalid_value": 2}
    assert production.value("trading.position.quantity") == 2
    tracker.filled(STOCK, -2, price)
    assert production.value(PNL, type="realized") == pytest.approx((price - 20) * 2)

    oil = attributes(symbol="CLK0", currency="USD")
    tracker.contract(attributes(symbol="CLK0"), Contract(Decimal(1000), signed=True))
    tracker.filled(oil, 1, 10.0)
    tracker.marked(oil, price)
    assert production.value("trading.position.pnl", type="unrealized") == pytest.approx((price - 10) * 1000)


def test_an_inverse_contract_has_no_price_of_zero(production: CapturingMeter) -> None:
    meter.contract(symbol="XBTUSD", inverse=True)
    meter.order_filled(symbol="XBTUSD", side="buy", price=0, quantity=1, currency="XBT")

    assert losses(production) == {"invalid_value": 1}
    assert production.samples("trading.position.quantity") == []


def test_no_figure_is_a_negative_zero(capmeter: CapturingMeter) -> None:
    tracker = PortfolioTracker(Clock())
    tracker.filled(STOCK, -1, 100.0)
    tracker.paid_in(STOCK, 0.0)

    assert "-0.0" not in {str(sample.value) for sample in capmeter.samples() if sample.name.startswith("trading.p")}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.integers(-30, 30).filter(bool), st.integers(1, 99_999)), max_size=30),
    st.sampled_from(["average", "fifo"]),
)
def test_of_nothing_no_rounding_remains(capmeter: CapturingMeter, fills: list[tuple[str, int, int]], cost: str) -> None:
    """An average is rounded in its last digit; when all is closed, unrealized P&L is zero and not -1e-25."""
    tracker = PortfolioTracker(Clock(), cost="fifo" if cost == "fifo" else "average")
    held = {"A": 0, "B": 0}
    for symbol, quantity, price in [*fills, ("A", 1, 77)]:
        tracker.filled(attributes(symbol=symbol, currency="USD"), quantity, price / 100)
        tracker.marked(attributes(symbol=symbol), price / 99)
        held[symbol] += quantity
    for symbol, quantity in held.items():
        if quantity:
            tracker.filled(attributes(symbol=symbol, currency="USD"), -quantity, 123.45)

    assert str(capmeter.value(PNL, type="unrealized")) == "0.0"
    del tracker
