from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from unit_support import Clock, attributes, losses

from otel_trading import meter
from otel_trading.semconv import attributes as a
from otel_trading.trackers import IntentTracker
from otel_trading.trackers import intents as module

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

INTENT = attributes(symbol="BTC", strategy="momentum", account="acct")
INTENTS = "trading.order.intents"
LAG = "trading.order.intent.lag"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def intents(capmeter: CapturingMeter, clock: Clock) -> IntentTracker:
    del capmeter  # it has to be there first
    return IntentTracker(clock)


def _by_state(captured: CapturingMeter) -> dict[str, float]:
    rows = captured.samples("trading.order.intent.active")
    return {row.attributes[a.INTENT_STATE.name]: row.value for row in rows}


def _by_outcome(captured: CapturingMeter) -> dict[str, float]:
    return {row.attributes[a.INTENT_OUTCOME.name]: row.value for row in captured.samples(INTENTS)}


@pytest.mark.seed("S2-04", "S2-05", "S2-06", "S2-07")
def test_an_intent_moves_from_pending_to_sent(intents: IntentTracker, clock: Clock, capmeter: CapturingMeter) -> None:
    intents.created("1", INTENT, "created", "pending")
    for before, after in (("pending", "planned"), ("planned", "ready"), ("ready", "sent")):
        assert _by_state(capmeter) == {**dict.fromkeys(a.INTENT_STATE.values, 0), before: 1}
        clock.now += 2
        intents.moved("1", INTENT, after)
        assert _by_state(capmeter)[after] == 1
        assert capmeter.value(LAG, strategy="momentum") == (0 if after == "sent" else clock.now - 1_000_000)
    intents.ended("1")

    assert _by_state(capmeter) == dict.fromkeys(a.INTENT_STATE.values, 0)
    capmeter.assert_conforms()


@pytest.mark.seed("S2-01", "S2-02", "S2-03")
def test_creations_are_counted_by_what_became_of_them(intents: IntentTracker, capmeter: CapturingMeter) -> None:
    intents.created("1", INTENT, "created", "pending")
    intents.created("1", INTENT, "created", "pending")  # caught here
    intents.ended("1")
    intents.created("1", INTENT, "created", "pending")  # and still
    intents.created("2", INTENT, "duplicate", "pending")  # caught by the bot
    intents.created(None, INTENT, "error", "pending")

    assert _by_outcome(capmeter) == {"created": 1, "duplicate": 3, "error": 1}
    assert sum(_by_state(capmeter).values()) == 0


def test_the_lag_is_that_of_the_oldest_intent_not_sent(
    intents: IntentTracker, clock: Clock, capmeter: CapturingMeter
) -> None:
    intents.created("old", INTENT, "created", "pending")
    clock.now += 5
    intents.created("young", INTENT, "created", "ready")
    clock.now += 1
    assert capmeter.value(LAG) == 6

    intents.moved("old", INTENT, "sent")
    assert capmeter.value(LAG) == 1

    clock.now -= 1000
    assert capmeter.value(LAG) == 0, "a clock that was set back makes no negative age"


def test_an_unknown_intent_is_followed_and_an_ended_one_is_not(
    intents: IntentTracker, capmeter: CapturingMeter
) -> None:
    intents.moved("from before the restart", INTENT, "ready")
    intents.created("over", INTENT, "created", "pending")
    intents.ended("over")
    intents.moved("over", INTENT, "sent")  # late news

    assert _by_state(capmeter) == {"pending": 0, "planned": 0, "ready": 1, "sent": 0}
    assert _by_outcome(capmeter) == {"created": 1}


def test_an_intent_without_an_id_is_only_counted(intents: IntentTracker, capmeter: CapturingMeter) -> None:
    intents.created(None, INTENT, "created", "pending")

    assert _by_outcome(capmeter) == {"created": 1}
    assert sum(_by_state(capmeter).values()) == 0
    assert capmeter.value(LAG) == 0


def test_both_tables_are_bounded(production: CapturingMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_INTENTS", 3)
    monkeypatch.setattr(module, "MAX_ENDED", 2)
    intents = IntentTracker()
    for number in range(5):
        intents.created(str(number), INTENT, "created", "pending")
    intents.moved("5", INTENT, "ready")
    for number in range(6):
        intents.ended(str(number))

    assert losses(production) == {"queue_full": 3}
    assert list(intents._ended) == ["4", "5"]
    assert not intents._intents


def test_helpers_lead_from_creation_to_the_end(capmeter: CapturingMeter) -> None:
    meter.intent_created(intent_id="1", symbol="BTC/USD", strategy="momentum", venue="Kraken")
    meter.intent_moved(intent_id="1", state="ready")
    assert capmeter.value("trading.order.intent.active", state="ready", strategy="momentum", venue="kraken") == 1
    meter.intent_ended(intent_id="1")
    meter.intent_created(outcome="error", strategy="momentum")

    assert capmeter.value(INTENTS, outcome="created", symbol="BTC/USD") == 1
    assert capmeter.value(INTENTS, outcome="error") == 1
    assert sum(_by_state(capmeter).values()) == 0
    capmeter.assert_conforms()


def test_threads_lose_no_intent_while_others_collect(intents: IntentTracker, capmeter: CapturingMeter) -> None:
    def work(name: str) -> None:
        for number in range(200):
            key = f"{name}-{number}"
            intents.created(key, INTENT, "created", "pending")
            intents.moved(key, INTENT, "sent")
            intents.ended(key)

    def collect() -> None:
        for _ in range(20):
            capmeter.samples()

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(4)]
    threads.append(threading.Thread(target=collect))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert _by_outcome(capmeter) == {"created": 800}
    assert not intents._intents
