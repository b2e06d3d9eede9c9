"""An unchanged script that calls through a circuit breaker, and what the real Prometheus then holds.

Each library's test gives the lines that make `call`, which calls a function through the breaker, and `Refused`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot_support import assert_held, assert_nothing_planted, environment, unchanged
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack
    from otel_trading.testing import CapturingMeter

__all__ = ["CALLS", "STATUS", "TRANSITIONS", "VenueDownError", "check", "outcomes"]

STATUS: Final = "trading.resilience.circuit_breaker.status"
TRANSITIONS: Final = "trading.resilience.circuit_breaker.transitions"
CALLS: Final = "trading.resilience.circuit_breaker.call.duration"

#: Trips after two failures and tries again after `WAIT` seconds: six good calls, three failed ones, two refused ones.
SCRIPT: Final = """
import json, time

{body}

class VenueDown(Exception):
    pass

def good():
    return 42

def bad():
    raise VenueDown("PLANTED")

log = dict(success=0, failure=0, short_circuited=0)

def attempt(function):
    entered = []
    def watched():
        entered.append(1)
        return function()
    try:
        assert call(watched) == 42
        log["success"] += 1
    except Refused:
        log["failure" if entered else "short_circuited"] += 1
    except VenueDown:
        log["failure"] += 1

for function in (good, good, good, bad, bad, good, good):
    attempt(function)
time.sleep(WAIT)
attempt(good)
for function in (bad, good, good):
    attempt(function)
print(json.dumps(log), flush=True)
input()
"""


class VenueDownError(Exception):
    pass


def check(stack: Stack, folder: Path, name: str, body: str) -> None:
    """Run the script and compare; nothing of the exception's text is held."""
    service = f"{name}-bot"
    with unchanged(folder, service, SCRIPT.format(body=body), environment(stack)) as log:
        assert log == {"success": 6, "failure": 3, "short_circuited": 2}
        calls = "trading_resilience_circuit_breaker_call_duration_seconds_count"
        changes = "trading_resilience_circuit_breaker_transitions_total"
        status = "trading_resilience_circuit_breaker_status"
        wanted = {f"sum({calls}{_of('outcome', outcome)})": count for outcome, count in log.items()}
        wanted |= {f"{changes}{_of('state', state)}": 1 for state in ("open", "half_open", "closed")}
        wanted |= {f"{status}{_of('state', 'closed')}": 1, f"{status}{_of('state', 'open')}": 0}
        assert_held(stack, service, wanted)
        assert_nothing_planted(stack, service)


def outcomes(captured: CapturingMeter, name: str) -> dict[str, float]:
    """Return how many calls of a breaker were recorded, by outcome; a call that took no time was not timed."""
    found: dict[str, float] = {}
    for sample in captured.samples(CALLS):
        if sample.attributes[a.BREAKER.name] == name:
            outcome = sample.attributes[a.BREAKER_OUTCOME.name]
            found[outcome] = found.get(outcome, 0) + sample.value
    return found


def _of(attribute: str, value: str) -> str:
    breaker = "trading_resilience_circuit_breaker"
    return f'{{$,{breaker}_name="venue",{breaker}_{attribute}="{value}"}}'
