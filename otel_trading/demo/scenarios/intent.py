"""Orders that are wanted and do not get to the venue."""

from __future__ import annotations

from itertools import count
from typing import Final

from otel_trading import meter
from otel_trading.demo.scenarios._model import Cause, scenario

_ids: Final = (f"intent-{number}" for number in count(1))


@scenario("DuplicateOrderBurst")
def duplicates(cause: Cause) -> None:
    """The strategy wants the same order again and again."""
    while cause.holds():
        meter.intent_created(intent_id="the-same", outcome="duplicate", symbol="BTC/USD")


@scenario("OrderIntentErrorRateHigh")
def errors(cause: Cause) -> None:
    """Every third intent cannot be created."""
    while cause.holds():
        meter.intent_created(outcome="error", symbol="BTC/USD")
        for intent in (next(_ids), next(_ids)):
            meter.intent_created(intent_id=intent, symbol="BTC/USD")
            meter.intent_ended(intent_id=intent)


@scenario("OrderIntentBacklog", thresholds={"order_intent_lag_seconds": 3_600})
def backlog(cause: Cause) -> None:
    """Sixty intents wait and no worker takes them."""
    waiting = [next(_ids) for _ in range(60)]
    for intent in waiting:
        meter.intent_created(intent_id=intent, symbol="BTC/USD")
    cause.hold()
    for intent in waiting:
        meter.intent_ended(intent_id=intent)


@scenario("WorkerLagging", thresholds={"order_intent_lag_seconds": 2})
def lagging(cause: Cause) -> None:
    """One intent waits, and the worker that should send it hangs."""
    intent = next(_ids)
    meter.intent_created(intent_id=intent, symbol="BTC/USD")
    cause.hold()
    meter.intent_ended(intent_id=intent)
