"""Fills that come twice or at strange prices, markouts and the implementation shortfall."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit_support import Clock, losses

from otel_trading import instruments, meter, trackers
from otel_trading.semconv import attributes as a
from otel_trading.semconv import execution as metrics

if TYPE_CHECKING:
    from otel_trading.semconv.attributes import OrderSide
    from otel_trading.testing import CapturingMeter

FILL: dict[str, Any] = {
    "symbol": "BTC/USD", "side": "buy", "price": 100, "quantity": 1, "currency": "USD", "venue": "kraken",
}  # fmt: skip
FILLS = "trading.execution.fills"
SHORTFALL = "trading.execution.shortfall"


def test_a_resent_execution_moves_nothing_and_is_counted(production: CapturingMeter) -> None:
    meter.order_sent(client_id="1", symbol="BTC/USD", side="buy", quantity=2, venue="kraken")
    for _ in range(3):
        meter.order_filled(**FILL, client_id="1", execution_id="e-1")

    assert production.value(FILLS) == 1
    assert production.value("trading.position.quantity") == 1
    assert production.value("trading.order.active", status="partially_filled") == 1
    assert losses(production) == {"duplicate": 2}


def test_an_execution_id_is_one_venues_own_and_never_a_label(capmeter: CapturingMeter) -> None:
    meter.order_filled(**FILL, execution_id="secret-1")
    meter.order_filled(**{**FILL, "venue": "binance"}, execution_id="secret-1")
    meter.order_filled(**FILL)
    meter.order_filled(**FILL)  # without ids nobody can tell

    assert capmeter.value(FILLS) == 4
    assert losses(capmeter) == {}
    assert not any("secret" in value for sample in capmeter.samples() for value in sample.attributes.values())


def test_a_fill_of_an_unknown_order_is_a_fill_all_the_same(capmeter: CapturingMeter) -> None:
    meter.order_filled(**FILL, client_id="never sent")

    assert capmeter.value(FILLS, side="buy") == 1
    assert capmeter.value("trading.position.quantity") == 1
    assert capmeter.samples("trading.order.transitions") == []
    assert capmeter.samples("trading.order.active") == []
    assert losses(capmeter) == {}


@pytest.mark.parametrize(("price", "notional"), [(0, 0.0), (-37.63, 37.63)])
def test_a_zero_or_a_negative_price_is_legal(capmeter: CapturingMeter, price: float, notional: float) -> None:
    meter.order_filled(**{**FILL, "price": price}, expected_price=-37.63)

    assert capmeter.value(FILLS) == 1
    (value,) = capmeter.samples("trading.execution.notional")
    assert value.value == notional
    assert capmeter.value("trading.position.quantity") == 1
    assert losses(capmeter) == {}
    capmeter.assert_conforms()


def test_marks_after_a_fill_become_markouts(capmeter: CapturingMeter) -> None:
    clock = Clock()
    trackers.default().executions = trackers.ExecutionTracker(clock)
    meter.order_filled(**FILL, liquidity="maker", strategy="momentum")
    meter.price_marked(symbol="BTC/USD", price=99, venue="kraken")
    clock.now += 2
    meter.price_marked(symbol="BTC/USD", price=98)

    (sample,) = capmeter.samples("trading.execution.markout")
    assert sample.value == 1
    assert sample.sum == pytest.approx(0.01)
    expected = {
        a.MARKOUT_HORIZON: "1s", a.DIRECTION: "adverse", a.LIQUIDITY: "maker", a.VENUE: "kraken",
        a.STRATEGY: "momentum", a.SYMBOL: "BTC/USD", a.MODE: "live",
    }  # fmt: skip
    assert sample.attributes == {attribute.name: value for attribute, value in expected.items()}
    capmeter.assert_conforms()


def test_the_shortfall_of_perold(capmeter: CapturingMeter) -> None:
    # Decided to buy 1000 at 50.00; 800 filled at 50.12 on average; 30.00 fees; the other 200 stand at 50.40.
    meter.decision_executed(
        side="buy", decision_price=50, quantity=1000, price=50.12, filled=800, last_price=50.40, fee=30, symbol="ACME"
    )

    (sample,) = capmeter.samples(SHORTFALL)
    assert sample.sum == pytest.approx((800 * 0.12 + 200 * 0.40 + 30) / 50_000)
    assert (sample.attributes[a.DIRECTION.name], sample.attributes[a.SYMBOL.name]) == ("adverse", "ACME")
    capmeter.assert_conforms()


@pytest.mark.parametrize(
    ("call", "direction", "size"),
    [
        ({"side": "sell", "price": 101}, "favorable", 0.01),
        ({"side": "sell_short", "price": 99}, "adverse", 0.01),
        ({"price": 100}, "flat", 0.0),
        ({"price": 100, "fee": -1}, "favorable", 0.001),
        ({"filled": 0, "last_price": 105}, "adverse", 0.05),  # nothing traded: all of it was missed
        ({"price": 101, "filled": 12}, "adverse", 0.012),  # more than decided: the rest of it was never missed
    ],
)
def test_the_shortfall_has_a_direction(
    capmeter: CapturingMeter, call: dict[str, Any], direction: str, size: float
) -> None:
    meter.decision_executed(**{"side": "buy", "decision_price": 100, "quantity": 10, **call})

    (sample,) = capmeter.samples(SHORTFALL)
    assert sample.attributes[a.DIRECTION.name] == direction
    assert sample.sum == pytest.approx(size)


def test_negative_prices_have_a_shortfall_too(capmeter: CapturingMeter) -> None:
    meter.decision_executed(side="buy", decision_price=-10, quantity=1, price=-9)

    (sample,) = capmeter.samples(SHORTFALL)
    assert sample.attributes[a.DIRECTION.name] == "adverse"
    assert sample.sum == pytest.approx(0.1)


@pytest.mark.parametrize(
    "call",
    [
        {"price": None},  # filled, but at which price?
        {"price": 100, "filled": 5},  # the rest is missed, but at which price?
        {"price": 100, "quantity": 0},
        {"price": 100, "decision_price": 0},
        {"price": float("nan")},
        {"price": 100, "filled": -1},
        {"price": 100, "side": "hold"},
        {"price": 1e308, "quantity": 1e10, "decision_price": 1e-300},
    ],
)
def test_what_has_no_shortfall_is_counted_and_not_recorded(production: CapturingMeter, call: dict[str, Any]) -> None:
    meter.decision_executed(**{"side": "buy", "decision_price": 100, "quantity": 10, **call})

    assert production.samples(SHORTFALL) == []
    assert sum(losses(production).values()) == 1


_PRICES = st.floats(0.01, 1e6)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    side=st.sampled_from(["buy", "sell"]),
    prices=st.tuples(_PRICES, _PRICES, _PRICES),
    size=st.tuples(st.floats(0.01, 1e6), st.floats(0, 1)),
    fee=st.floats(-100, 100),
)
def test_the_shortfall_is_what_the_paper_portfolio_made_more(
    monkeypatch: pytest.MonkeyPatch,
    side: OrderSide,
    prices: tuple[float, float, float],
    size: tuple[float, float],
    fee: float,
) -> None:
    recorded: list[float] = []

    class _Recorder:
        @staticmethod
        def record(value: float, attributes: Any) -> None:
            sign = {"adverse": 1, "favorable": -1, "flat": 0}[attributes.get(a.DIRECTION)]
            recorded.append(sign * value)

    monkeypatch.setattr(instruments, "of", lambda metric: _Recorder if metric is metrics.SHORTFALL else None)
    decided, paid, last = prices
    quantity, filled = size[0], size[0] * size[1]
    meter.decision_executed(
        side=side, decision_price=decided, quantity=quantity, price=paid, filled=filled, last_price=last, fee=fee
    )

    sign = 1 if side == "buy" else -1
    paper = sign * quantity * (last - decided)
    real = sign * filled * (last - paid) - fee
    scale = quantity * (abs(last) + abs(decided) + abs(paid)) + abs(fee)
    (got,) = recorded
    assert math.isclose(got * quantity * decided, paper - real, rel_tol=1e-9, abs_tol=1e-9 * scale)
