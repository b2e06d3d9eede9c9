from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal

import pytest
from unit_support import losses

from otel_trading import meter, trackers
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

ORDER: dict[str, Any] = {
    "client_id": "1",
    "symbol": "BTC/USD",
    "side": "buy",
    "type": "limit",
    "quantity": 2,
    "venue": "Kraken",
    "strategy": "momentum",
    "account": "acct",
}


def _labels(captured: CapturingMeter, name: str) -> dict[str, str]:
    (sample,) = captured.samples(name)
    return sample.attributes


def test_a_sent_order_is_a_request_and_is_open(capmeter: CapturingMeter) -> None:
    meter.order_sent(**ORDER, time_in_force="gtc", instrument_type="spot")

    assert capmeter.value("trading.order.requests", operation="new", side="buy", venue="kraken") == 1
    assert capmeter.value("trading.order.transitions", status="pending_new", symbol="BTC/USD") == 1
    assert capmeter.value("trading.order.active", status="pending_new") == 1
    capmeter.assert_conforms()


@pytest.mark.parametrize("operation", ["replace", "cancel", "mass_cancel", "status"])
def test_any_other_message_opens_no_order(
    capmeter: CapturingMeter, operation: Literal["replace", "cancel", "mass_cancel", "status"]
) -> None:
    meter.order_sent(client_id="1", operation=operation)

    assert capmeter.value("trading.order.requests", operation=operation) == 1
    assert capmeter.samples("trading.order.transitions") == []
    assert capmeter.samples("trading.order.active") == []


def test_an_order_that_could_not_be_sent_is_not_open(capmeter: CapturingMeter) -> None:
    meter.order_sent(**ORDER, error=ConnectionResetError())

    assert capmeter.value("trading.order.requests", type="ConnectionResetError") == 1
    assert capmeter.samples("trading.order.active") == []


@pytest.mark.seed("S0-12", "S3-13", "S3-15")
def test_an_order_request_is_a_venue_call_too(capmeter: CapturingMeter) -> None:
    with meter.order_request(**ORDER):
        assert capmeter.value("trading.order.active", status="pending_new") == 1
    with meter.order_request(client_id="1", operation="cancel", venue="kraken"):
        pass

    assert capmeter.value("trading.order.request.duration", operation="new") == 1
    assert capmeter.value("trading.venue.request.duration", operation="create_order", venue="kraken") == 1
    assert capmeter.value("trading.venue.request.duration", operation="cancel_order") == 1
    capmeter.assert_conforms()


@pytest.mark.seed("S3-14")
def test_an_order_request_that_failed_stays_open_until_a_report_says_more(
    capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TimeoutError), meter.order_request(**ORDER):
        raise TimeoutError

    assert capmeter.value("trading.order.requests", error_type="timeout") == 1
    assert capmeter.value("trading.venue.request.duration", error_type="timeout") == 1
    assert capmeter.value("trading.order.active", status="pending_new") == 1
    assert capmeter.value("trading.order.unacknowledged.age") > 0

    late = time.monotonic() + 1000
    monkeypatch.setattr(trackers.default().orders, "_clock", lambda: late)
    assert capmeter.value("trading.order.unacknowledged.age") == 0
    assert capmeter.value("trading.order.transitions", status="lost", symbol="BTC/USD") == 1


@pytest.mark.seed("S0-01")
def test_reports_find_their_order_by_its_id(capmeter: CapturingMeter) -> None:
    meter.order_sent(**ORDER)
    meter.order_acknowledged(client_id="1")

    assert capmeter.value("trading.order.acknowledgement.duration", symbol="BTC/USD", account="acct") == 1
    assert capmeter.value("trading.order.transitions", status="new", side="buy", strategy="momentum") == 1


def test_a_canceled_and_an_expired_order_are_closed(capmeter: CapturingMeter) -> None:
    meter.order_sent(client_id="1")
    meter.order_sent(client_id="2")
    meter.order_canceled(client_id="1")
    meter.order_expired(client_id="2")

    assert capmeter.value("trading.order.transitions", status="canceled") == 1
    assert capmeter.value("trading.order.transitions", status="expired") == 1
    assert not any(sample.value for sample in capmeter.samples("trading.order.active"))


def test_a_rejection_carries_its_order_and_closes_it(capmeter: CapturingMeter) -> None:
    meter.order_sent(**ORDER)
    meter.order_rejected(client_id="1", reason="insufficient_funds")

    labels = _labels(capmeter, "trading.order.rejections")
    assert labels[a.REJECT_SOURCE.name] == "venue"
    assert labels[a.REJECT_REASON.name] == "insufficient_funds"
    assert (labels[a.SYMBOL.name], labels[a.ACCOUNT.name]) == ("BTC/USD", "acct")
    assert capmeter.value("trading.order.transitions", status="rejected", side="buy") == 1
    assert not any(sample.value for sample in capmeter.samples("trading.order.active"))
    capmeter.assert_conforms()


def test_our_own_no_is_denied_and_never_rejected(capmeter: CapturingMeter) -> None:
    meter.order_denied(symbol="BTC/USD", side="buy", reason="size_limit")

    assert capmeter.value("trading.order.rejections", source="risk", reason="size_limit") == 1
    assert capmeter.value("trading.order.transitions", status="denied") == 1


def test_rejections_and_requests_carry_what_an_alert_joins_them_by(capmeter: CapturingMeter) -> None:
    meter.order_sent(**ORDER)
    meter.order_rejected(client_id="1")

    joined = {a.MODE.name, a.VENUE.name, a.STRATEGY.name, a.ACCOUNT.name, a.SYMBOL.name}
    requests, rejections = (_labels(capmeter, f"trading.order.{name}") for name in ("requests", "rejections"))
    assert {key: requests[key] for key in joined} == {key: rejections[key] for key in joined}


