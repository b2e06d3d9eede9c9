from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit_support import Clock, attributes, losses

from otel_trading.semconv import attributes as a
from otel_trading.trackers import OrderTracker
from otel_trading.trackers import orders as module

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

ORDER = attributes(symbol="BTC", order_side="buy", order_type="limit", account="acct")
TRANSITIONS = "trading.order.transitions"
ACKNOWLEDGED = "trading.order.acknowledgement.duration"
FILLED = "trading.order.fill.duration"
AGE = "trading.order.unacknowledged.age"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def orders(capmeter: CapturingMeter, clock: Clock) -> OrderTracker:
    del capmeter  # it has to be there first
    return OrderTracker(clock)


def _active(captured: CapturingMeter) -> dict[str, float]:
    rows = captured.samples("trading.order.active")
    return {row.attributes[a.ORDER_STATUS.name]: row.value for row in rows if row.value}


def _entered(captured: CapturingMeter) -> dict[str, float]:
    return {row.attributes[a.ORDER_STATUS.name]: row.value for row in captured.samples(TRANSITIONS)}


def test_an_order_lives_from_sent_to_filled(orders: OrderTracker, clock: Clock, capmeter: CapturingMeter) -> None:
    orders.sent("1", ORDER, 10.0)
    assert _active(capmeter) == {"pending_new": 1}
    clock.now += 0.5
    orders.moved("1", ORDER, "new")
    clock.now += 1.5
    orders.filled("1", 4.0)
    assert _active(capmeter) == {"partially_filled": 1}
    clock.now += 2.0
    orders.filled("1", 6.0)

    assert _entered(capmeter) == {"pending_new": 1, "new": 1, "partially_filled": 1, "filled": 1}
    assert [sample.sum for sample in capmeter.samples(ACKNOWLEDGED)] == [0.5]
    assert {row.attributes[a.ORDER_STAGE.name]: row.sum for row in capmeter.samples(FILLED)} == {
        "first": 2.0,
        "complete": 4.0,
    }
    assert _active(capmeter) == {}
    capmeter.assert_conforms()


def test_a_state_that_was_ever_active_keeps_a_zero(orders: OrderTracker, capmeter: CapturingMeter) -> None:
    orders.sent("1", ORDER)
    capmeter.samples()
    orders.moved("1", ORDER, "canceled")

    assert capmeter.value("trading.order.active", status="pending_new") == 0


