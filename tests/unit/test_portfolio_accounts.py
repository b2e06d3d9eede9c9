"""Accounts through the front door: balances, margin, payments, funding, conversion."""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit_support import Clock, attributes, losses, series

from otel_trading import meter
from otel_trading.semconv import attributes as a
from otel_trading.trackers import PortfolioTracker
from otel_trading.trackers.portfolio import Contract

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading.testing import CapturingMeter

VALUE = "trading.portfolio.value"
PNL = "trading.portfolio.pnl"


def _converted(captured: CapturingMeter, name: str) -> dict[str, float]:
    """Values of the converted series by their type, or by nothing."""
    samples = [s for s in captured.samples(name) if a.CURRENCY_CONVERTED.name in s.attributes]
    assert {s.attributes[a.CURRENCY.name] for s in samples} <= {"USD"}
    return {s.attributes.get(a.PNL_TYPE.name, s.attributes.get(a.EXPOSURE_TYPE.name, "")): s.value for s in samples}


def test_a_balance_keeps_what_is_left_out(capmeter: CapturingMeter) -> None:
    meter.balance(free=10, used="2.5", currency="USD", account="acct")
    meter.balance(free=Decimal(8), currency="USD", account="acct")

    assert series(capmeter, "trading.account.balance", a.BALANCE_STATE.name) == {"free": 8, "used": 2.5}
    capmeter.assert_conforms()


def test_margin_is_used_in_part(capmeter: CapturingMeter) -> None:
    meter.margin(usage=30, limit=120, currency="USD")
    assert capmeter.value("trading.account.margin.utilization") == 0.25
    meter.margin(limit=0, currency="USD")
    assert capmeter.value("trading.account.margin.usage") == 30
    assert capmeter.samples("trading.account.margin.utilization") == []


def test_what_stop_orders_protect_is_what_the_bot_says_last(capmeter: CapturingMeter) -> None:
    meter.position_protected(symbol="A", quantity=2, strategy="momentum")
    meter.position_protected(symbol="B", quantity=1, strategy="momentum")
    meter.position_protected(symbol="A", quantity=0, strategy="momentum")

    found = {s.attributes["trading.instrument.symbol"]: s.value for s in capmeter.samples("trading.position.protected")}
    assert found == {"A": 0, "B": 1}
    assert {s.attributes["trading.strategy.name"] for s in capmeter.samples("trading.position.protected")} == {
        "momentum"
    }


def test_funding_is_counted_by_direction_and_realized(capmeter: CapturingMeter) -> None:
    meter.defaults(currency="USDT")
    meter.order_filled(symbol="BTC-PERP", side="buy", price=100, quantity=1)
    meter.funding_rate(symbol="BTC-PERP", rate=0.0001)
    meter.funding_paid(symbol="BTC-PERP", value=3)
    meter.funding_received(symbol="BTC-PERP", value=1)
    meter.fee_charged(value=0.5)

    assert series(capmeter, "trading.funding.payment", a.FUNDING_DIRECTION.name) == {"paid": 3, "received": 1}
    assert capmeter.value("trading.funding.rate") == 0.0001
    assert capmeter.value(PNL, type="realized") == -2.5
    assert capmeter.value("trading.position.pnl", type="realized") == -2
    assert capmeter.value("trading.execution.fee", type="financing") == 0.5
    meter.order_filled(symbol="BTC-PERP", side="sell", price=101, quantity=1)
    assert capmeter.value("trading.trade.closures", outcome="loss") == 1  # funding was more than the price gave
    capmeter.assert_conforms()


def test_equity_is_deposits_and_profit(capmeter: CapturingMeter) -> None:
    meter.defaults(currency="USD", account="acct")
    meter.order_filled(symbol="A", side="buy", price=10, quantity=10, fee=1)
    assert capmeter.samples(VALUE) == []
    meter.deposited(value=1000)
    meter.price_marked(symbol="A", price=12)
    assert capmeter.value(VALUE) == 1019
    meter.withdrawn(value=19)
    assert capmeter.value(VALUE) == 1000
    assert capmeter.value("trading.account.leverage") == pytest.approx(0.12)


def test_money_is_shown_once_more_in_the_reporting_currency(capmeter: CapturingMeter) -> None:
    meter.deposited(value=1000, currency="EUR")
    meter.deposited(value=500, currency="USD")
    meter.order_filled(symbol="A", side="sell", price=10, quantity=10, currency="EUR")
    assert _converted(capmeter, VALUE) == {}
    meter.conversion_rate(currency="EUR", reporting_currency="USD", rate=1.25)
    meter.price_marked(symbol="A", price=9)

    assert _converted(capmeter, VALUE) == {"": 1762.5}
    assert _converted(capmeter, PNL) == {"realized": 0, "unrealized": 12.5}
    assert _converted(capmeter, "trading.portfolio.exposure") == {
        "gross": 112.5,
        "net": -112.5,
        "long": 0,
        "short": 112.5,
    }
    assert capmeter.value(VALUE, currency="EUR") == 1010
    meter.deposited(value=1, currency="JPY")
    assert _converted(capmeter, VALUE) == {}  # a sum without the yen would be none
    capmeter.assert_conforms()


