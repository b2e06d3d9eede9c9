"""Replaces and cancels with an id of their own, late and lost reports, and peaks of the order rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit_support import Clock, attributes, losses

from otel_trading import meter
from otel_trading.semconv import attributes as a
from otel_trading.semconv import order as metrics
from otel_trading.trackers import OrderTracker, _rates
from otel_trading.trackers import orders as module
from otel_trading.trackers._rates import PeakRates

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

ORDER = attributes(symbol="BTC", order_side="buy", order_type="limit", account="acct")
TRANSITIONS = "trading.order.transitions"
RATE = "trading.order.rate.max"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def orders(capmeter: CapturingMeter, clock: Clock) -> OrderTracker:
    del capmeter  # it has to be there first
    tracker = OrderTracker(clock)
    tracker.sent("1", ORDER, 10.0)
    tracker.moved("1", ORDER, "new")
    return tracker


def _active(captured: CapturingMeter) -> dict[str, float]:
    rows = captured.samples("trading.order.active")
    return {row.attributes[a.ORDER_STATUS.name]: row.value for row in rows if row.value}


def _entered(captured: CapturingMeter) -> dict[str, float]:
    return {row.attributes[a.ORDER_STATUS.name]: row.value for row in captured.samples(TRANSITIONS)}


@pytest.mark.parametrize("confirmation", ["new", "replaced"])
def test_a_replace_chains_its_id_to_the_order(
    orders: OrderTracker, capmeter: CapturingMeter, confirmation: str
) -> None:
    orders.filled("1", 4.0)
    orders.asked("replace", "2", "1", 6.0)
    assert _active(capmeter) == {"pending_replace": 1}
    orders.moved("2", ORDER, confirmation)
    assert _active(capmeter) == {"partially_filled": 1}
    orders.filled("1", 1.0)  # under the old id
    orders.filled("2", 1.0)  # the new quantity is reached

    assert _active(capmeter) == {}
    assert orders.attributes("1") is orders.attributes("2") is ORDER
    assert _entered(capmeter) == dict.fromkeys(
        ("pending_new", "new", "partially_filled", "pending_replace", "replaced", "filled"), 1
    )
    assert capmeter.value("trading.order.fill.duration", stage="complete") == 1
    assert losses(capmeter) == {}


@pytest.mark.parametrize("request_", [("replace", "pending_replace"), ("cancel", "pending_cancel")])
@pytest.mark.parametrize(("traded", "back"), [(0.0, "new"), (4.0, "partially_filled")])
def test_a_refused_request_leaves_the_order_as_it_was(
    orders: OrderTracker, capmeter: CapturingMeter, request_: tuple[str, str], traded: float, back: str
) -> None:
    operation, pending = request_
    orders.asked(operation, "2", "1", 20.0)
    assert _active(capmeter) == {pending: 1}
    if traded:
        orders.filled("1", traded)
    orders.moved("2", ORDER, "rejected")

    assert _active(capmeter) == {back: 1}
    assert "rejected" not in _entered(capmeter)
    orders.filled("1", 10.0 - traded)  # the quantity is still the old one
    assert _active(capmeter) == {}


def test_a_replace_is_confirmed_after_fills_too_and_only_once(orders: OrderTracker, capmeter: CapturingMeter) -> None:
    orders.asked("replace", "2", "1", 20.0)
    orders.filled("1", 4.0)
    for _ in range(3):
        orders.moved("2", ORDER, "replaced")
    assert _active(capmeter) == {"partially_filled": 1}
    assert _entered(capmeter)["replaced"] == 1
    orders.filled("2", 16.0)

    assert _active(capmeter) == {}
    orders.moved("2", ORDER, "replaced")
    assert _entered(capmeter)["replaced"] == 1


@pytest.mark.parametrize(("traded", "back"), [(0.0, "new"), (4.0, "partially_filled")])
def test_a_refused_cancel_of_an_order_that_is_being_replaced(
    orders: OrderTracker, capmeter: CapturingMeter, traded: float, back: str
) -> None:
    orders.asked("replace", "2", "1", 20.0)
    if traded:
        orders.filled("1", traded)
    orders.asked("cancel", "3", "2")
    assert _active(capmeter) == {"pending_cancel": 1}
    orders.moved("3", ORDER, "rejected")

    assert _active(capmeter) == {back: 1}


def test_a_request_under_the_id_of_an_open_order_is_not_chained(orders: OrderTracker, capmeter: CapturingMeter) -> None:
    orders.asked("cancel", "1", "1")
    orders.moved("1", ORDER, "canceled")

    assert orders._firsts == {}
    assert _active(capmeter) == {}


def test_an_id_that_is_used_again_leads_to_the_new_order(orders: OrderTracker, capmeter: CapturingMeter) -> None:
    other = attributes(symbol="ETH")
    orders.asked("replace", "2", "1")
    orders.sent("2", other)  # the id of a request becomes an order's
    assert orders.attributes("2") is other
    orders.asked("replace", "3", "1")
    orders.sent("1", other)  # the order's own id too
    assert orders.attributes("3") is None
    orders.asked("cancel", "4", "1")
    orders.moved("1", ORDER, "canceled")
    orders.sent("1", ORDER)
    orders.moved("1", ORDER, "canceled")

    assert orders.attributes("4") is None
    assert orders._firsts == {}
    assert _active(capmeter) == {"pending_new": 1}


def test_replaces_of_replaces_lead_to_the_first_id(orders: OrderTracker, capmeter: CapturingMeter) -> None:
    for number in range(2, 50):
        orders.asked("replace", str(number), str(number - 1))
        orders.moved(str(number), ORDER, "replaced")
    orders.asked("cancel", "50", "49")
    orders.moved("50", ORDER, "canceled")

    assert _entered(capmeter)["replaced"] == 48
    assert _active(capmeter) == {}
    assert len(orders._firsts) == module._MAX_NAMES
    assert orders.attributes("49") is ORDER


def test_an_answer_under_the_old_id_after_a_refused_replace_is_no_confirmation(
    orders: OrderTracker, capmeter: CapturingMeter
) -> None:
    orders.asked("replace", "2", "1", 20.0)
    orders.moved("1", ORDER, "new")
    orders.filled("1", 10.0)

    assert "replaced" not in _entered(capmeter)
    assert _active(capmeter) == {}


def test_a_request_about_an_unknown_or_ended_order_changes_no_order(
    orders: OrderTracker, capmeter: CapturingMeter
) -> None:
    orders.asked("cancel", "2", "never sent")
    orders.moved("1", ORDER, "canceled")
    orders.asked("cancel", "3", "1")

    assert _active(capmeter) == {}
    assert "pending_cancel" not in _entered(capmeter)
    assert orders._firsts == {"3": "1"}, "a refusal of 3 will not be that of an order"


def test_ids_of_forgotten_orders_are_forgotten(orders: OrderTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ENDED", 2)
    orders.asked("cancel", "1-cancel", "1")
    orders.moved("1", ORDER, "canceled")
    for number in range(2, 10):
        orders.sent(str(number), ORDER)
        orders.asked("cancel", f"{number}-cancel", str(number))
        orders.moved(f"{number}-cancel", ORDER, "canceled")

    assert list(orders._firsts) == ["8-cancel", "9-cancel"]
    orders.sent("9", ORDER)  # the same ids again
    orders.asked("cancel", "9-cancel", "9")
    orders.moved("9-cancel", ORDER, "canceled")
    assert list(orders._firsts) == ["8-cancel", "9-cancel"]


def test_helpers_join_a_replace_and_a_cancel_to_their_order(capmeter: CapturingMeter) -> None:
    meter.order_sent(client_id="1", symbol="BTC/USD", side="buy", quantity=1, venue="kraken")
    meter.order_acknowledged(client_id="1")
    meter.order_sent(operation="replace", client_id="2", original_client_id="1", quantity=2)
    meter.order_rejected(client_id="2")
    assert capmeter.value("trading.order.active", status="new") == 1
    with meter.order_request(operation="cancel", client_id="3", original_client_id="1"):
        assert capmeter.value("trading.order.active", status="pending_cancel") == 1
    meter.order_canceled(client_id="3")

    assert _active(capmeter) == {}
    assert capmeter.value(TRANSITIONS, status="canceled", symbol="BTC/USD", side="buy") == 1
    assert capmeter.samples("trading.order.rejections") == [], "no order was rejected"
    capmeter.assert_conforms()


def test_a_refused_cancel_of_an_order_that_has_ended_is_no_rejected_order(capmeter: CapturingMeter) -> None:
    meter.order_sent(client_id="1", symbol="BTC/USD", side="buy", quantity=1, venue="kraken")
    meter.order_filled(client_id="1", price=1, quantity=1, currency="USD")
    meter.order_sent(operation="cancel", client_id="2", original_client_id="1")
    meter.order_rejected(client_id="2")

    assert _active(capmeter) == {}
    assert capmeter.samples("trading.order.rejections") == []
    assert {one.attributes["trading.order.status"] for one in capmeter.samples(TRANSITIONS)} == {
        "pending_new",
        "filled",
    }


@pytest.mark.parametrize("rest", ["lost", "done_for_day", "replaced"])
def test_an_order_that_comes_back_is_open_again(orders: OrderTracker, capmeter: CapturingMeter, rest: str) -> None:
    orders.moved("1", ORDER, rest)
    assert _active(capmeter) == {}
    orders.moved("1", ORDER, "new")

    assert _active(capmeter) == {"new": 1}
    assert not orders._ended


def test_a_report_of_a_state_left_behind_is_counted_and_a_repeated_one_is_not(
    orders: OrderTracker, capmeter: CapturingMeter
) -> None:
    orders.filled("1", 4.0)
    orders.moved("1", ORDER, "partially_filled")  # says it again
    assert losses(capmeter) == {}
    orders.moved("1", ORDER, "new")  # was overtaken
    orders.filled("1", 6.0)
    orders.moved("1", ORDER, "canceled")  # the race was won by the fill

    assert losses(capmeter) == {"out_of_order": 2}
    assert "canceled" not in _entered(capmeter)


@pytest.mark.parametrize("end", ["canceled", "expired", "rejected", "lost", "denied"])
def test_a_late_fill_joins_its_ended_order_and_completes_it(
    orders: OrderTracker, capmeter: CapturingMeter, end: str
) -> None:
    orders.sent("2", ORDER, 10.0)
    orders.moved("2", ORDER, end)
    orders.filled("2", 10.0)

    assert _entered(capmeter)["filled"] == 1
    assert capmeter.value("trading.order.fill.duration", stage="complete") == 1
    assert _active(capmeter) == {"new": 1}
    assert losses(capmeter) == {}


def test_a_clock_that_is_set_back_makes_no_negative_time(
    orders: OrderTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    orders.sent("2", ORDER, 1.0)
    clock.now -= 1000
    assert capmeter.value("trading.order.unacknowledged.age") == 0
    orders.moved("2", ORDER, "new")
    orders.filled("2", 1.0)

    assert [row.sum for row in capmeter.samples("trading.order.acknowledgement.duration")] == [0.0]
    assert {row.sum for row in capmeter.samples("trading.order.fill.duration")} == {0.0}


def test_the_oldest_of_too_many_orders_is_remembered_for_late_reports(
    production: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_ORDERS", 1)
    orders = OrderTracker()
    orders.sent("old", ORDER)
    orders.sent("young", ORDER)

    assert orders.attributes("old") is ORDER
    assert _active(production) == {"pending_new": 1}


def test_the_busiest_second_of_the_last_minute(orders: OrderTracker, clock: Clock, capmeter: CapturingMeter) -> None:
    clock.now += 10
    for _ in range(4):  # 0.0, 0.3, 0.6, 0.9: one second
        orders.sent(None, ORDER)
        clock.now += 0.3
    for _ in range(2):
        assert capmeter.value(RATE, account="acct") == 4, "reading takes no peak away"
    clock.now += 30
    orders.sent(None, ORDER)
    assert capmeter.value(RATE) == 4
    clock.now += 32
    assert capmeter.value(RATE) == 1
    clock.now += 60
    assert capmeter.value(RATE) == 0
    assert a.SYMBOL.name not in capmeter.samples(RATE)[0].attributes
    capmeter.assert_conforms()


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.integers(0, 240).map(lambda eighths: eighths / 8), max_size=80))
def test_the_peak_is_that_of_every_window_of_a_second(capmeter: CapturingMeter, pauses: list[float]) -> None:
    del capmeter
    clock = Clock(0.0)
    rates = PeakRates(metrics.RATE_MAX, clock)
    times: list[float] = []
    for pause in pauses:
        clock.now += pause
        rates.count(ORDER)
        times.append(clock.now)

    windows = [sum(end - 1 < time <= end for time in times[: place + 1]) for place, end in enumerate(times)]
    expected = max((size for size, end in zip(windows, times, strict=True) if end >= clock.now - 60), default=0)
    assert dict(rates._observe()).get(ORDER, 0) == expected


def test_a_steady_rate_takes_one_row() -> None:
    clock = Clock()
    rates = PeakRates(metrics.RATE_MAX, clock)
    for _ in range(100):
        rates.count(ORDER)
        clock.now += 2

    assert len(rates._rows[ORDER].peaks) == len(rates._rows[ORDER].recent) == 1


def test_rates_are_bounded(production: CapturingMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_rates, "_MAX_ROWS", 2)
    rates = PeakRates(metrics.RATE_MAX, Clock())
    for name in ("a", "b", "c", "a"):
        rates.count(attributes(strategy=name))

    assert {row.attributes[a.STRATEGY.name]: row.value for row in production.samples(RATE)} == {"a": 2, "b": 1}
    assert losses(production) == {"series_limit": 1}
