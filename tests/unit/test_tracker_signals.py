"""From a signal to the order that the venue accepts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from unit_support import Clock, attributes

from otel_trading import meter
from otel_trading.semconv import attributes as a
from otel_trading.trackers import SignalTracker
from otel_trading.trackers import signals as module

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

DURATION = "trading.signal.execution.duration"
SIGNAL = attributes(signal_type="buy", strategy="one")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def signals(capmeter: CapturingMeter, clock: Clock) -> SignalTracker:
    del capmeter  # it has to be there first
    return SignalTracker(clock)


def _sum(captured: CapturingMeter) -> float:
    return sum(sample.sum or 0.0 for sample in captured.samples(DURATION))


def test_the_time_runs_from_the_signal_to_the_acceptance(
    signals: SignalTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    signals.emitted("s", SIGNAL)
    clock.now += 2
    signals.ordered("s", "1")
    clock.now += 3
    signals.accepted("1")

    assert capmeter.value(DURATION, type="buy", strategy="one") == 1
    assert _sum(capmeter) == 5
    capmeter.assert_conforms()


def test_of_several_orders_the_first_accepted_counts(
    signals: SignalTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    signals.emitted("s", SIGNAL)
    signals.ordered("s", "rejected")
    signals.ordered("s", "again")
    clock.now += 4
    for client_id in ("again", "again", "rejected", "unknown"):
        signals.accepted(client_id)

    assert capmeter.value(DURATION) == 1
    assert _sum(capmeter) == 4


def test_an_id_that_is_used_again_starts_again(signals: SignalTracker, clock: Clock, capmeter: CapturingMeter) -> None:
    for client_id in ("1", "2"):
        signals.emitted("BTC/USD", SIGNAL)
        clock.now += 1
        signals.ordered("BTC/USD", client_id)
        signals.accepted(client_id)

    assert (capmeter.value(DURATION), _sum(capmeter)) == (2, 2)


def test_the_tables_are_bounded(
    signals: SignalTracker, capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_SIGNALS", 2)
    for number in range(4):
        signals.emitted(f"s{number}", SIGNAL)
        signals.ordered(f"s{number}", str(number))
    for number in range(4):
        signals.accepted(str(number))

    assert capmeter.value(DURATION) == 2
    assert signals._signals == {}
    assert signals._orders == {}


@pytest.mark.seed("S1-09", "S1-10")
def test_a_signal_is_counted_and_timed_until_its_order_is_acknowledged_on_another_thread(
    capmeter: CapturingMeter,
) -> None:
    meter.defaults(venue="kraken", strategy="momentum")
    meter.signal_emitted(type="buy", confidence="high", symbol="BTC", signal_id="s1")
    with meter.order_request(client_id="1", symbol="BTC", side="buy", signal_id="s1"):
        pass
    assert capmeter.samples(DURATION) == []

    reports = threading.Thread(target=meter.order_acknowledged, kwargs={"client_id": "1"})
    reports.start()
    reports.join()

    assert capmeter.value(DURATION, type="buy", strategy="momentum", venue="kraken") == 1
    assert capmeter.value("trading.signal.emissions", type="buy", confidence="high") == 1
    capmeter.assert_conforms()


def test_a_fill_that_comes_before_the_acknowledgement_proves_it_too(capmeter: CapturingMeter) -> None:
    meter.signal_emitted(type="sell", signal_id="s1")
    meter.order_sent(client_id="1", symbol="BTC", side="sell", quantity=1, signal_id="s1")
    meter.order_filled(client_id="1", price=10, quantity=1, currency="USD")
    meter.order_acknowledged(client_id="1")

    assert capmeter.value(DURATION, type="sell") == 1


def test_a_rejected_order_is_no_execution_and_the_next_one_may_be(capmeter: CapturingMeter) -> None:
    meter.signal_emitted(type="buy", signal_id="s1")
    meter.order_sent(client_id="1", symbol="BTC", side="buy", signal_id="s1")
    meter.order_rejected(client_id="1")
    assert capmeter.samples(DURATION) == []

    meter.order_sent(client_id="2", symbol="BTC", side="buy", signal_id="s1")
    meter.order_acknowledged(client_id="2")
    assert [row.attributes[a.SIGNAL_TYPE.name] for row in capmeter.samples(DURATION)] == ["buy"]