def test_an_order_whose_call_failed_is_given_up_and_hides_no_later_one(
    orders: OrderTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    for client_id in ("timeout", "arrived", "waits"):
        orders.sent(client_id, ORDER)
    orders.failed("timeout")
    orders.failed("arrived")
    orders.failed("of others")
    orders.moved("arrived", ORDER, "new")
    clock.now += 900
    assert capmeter.value(AGE) == 900
    assert _active(capmeter) == {"pending_new": 2, "new": 1}
    orders.moved("waits", ORDER, "new")
    orders.sent("young", ORDER)
    clock.now += 5

    assert capmeter.value(AGE) == 5
    assert _entered(capmeter)["lost"] == 1
    assert _active(capmeter) == {"pending_new": 1, "new": 2}
    orders.moved("timeout", ORDER, "new")
    assert _active(capmeter) == {"pending_new": 1, "new": 3}
    capmeter.assert_conforms()


def test_the_age_is_that_of_the_oldest_unacknowledged_order(
    orders: OrderTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    orders.sent("old", ORDER)
    clock.now += 5
    orders.sent("young", ORDER)
    clock.now += 1
    assert capmeter.value(AGE) == 6

    orders.moved("old", ORDER, "new")
    assert capmeter.value(AGE) == 1

    orders.moved("young", ORDER, "new")
    assert capmeter.value(AGE) == 0


@pytest.mark.parametrize("status", ["rejected", "denied", "canceled", "expired", "lost"])
def test_an_order_that_ended_without_acknowledgement_ages_no_more(
    orders: OrderTracker, clock: Clock, capmeter: CapturingMeter, status: str
) -> None:
    orders.sent("1", ORDER)
    clock.now += 60
    assert capmeter.value(AGE) == 60

    orders.moved("1", ORDER, status)

    assert capmeter.value(AGE) == 0
    assert not capmeter.samples(ACKNOWLEDGED)


def test_an_order_whose_cancel_is_pending_still_ages(
    orders: OrderTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    orders.sent("1", ORDER)
    orders.moved("1", ORDER, "pending_cancel")
    clock.now += 60

    assert capmeter.value(AGE) == 60


def test_a_fill_before_the_acknowledgement_acknowledges(
    orders: OrderTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    orders.sent("1", ORDER, 2.0)
    clock.now += 1
    orders.filled("1", 1.0)
    clock.now += 1
    orders.moved("1", ORDER, "new")  # the late acknowledgement

    assert [sample.sum for sample in capmeter.samples(ACKNOWLEDGED)] == [1.0]
    assert _active(capmeter) == {"partially_filled": 1}


@pytest.mark.parametrize("reports", list(itertools.permutations(["new", "fill", "filled"])))
def test_states_and_fills_in_any_order_tell_the_same(
    orders: OrderTracker, clock: Clock, capmeter: CapturingMeter, reports: tuple[str, ...]
) -> None:
    orders.sent("1", ORDER, 1.0)
    clock.now += 1
    for report in reports:
        if report == "fill":
            orders.filled("1", 1.0)
        else:
            orders.moved("1", ORDER, report)

    entered = _entered(capmeter)
    assert entered["filled"] == 1
    assert entered.get("new", 1) == 1
    assert set(entered) <= {"pending_new", "new", "filled"}
    assert capmeter.value(ACKNOWLEDGED) == 1
    assert capmeter.value(FILLED, stage="first") == capmeter.value(FILLED, stage="complete") == 1
    assert _active(capmeter) == {}


def test_a_repeated_report_is_counted_once(orders: OrderTracker, capmeter: CapturingMeter) -> None:
    orders.sent("1", ORDER)
    for _ in range(3):
        orders.moved("1", ORDER, "new")
    for _ in range(3):
        orders.moved("1", ORDER, "canceled")

    assert _entered(capmeter) == {"pending_new": 1, "new": 1, "canceled": 1}


def test_a_fill_after_the_cancel_still_knows_its_order(orders: OrderTracker, capmeter: CapturingMeter) -> None:
    orders.sent("1", ORDER, 1.0)
    orders.moved("1", ORDER, "canceled")

    assert orders.attributes("1") == ORDER
    orders.filled("1", 0.5)
    assert _active(capmeter) == {}
    assert capmeter.value(FILLED, stage="first") == 1


def test_an_unknown_order_is_counted_and_never_opened(orders: OrderTracker, capmeter: CapturingMeter) -> None:
    orders.moved("never seen", ORDER, "new")
    orders.filled("never seen", 1.0)

    assert _entered(capmeter) == {"new": 1}
    assert _active(capmeter) == {}
    assert orders.attributes("never seen") is None


def test_an_order_without_an_id_is_only_a_transition(orders: OrderTracker, capmeter: CapturingMeter) -> None:
    orders.sent(None, ORDER)
    orders.moved(None, ORDER, "new")

    assert _entered(capmeter) == {"pending_new": 1, "new": 1}
    assert _active(capmeter) == {}


def test_an_id_that_is_used_again_is_a_new_order(orders: OrderTracker, clock: Clock, capmeter: CapturingMeter) -> None:
    orders.sent("1", ORDER)
    orders.moved("1", ORDER, "canceled")
    clock.now += 10
    orders.sent("1", ORDER)
    clock.now += 2

    assert capmeter.value(AGE) == 2
    assert _active(capmeter) == {"pending_new": 1}


def test_the_table_is_bounded_and_the_forgotten_order_is_counted(
    production: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_ORDERS", 3)
    orders = OrderTracker()

    for number in range(5):
        orders.sent(str(number), ORDER)
    orders.sent("4", ORDER)  # again: no further one has to go

    assert _active(production) == {"pending_new": 3}
    assert losses(production) == {"queue_full": 2}


def test_the_memory_of_ended_orders_is_bounded(orders: OrderTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ENDED", 3)

    for number in range(10):
        orders.sent(str(number), ORDER)
        orders.moved(str(number), ORDER, "canceled")

    assert [orders.attributes(str(number)) is None for number in (6, 7, 9)] == [True, False, False]
    assert not orders._orders


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.decimals(min_value="0.00000001", max_value="1000", places=8), min_size=1, max_size=20))
def test_fills_that_add_up_complete_the_order_and_never_earlier(capmeter: CapturingMeter, parts: list[float]) -> None:
    del capmeter
    orders = OrderTracker()
    orders.sent("1", ORDER, float(sum(parts)))

    for part in parts[:-1]:
        orders.filled("1", float(part))
        assert "1" in orders._orders
    orders.filled("1", float(parts[-1]))

    assert not orders._orders


def test_a_millionth_of_a_unit_is_still_open(orders: OrderTracker, capmeter: CapturingMeter) -> None:
    orders.sent("1", ORDER, 1000.0)
    orders.filled("1", 999.999999)
    assert _active(capmeter) == {"partially_filled": 1}

    orders.filled("1", 0.000001)
    assert _active(capmeter) == {}


def test_threads_lose_nothing_while_others_collect(orders: OrderTracker, capmeter: CapturingMeter) -> None:
    failures: list[BaseException] = []

    def trade(name: str) -> None:
        try:
            for number in range(200):
                key = f"{name}-{number}"
                orders.sent(key, ORDER, 2.0)
                orders.moved(key, ORDER, "new")
                orders.filled(key, 1.0)
                orders.filled(key, 1.0)
        except BaseException as error:  # noqa: BLE001  it is asserted below
            failures.append(error)

    def collect() -> None:
        for _ in range(30):
            capmeter.samples()

    threads = [threading.Thread(target=trade, args=(str(number),)) for number in range(4)]
    threads += [threading.Thread(target=collect) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert failures == []
    assert losses(capmeter) == {}
    assert _entered(capmeter) == dict.fromkeys(("pending_new", "new", "partially_filled", "filled"), 800)
    assert capmeter.value(ACKNOWLEDGED) == 800
    assert not orders._orders


def test_two_threads_filling_one_order_complete_it_exactly_once(orders: OrderTracker, capmeter: CapturingMeter) -> None:
    orders.sent("1", ORDER, 2000.0)

    def fills() -> None:
        for _ in range(1000):
            orders.filled("1", 1.0)

    fill = [threading.Thread(target=fills) for _ in range(2)]
    for thread in fill:
        thread.start()
    for thread in fill:
        thread.join(60)

    assert capmeter.value(FILLED, stage="first") == capmeter.value(FILLED, stage="complete") == 1
    assert not orders._orders