def test_reported_figures_join_the_converted_sum_as_one(capmeter: CapturingMeter) -> None:
    meter.pnl(value=100, currency="EUR")
    meter.order_filled(symbol="A", side="sell", price=10, quantity=10, currency="USD", fee=4)
    meter.conversion_rate(currency="EUR", reporting_currency="USD", rate=2)

    assert _converted(capmeter, PNL) == {"combined": 196}


def test_another_reporting_currency_forgets_the_rates(capmeter: CapturingMeter) -> None:
    meter.deposited(value=1000, currency="EUR")
    meter.conversion_rate(currency="EUR", reporting_currency="USD", rate=1.25)
    meter.conversion_rate(currency="GBP", reporting_currency="JPY", rate=200)

    assert _converted(capmeter, VALUE) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: meter.deposited(value=-1, currency="USD"),
        lambda: meter.withdrawn(value=1),
        lambda: meter.margin(usage=1),
        lambda: meter.balance(free=1),
        lambda: meter.funding_paid(value=float("nan"), currency="USD"),
        lambda: meter.funding_received(value=1),
        lambda: meter.fee_charged(value=-1, currency="USD"),
        lambda: meter.conversion_rate(currency="EUR", reporting_currency="USD", rate=0),
        lambda: meter.contract(symbol="A", multiplier=0),
        lambda: meter.position_split(symbol="A", ratio=-2),
        lambda: meter.liquidation_price(symbol="A", price=-1),
        lambda: meter.position_protected(symbol="A", quantity=-1),
    ],
)
def test_what_cannot_be_is_refused_and_counted(production: CapturingMeter, wrong: Callable[[], None]) -> None:
    wrong()

    assert sum(losses(production).values()) == 1
    assert {sample.name for sample in production.samples()} == {"trading.sdk.dropped"}


events = st.lists(
    st.one_of(
        st.tuples(st.just("fill"), st.sampled_from("AB"), st.integers(-9, 9).filter(bool), st.integers(1, 300)),
        st.tuples(st.just("mark"), st.sampled_from("AB"), st.just(0), st.integers(1, 300)),
        st.tuples(st.just("pay"), st.just("A"), st.integers(-500, 500), st.just(1)),
        st.tuples(st.just("fund"), st.just("A"), st.integers(-50, 50), st.just(1)),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events, st.sampled_from(["average", "fifo"]), st.integers(1, 5))
def test_equity_is_cash_and_positions_at_mark(
    capmeter: CapturingMeter, happened: list[tuple[str, str, int, int]], cost: str, multiplier: int
) -> None:
    tracker = PortfolioTracker(Clock(), cost="fifo" if cost == "fifo" else "average")
    other = attributes(currency="EUR", symbol="A")
    tracker.contract(attributes(symbol="A"), Contract(Decimal(multiplier)))
    size = {"A": multiplier, "B": 1}
    cash, held, marks = 0, {"A": 0, "B": 0}, {"A": 0, "B": 0}
    tracker.paid_in(other, 7.0)
    tracker.paid_in(attributes(currency="USD"), 0.0)
    for kind, symbol, amount, price in happened:
        key = attributes(currency="USD", symbol=symbol)
        if kind == "fill":
            tracker.filled(key, amount, float(price))
            cash -= amount * price * size[symbol]
            held[symbol] += amount
            marks[symbol] = price
        elif kind == "mark":
            tracker.marked(key, float(price))
            marks[symbol] = price
        else:
            cash += amount
            tracker.paid_in(key, amount) if kind == "pay" else tracker.booked(key, amount)
    expected = cash + sum(held[symbol] * marks[symbol] * size[symbol] for symbol in held)
    books = {key.get(a.CURRENCY): book for key, book in tracker._books.items()}

    assert float(books["USD"].equity or 0) == pytest.approx(expected, abs=1e-9)
    assert float(books["USD"].unrealized) == pytest.approx(
        float(sum((p.unrealized for p in tracker._positions.values()), Decimal(0))), abs=1e-12
    )
    assert books["EUR"].equity == 7
    del tracker, capmeter


def test_a_bots_own_decimal_context_rounds_nothing_of_ours(capmeter: CapturingMeter) -> None:
    """Bots that round prices set a precision, and careful ones trap what is inexact."""
    with decimal.localcontext() as context:
        context.prec, context.traps[decimal.Inexact] = 3, True
        meter.deposited(value=1_000_000, currency="USD")
        meter.order_filled(symbol="A", side="buy", price=64_123.45, quantity=3, currency="USD")
        meter.order_filled(symbol="A", side="buy", price=64_123.46, quantity=4, currency="USD")
        meter.price_marked(symbol="A", price=64_125.45)
        meter.order_filled(symbol="A", side="sell", price=64_125.45, quantity=7, currency="USD", fee=0.01)
        restored = PortfolioTracker()
        restored.restore(meter.portfolio_snapshot())

        assert capmeter.value(PNL, type="realized") == pytest.approx(13.95)
        assert capmeter.value("trading.trade.closures", outcome="win") == 1
        assert decimal.getcontext() is context
    assert restored.snapshot() == meter.portfolio_snapshot()