@pytest.mark.seed("S0-01", "S3-01")
def test_a_fill_is_joined_to_its_order(capmeter: CapturingMeter) -> None:
    meter.order_sent(**ORDER)
    meter.order_filled(client_id="1", price="100.5", quantity=2, currency="USD", expected_price=100, liquidity="taker")

    labels = _labels(capmeter, "trading.execution.fills")
    assert (labels[a.SYMBOL.name], labels[a.ORDER_SIDE.name], labels[a.STRATEGY.name]) == (
        "BTC/USD",
        "buy",
        "momentum",
    )
    assert capmeter.value("trading.execution.notional", currency="USD", side="buy") == 201
    assert capmeter.value("trading.order.transitions", status="filled") == 1
    assert capmeter.value("trading.position.quantity", symbol="BTC/USD", strategy="momentum") == 2
    assert capmeter.value("trading.execution.slippage", direction="adverse", type="limit") == 1
    capmeter.assert_conforms()


def test_a_fill_after_the_final_state_still_moves_the_position(capmeter: CapturingMeter) -> None:
    meter.order_sent(**ORDER)
    meter.order_status_changed(client_id="1", status="filled")
    meter.order_filled(client_id="1", price=100, quantity=2, currency="USD")

    assert capmeter.value("trading.position.quantity", symbol="BTC/USD") == 2
    assert capmeter.value("trading.order.transitions", status="filled") == 1


@pytest.mark.seed("S2-14", "S3-07")
@pytest.mark.parametrize(
    ("side", "price", "direction"),
    [
        ("buy", 101, "adverse"),
        ("buy", 99, "favorable"),
        ("sell", 99, "adverse"),
        ("sell", 101, "favorable"),
        ("sell_short", 99, "adverse"),
        ("sell_short_exempt", 101, "favorable"),
        ("buy", 100, "flat"),
    ],
)
def test_slippage_is_a_size_with_a_direction(
    capmeter: CapturingMeter, side: a.OrderSide, price: float, direction: str
) -> None:
    meter.order_filled(
        symbol="X", side=side, price=price, quantity=1, currency="USD", expected_price=100, benchmark="mid"
    )

    (sample,) = capmeter.samples("trading.execution.slippage")
    assert sample.attributes[a.DIRECTION.name] == direction
    assert sample.attributes[a.BENCHMARK.name] == "mid"
    assert sample.sum == abs(price - 100) / 100


@pytest.mark.parametrize(("expected", "recorded"), [(0, 0), (-50, 1), (5e-324, 0)])
def test_slippage_against_a_strange_benchmark(production: CapturingMeter, expected: float, recorded: int) -> None:
    meter.order_filled(symbol="X", side="buy", price=-40, quantity=1, currency="USD", expected_price=expected)

    assert len(production.samples("trading.execution.slippage")) == recorded
    assert production.value("trading.execution.notional") == 40


def test_a_fee_is_charged_and_a_negative_one_is_a_rebate(capmeter: CapturingMeter) -> None:
    fill: dict[str, Any] = {"symbol": "X", "side": "buy", "price": 100, "quantity": 1, "currency": "USD"}
    meter.order_filled(**fill, fee=0.5, fee_type="exchange")
    meter.order_filled(**fill, fee=-0.2)
    meter.order_filled(**fill, fee=0)

    assert capmeter.value("trading.execution.fee", type="exchange", currency="USD") == 0.5
    assert capmeter.value("trading.execution.rebate") == 0.2
    assert capmeter.value("trading.portfolio.pnl", type="realized") == pytest.approx(-0.3)
    capmeter.assert_conforms()


def test_a_fill_with_a_wrong_price_still_counts_as_a_fill(production: CapturingMeter) -> None:
    meter.order_filled(symbol="X", side="buy", price=float("nan"), quantity=1, currency="USD", fee=1)

    assert production.value("trading.execution.fills") == 1
    assert production.value("trading.execution.fee") == 1
    assert production.samples("trading.execution.notional") == []
    assert production.samples("trading.position.quantity") == []
    assert losses(production) == {"non_finite": 1}


def test_an_unknown_side_moves_no_position(production: CapturingMeter) -> None:
    wrong: Any = "long"
    meter.order_filled(symbol="X", side=wrong, price=100, quantity=1, currency="USD", expected_price=99)

    assert production.value("trading.execution.fills", side="_other_") == 1
    assert production.samples("trading.position.quantity") == []
    assert production.samples("trading.execution.slippage") == []


def test_a_client_id_never_leaves_as_a_label(capmeter: CapturingMeter) -> None:
    meter.order_sent(**{**ORDER, "client_id": "secret-id"})
    meter.order_filled(client_id="secret-id", price=1, quantity=2, currency="USD")
    meter.order_rejected(client_id="secret-id")

    assert not any("secret-id" in sample.attributes.values() for sample in capmeter.samples())


def test_a_trade_of_a_bot_without_fills_is_counted(capmeter: CapturingMeter) -> None:
    meter.trade_closed(outcome="loss", seconds=60, result="-0.02", symbol="X")

    assert capmeter.value("trading.trade.closures", outcome="loss") == 1
    assert [sample.sum for sample in capmeter.samples("trading.trade.duration")] == [60]
    assert [sample.sum for sample in capmeter.samples("trading.trade.return")] == [0.02]
    capmeter.assert_conforms()
